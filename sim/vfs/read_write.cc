// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/read_write.h"

#include <algorithm>

#include "sim/kernel/report.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/file.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

Error FailNotOpenFor(kptr<file> file, int direction) {
  const unsigned access = file->f_flags & O_ACCMODE;
  const char* how = access == O_RDONLY ? "O_RDONLY" : access == O_WRONLY ? "O_WRONLY" : "with 3";
  return Fail(EBADF, "the file was opened $0, not for $1", how,
              direction == READ ? "reading" : "writing");
}

// v4.19 include/linux/fs.h: unsigned_offsets
bool unsigned_offsets(kptr<file> file) { return (file->f_mode & FMODE_UNSIGNED_OFFSET) != 0; }

// v4.19 fs/read_write.c: new_sync_read, new_sync_write
ssize_t DoSync(kptr<file> filp, int direction, iov_iter* iter, loff_t* ppos) {
  kiocb kiocb;
  init_sync_kiocb(&kiocb, filp);
  kiocb.ki_pos = *ppos;
  const ssize_t ret =
      direction == READ ? call_read_iter(filp, &kiocb, iter) : call_write_iter(filp, &kiocb, iter);
  if (ret == -EIOCBQUEUED) Report("kernel BUG: a synchronous request was queued");
  if (direction == READ || ret > 0) *ppos = kiocb.ki_pos;
  return ret;
}

// v4.19 fs/read_write.c: new_sync_read
ssize_t new_sync_read(kptr<file> filp, user_ptr<char> buf, size_t len, loff_t* ppos) {
  FUNCTION(filp, buf, len, *ppos);
  const iovec iov = {.iov_base = buf, .iov_len = len};
  iov_iter iter;
  iov_iter_init(&iter, READ, &iov, 1, len);
  return fn.Return(DoSync(filp, READ, &iter, ppos));
}

// v4.19 fs/read_write.c: new_sync_write
ssize_t new_sync_write(kptr<file> filp, user_ptr<const char> buf, size_t len, loff_t* ppos) {
  FUNCTION(filp, buf, len, *ppos);
  const iovec iov = {.iov_base = buf.cast<void>(), .iov_len = len};
  iov_iter iter;
  iov_iter_init(&iter, WRITE, &iov, 1, len);
  return fn.Return(DoSync(filp, WRITE, &iter, ppos));
}

// v4.19 fs/read_write.c: __vfs_read
ssize_t __vfs_read(kptr<file> file, user_ptr<char> buf, size_t count, loff_t* pos) {
  FUNCTION(file, buf, count, *pos);
  if (file->f_op->read != nullptr) return fn.Return(file->f_op->read(file, buf, count, pos));
  if (file->f_op->read_iter != nullptr) return fn.Return(new_sync_read(file, buf, count, pos));
  return fn.Return(Fail(EINVAL, "the file has no read method"));
}

// v4.19 fs/read_write.c: __vfs_write
ssize_t __vfs_write(kptr<file> file, user_ptr<const char> buf, size_t count, loff_t* pos) {
  FUNCTION(file, buf, count, *pos);
  if (file->f_op->write != nullptr) return fn.Return(file->f_op->write(file, buf, count, pos));
  if (file->f_op->write_iter != nullptr) return fn.Return(new_sync_write(file, buf, count, pos));
  return fn.Return(Fail(EINVAL, "the file has no write method"));
}

// The checks on the file that each read or write begins with.
int CheckMode(kptr<file> file, int direction) {
  const fmode_t mode = direction == READ ? FMODE_READ : FMODE_WRITE;
  const fmode_t can = direction == READ ? FMODE_CAN_READ : FMODE_CAN_WRITE;
  if ((file->f_mode & mode) == 0) return FailNotOpenFor(file, direction);
  if ((file->f_mode & can) == 0) {
    return Fail(EINVAL, "the file has no $0 method", direction == READ ? "read" : "write");
  }
  return 0;
}

Error FailBuffer(user_ptr<const void> buf, size_t count) {
  return Fail(EFAULT, "$0 bytes at $1 are beyond the user's addresses", count, buf);
}

Error FailNegativePosition(loff_t pos) { return Fail(EINVAL, "position $0 is negative", pos); }

}  // namespace

// v4.19 fs/read_write.c: rw_verify_area. Departs: no mandatory locks, no security modules.
int rw_verify_area(int direction, kptr<file> file, const loff_t* ppos, size_t count) {
  FUNCTION(direction, file, *ppos, count);
  if (static_cast<ssize_t>(count) < 0) {
    return fn.Return(Fail(EINVAL, "count $0 is negative", static_cast<ssize_t>(count)));
  }
  const loff_t pos = *ppos;
  if (unsigned_offsets(file)) {
    if (pos >= 0 || count < -static_cast<uint64_t>(pos)) return fn.Return(0);
    return fn.Return(
        Fail(EOVERFLOW, "position $0 plus $1 wraps", static_cast<uint64_t>(pos), count));
  }
  if (pos < 0) return fn.Return(FailNegativePosition(pos));
  if (count > static_cast<uint64_t>(INT64_MAX - pos)) {
    return fn.Return(
        Fail(EINVAL, "position $0 plus $1 is beyond the largest position", pos, count));
  }
  return fn.Return(0);
}

// v4.19 fs/read_write.c: vfs_read
ssize_t vfs_read(kptr<file> file, user_ptr<char> buf, size_t count, loff_t* pos) {
  FUNCTION(file, buf, count, *pos);
  int error = CheckMode(file, READ);
  if (error != 0) return fn.Return(error);
  if (!access_ok(buf, count)) return fn.Return(FailBuffer(buf, count));
  error = rw_verify_area(READ, file, pos, count);
  if (error != 0) return fn.Return(error);
  return fn.Return(__vfs_read(file, buf, std::min(count, MAX_RW_COUNT), pos));
}

// v4.19 fs/read_write.c: vfs_write
ssize_t vfs_write(kptr<file> file, user_ptr<const char> buf, size_t count, loff_t* pos) {
  FUNCTION(file, buf, count, *pos);
  int error = CheckMode(file, WRITE);
  if (error != 0) return fn.Return(error);
  if (!access_ok(buf, count)) return fn.Return(FailBuffer(buf, count));
  error = rw_verify_area(WRITE, file, pos, count);
  if (error != 0) return fn.Return(error);
  file_start_write(file);
  const ssize_t ret = __vfs_write(file, buf, std::min(count, MAX_RW_COUNT), pos);
  file_end_write(file);
  return fn.Return(ret);
}

// v4.19 fs/read_write.c: kernel_read. Departs: through read_iter alone, not through set_fs.
ssize_t kernel_read(kptr<file> file, void* buf, size_t count, loff_t* pos) {
  FUNCTION(file, count, *pos);
  int error = CheckMode(file, READ);
  if (error == 0) error = rw_verify_area(READ, file, pos, count);
  if (error != 0) return fn.Return(error);
  const kvec kvec = {.iov_base = buf, .iov_len = std::min(count, MAX_RW_COUNT)};
  iov_iter iter;
  iov_iter_kvec(&iter, READ, &kvec, 1, kvec.iov_len);
  return fn.Return(DoSync(file, READ, &iter, pos));
}

// v4.19 fs/read_write.c: kernel_write. Departs: as kernel_read.
ssize_t kernel_write(kptr<file> file, const void* buf, size_t count, loff_t* pos) {
  FUNCTION(file, count, *pos);
  int error = CheckMode(file, WRITE);
  if (error == 0) error = rw_verify_area(WRITE, file, pos, count);
  if (error != 0) return fn.Return(error);
  const kvec kvec = {.iov_base = const_cast<void*>(buf), .iov_len = std::min(count, MAX_RW_COUNT)};
  iov_iter iter;
  iov_iter_kvec(&iter, WRITE, &kvec, 1, kvec.iov_len);
  file_start_write(file);
  const ssize_t ret = DoSync(file, WRITE, &iter, pos);
  file_end_write(file);
  return fn.Return(ret);
}

// v4.19 fs/read_write.c: ksys_read
ssize_t ksys_read(unsigned fd, user_ptr<char> buf, size_t count) {
  FUNCTION(fd, buf, count);
  const struct fd f = fdget_pos(fd);
  if (!f.file) return fn.Return(FailBadFd(fd));
  loff_t pos = f.file->f_pos;
  const ssize_t ret = vfs_read(f.file, buf, count, &pos);
  if (ret >= 0) f.file->f_pos = pos;
  fdput_pos(f);
  return fn.Return(ret);
}

// v4.19 fs/read_write.c: ksys_write
ssize_t ksys_write(unsigned fd, user_ptr<const char> buf, size_t count) {
  FUNCTION(fd, buf, count);
  const struct fd f = fdget_pos(fd);
  if (!f.file) return fn.Return(FailBadFd(fd));
  loff_t pos = f.file->f_pos;
  const ssize_t ret = vfs_write(f.file, buf, count, &pos);
  if (ret >= 0) f.file->f_pos = pos;
  fdput_pos(f);
  return fn.Return(ret);
}

// v4.19 fs/read_write.c: ksys_pread64
ssize_t ksys_pread64(unsigned fd, user_ptr<char> buf, size_t count, loff_t pos) {
  FUNCTION(fd, buf, count, pos);
  if (pos < 0) return fn.Return(FailNegativePosition(pos));
  const struct fd f = fdget(fd);
  if (!f.file) return fn.Return(FailBadFd(fd));
  const bool positioned = (f.file->f_mode & FMODE_PREAD) != 0;
  const ssize_t ret = positioned ? vfs_read(f.file, buf, count, &pos)
                                 : Fail(ESPIPE, "the file has no positions to read at");
  fdput(f);
  return fn.Return(ret);
}

// v4.19 fs/read_write.c: ksys_pwrite64
ssize_t ksys_pwrite64(unsigned fd, user_ptr<const char> buf, size_t count, loff_t pos) {
  FUNCTION(fd, buf, count, pos);
  if (pos < 0) return fn.Return(FailNegativePosition(pos));
  const struct fd f = fdget(fd);
  if (!f.file) return fn.Return(FailBadFd(fd));
  const bool positioned = (f.file->f_mode & FMODE_PWRITE) != 0;
  const ssize_t ret = positioned ? vfs_write(f.file, buf, count, &pos)
                                 : Fail(ESPIPE, "the file has no positions to write at");
  fdput(f);
  return fn.Return(ret);
}

// v4.19 fs/read_write.c
SYSCALL_DEFINE3(read, unsigned, fd, user_ptr<char>, buf, size_t, count) {
  return ksys_read(fd, buf, count);
}
SYSCALL_DEFINE3(write, unsigned, fd, user_ptr<const char>, buf, size_t, count) {
  return ksys_write(fd, buf, count);
}
SYSCALL_DEFINE4(pread64, unsigned, fd, user_ptr<char>, buf, size_t, count, loff_t, pos) {
  return ksys_pread64(fd, buf, count, pos);
}
SYSCALL_DEFINE4(pwrite64, unsigned, fd, user_ptr<const char>, buf, size_t, count, loff_t, pos) {
  return ksys_pwrite64(fd, buf, count, pos);
}

}  // namespace kpath
