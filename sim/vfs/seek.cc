// SPDX-License-Identifier: Apache-2.0
//
// Positions in files. v4.19 fs/read_write.c
#include "sim/kernel/syscalls.h"
#include "sim/vfs/file.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

constexpr unsigned SEEK_MAX = SEEK_HOLE;

// v4.19 fs/read_write.c: ksys_lseek
long ksys_lseek(unsigned fd, loff_t offset, unsigned whence) {
  FUNCTION(fd, offset, whence);
  const struct fd f = fdget_pos(fd);
  if (!f.file) return fn.Return(FailBadFd(fd));
  long result;
  if (whence > SEEK_MAX) {
    result = Fail(EINVAL, "whence $0 is not one of 0 ... 4", whence);
  } else {
    result = vfs_llseek(f.file, offset, static_cast<int>(whence));
  }
  fdput_pos(f);
  return fn.Return(result);
}

}  // namespace

// v4.19 fs/read_write.c: vfs_setpos
loff_t vfs_setpos(kptr<file> file, loff_t offset, loff_t maxsize) {
  FUNCTION(file, offset, maxsize);
  if (offset < 0 && (file->f_mode & FMODE_UNSIGNED_OFFSET) == 0) {
    return fn.Return(Fail(EINVAL, "position $0 is negative", offset));
  }
  if (offset > maxsize) {
    return fn.Return(Fail(EINVAL, "position $0 is beyond the limit of $1", offset, maxsize));
  }
  file->f_pos = offset;
  return fn.Return(offset);
}

// v4.19 fs/read_write.c: generic_file_llseek_size
loff_t generic_file_llseek_size(kptr<file> file, loff_t offset, int whence, loff_t maxsize,
                                loff_t eof) {
  FUNCTION(file, offset, whence, eof);
  const bool outside = static_cast<uint64_t>(offset) >= static_cast<uint64_t>(eof);
  switch (whence) {
    case SEEK_END:
      offset += eof;
      break;
    case SEEK_CUR:
      if (offset == 0) return fn.Return(file->f_pos);
      spin_lock(&file->f_lock);
      offset = vfs_setpos(file, file->f_pos + offset, maxsize);
      spin_unlock(&file->f_lock);
      return fn.Return(offset);
    case SEEK_DATA:
      if (outside) return fn.Return(Fail(ENXIO, "position $0 is beyond the end, $1", offset, eof));
      break;
    case SEEK_HOLE:
      if (outside) return fn.Return(Fail(ENXIO, "position $0 is beyond the end, $1", offset, eof));
      offset = eof;
      break;
  }
  return fn.Return(vfs_setpos(file, offset, maxsize));
}

// v4.19 fs/read_write.c: generic_file_llseek
loff_t generic_file_llseek(kptr<file> file, loff_t offset, int whence) {
  FUNCTION(file, offset, whence);
  kptr<inode> inode = file->f_mapping->host;
  return fn.Return(
      generic_file_llseek_size(file, offset, whence, inode->i_sb->s_maxbytes, i_size_read(inode)));
}

// v4.19 fs/read_write.c: no_llseek
loff_t no_llseek(kptr<file>, loff_t, int) {
  FUNCTION();
  return fn.Return(Fail(ESPIPE, "the file has no positions"));
}

// v4.19 fs/read_write.c: noop_llseek
loff_t noop_llseek(kptr<file> file, loff_t, int) {
  FUNCTION(file);
  return fn.Return(file->f_pos);
}

// v4.19 fs/read_write.c: vfs_llseek
loff_t vfs_llseek(kptr<file> file, loff_t offset, int whence) {
  FUNCTION(file, offset, whence);
  const bool seekable = (file->f_mode & FMODE_LSEEK) != 0 && file->f_op->llseek != nullptr;
  return fn.Return((seekable ? file->f_op->llseek : no_llseek)(file, offset, whence));
}

SYSCALL_DEFINE3(lseek, unsigned, fd, loff_t, offset, unsigned, whence) {
  return ksys_lseek(fd, offset, whence);
}

}  // namespace kpath
