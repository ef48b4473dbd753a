// SPDX-License-Identifier: Apache-2.0
//
// Reads and writes with several buffers. v4.19 fs/read_write.c
#include <algorithm>

#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/file.h"
#include "sim/vfs/read_write.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

const char* Verb(int direction) { return direction == READ ? "read" : "write"; }

// v4.19 fs/read_write.c: do_iter_readv_writev. Through read_iter or write_iter.
ssize_t do_iter_readv_writev(kptr<file> filp, iov_iter* iter, loff_t* ppos, int direction,
                             int flags) {
  FUNCTION(filp, *ppos, flags);
  kiocb kiocb;
  init_sync_kiocb(&kiocb, filp);
  const int error = kiocb_set_rw_flags(&kiocb, flags);
  if (error != 0) return fn.Return(error);
  kiocb.ki_pos = *ppos;
  const ssize_t ret =
      direction == READ ? call_read_iter(filp, &kiocb, iter) : call_write_iter(filp, &kiocb, iter);
  *ppos = kiocb.ki_pos;
  return fn.Return(ret);
}

// v4.19 fs/read_write.c: do_loop_readv_writev. Segment by segment, through read or write.
ssize_t do_loop_readv_writev(kptr<file> filp, iov_iter* iter, loff_t* ppos, int direction,
                             int flags) {
  FUNCTION(filp, *ppos, flags);
  if ((flags & ~RWF_HIPRI) != 0) {
    return fn.Return(
        Fail(EOPNOTSUPP, "RWF flags $0 on a file without $1_iter", flags, Verb(direction)));
  }
  ssize_t done = 0;
  while (iov_iter_count(*iter) != 0) {
    const size_t length = iov_iter_single_seg_count(*iter);
    const user_ptr<char> buf(iter->iov->iov_base.address() + iter->iov_offset);
    const ssize_t n = direction == READ ? filp->f_op->read(filp, buf, length, ppos)
                                        : filp->f_op->write(filp, buf, length, ppos);
    if (n < 0) return fn.Return(done == 0 ? n : done);
    done += n;
    if (static_cast<size_t>(n) != length) break;
    iov_iter_advance(iter, length);
  }
  return fn.Return(done);
}

int CheckMode(kptr<file> file, int direction) {
  const fmode_t mode = direction == READ ? FMODE_READ : FMODE_WRITE;
  const fmode_t can = direction == READ ? FMODE_CAN_READ : FMODE_CAN_WRITE;
  if ((file->f_mode & mode) == 0) {
    return Fail(EBADF, "the file was not opened to $0", Verb(direction));
  }
  if ((file->f_mode & can) == 0) return Fail(EINVAL, "the file has no $0 method", Verb(direction));
  return 0;
}

// v4.19 fs/read_write.c: do_iter_read, do_iter_write
ssize_t DoIter(kptr<file> file, iov_iter* iter, loff_t* pos, int direction, int flags) {
  int error = CheckMode(file, direction);
  if (error != 0) return error;
  const size_t total = iov_iter_count(*iter);
  if (total == 0) return 0;
  error = rw_verify_area(direction, file, pos, total);
  if (error != 0) return error;
  const bool has_iter =
      direction == READ ? file->f_op->read_iter != nullptr : file->f_op->write_iter != nullptr;
  return (has_iter ? do_iter_readv_writev : do_loop_readv_writev)(file, iter, pos, direction,
                                                                  flags);
}

// v4.19 fs/read_write.c: vfs_readv, vfs_writev
ssize_t Transfer(kptr<file> file, user_ptr<const iovec> vec, unsigned vlen, loff_t* pos,
                 int direction, int flags) {
  iovec_buffer buffer;
  iov_iter iter;
  const int error = import_iovec(direction, vec, vlen, &buffer, &iter);
  if (error != 0) return error;
  if (direction == WRITE) file_start_write(file);
  const ssize_t ret = DoIter(file, &iter, pos, direction, flags);
  if (direction == WRITE) file_end_write(file);
  kfree(buffer.allocated);
  return ret;
}

// v4.19 fs/read_write.c: do_readv, do_writev. At the file's own position.
ssize_t AtFilePosition(unsigned fd, user_ptr<const iovec> vec, unsigned long vlen, int direction,
                       int flags) {
  const struct fd f = fdget_pos(fd);
  if (!f.file) return FailBadFd(fd);
  loff_t pos = f.file->f_pos;
  const ssize_t ret = Transfer(f.file, vec, static_cast<unsigned>(vlen), &pos, direction, flags);
  if (ret >= 0) f.file->f_pos = pos;
  fdput_pos(f);
  return ret;
}

// v4.19 fs/read_write.c: do_preadv, do_pwritev
ssize_t AtPosition(unsigned fd, user_ptr<const iovec> vec, unsigned long vlen, loff_t pos,
                   int direction, int flags) {
  if (pos < 0) return Fail(EINVAL, "position $0 is negative", pos);
  const struct fd f = fdget(fd);
  if (!f.file) return FailBadFd(fd);
  const fmode_t positioned = direction == READ ? FMODE_PREAD : FMODE_PWRITE;
  const ssize_t ret =
      (f.file->f_mode & positioned) != 0
          ? Transfer(f.file, vec, static_cast<unsigned>(vlen), &pos, direction, flags)
          : Fail(ESPIPE, "the file has no positions to $0 at", Verb(direction));
  fdput(f);
  return ret;
}

// v4.19 fs/read_write.c: pos_from_hilo. A long holds a whole position, so that `high` is shifted
// out.
loff_t pos_from_hilo(unsigned long high, unsigned long low) {
  constexpr unsigned kHalfLongBits = 32;
  return static_cast<loff_t>((high << kHalfLongBits << kHalfLongBits) | low);
}

}  // namespace

// v4.19 fs/read_write.c
SYSCALL_DEFINE3(readv, unsigned long, fd, user_ptr<const iovec>, vec, unsigned long, vlen) {
  return AtFilePosition(static_cast<unsigned>(fd), vec, vlen, READ, 0);
}
SYSCALL_DEFINE3(writev, unsigned long, fd, user_ptr<const iovec>, vec, unsigned long, vlen) {
  return AtFilePosition(static_cast<unsigned>(fd), vec, vlen, WRITE, 0);
}
SYSCALL_DEFINE5(preadv, unsigned long, fd, user_ptr<const iovec>, vec, unsigned long, vlen,
                unsigned long, pos_l, unsigned long, pos_h) {
  return AtPosition(static_cast<unsigned>(fd), vec, vlen, pos_from_hilo(pos_h, pos_l), READ, 0);
}
SYSCALL_DEFINE5(pwritev, unsigned long, fd, user_ptr<const iovec>, vec, unsigned long, vlen,
                unsigned long, pos_l, unsigned long, pos_h) {
  return AtPosition(static_cast<unsigned>(fd), vec, vlen, pos_from_hilo(pos_h, pos_l), WRITE, 0);
}
// A position of -1 is the file's own.
SYSCALL_DEFINE6(preadv2, unsigned long, fd, user_ptr<const iovec>, vec, unsigned long, vlen,
                unsigned long, pos_l, unsigned long, pos_h, int, flags) {
  const loff_t pos = pos_from_hilo(pos_h, pos_l);
  const auto f = static_cast<unsigned>(fd);
  if (pos == -1) return AtFilePosition(f, vec, vlen, READ, flags);
  return AtPosition(f, vec, vlen, pos, READ, flags);
}
SYSCALL_DEFINE6(pwritev2, unsigned long, fd, user_ptr<const iovec>, vec, unsigned long, vlen,
                unsigned long, pos_l, unsigned long, pos_h, int, flags) {
  const loff_t pos = pos_from_hilo(pos_h, pos_l);
  const auto f = static_cast<unsigned>(fd);
  if (pos == -1) return AtFilePosition(f, vec, vlen, WRITE, flags);
  return AtPosition(f, vec, vlen, pos, WRITE, flags);
}

}  // namespace kpath
