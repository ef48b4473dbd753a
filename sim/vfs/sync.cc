// SPDX-License-Identifier: Apache-2.0
//
// v4.19 fs/sync.c
#include "sim/kernel/syscalls.h"
#include "sim/vfs/file.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

// v4.19 fs/sync.c: do_fsync
int do_fsync(unsigned fd, int datasync) {
  FUNCTION(fd, datasync);
  const struct fd f = fdget(fd);
  if (!f.file) return fn.Return(FailBadFd(fd));
  const int error = vfs_fsync(f.file, datasync);
  fdput(f);
  return fn.Return(error);
}

}  // namespace

// v4.19 fs/sync.c: vfs_fsync_range
int vfs_fsync_range(kptr<file> file, loff_t start, loff_t end, int datasync) {
  FUNCTION(file, start, end, datasync);
  if (file->f_op->fsync == nullptr) {
    return fn.Return(Fail(EINVAL, "the file has no fsync method"));
  }
  kptr<inode> inode = file->f_mapping->host;
  if (datasync == 0 && (inode->i_state & I_DIRTY_TIME) != 0) mark_inode_dirty_sync(inode);
  return fn.Return(file->f_op->fsync(file, start, end, datasync));
}

// v4.19 fs/sync.c: vfs_fsync
int vfs_fsync(kptr<file> file, int datasync) {
  FUNCTION(file, datasync);
  return fn.Return(vfs_fsync_range(file, 0, INT64_MAX, datasync));
}

SYSCALL_DEFINE1(fsync, unsigned, fd) { return do_fsync(fd, 0); }
SYSCALL_DEFINE1(fdatasync, unsigned, fd) { return do_fsync(fd, 1); }

}  // namespace kpath
