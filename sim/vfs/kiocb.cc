// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/kiocb.h"

#include "sim/vfs/fs.h"

namespace kpath {
namespace {

bool IsSyncInode(kptr<inode> inode) {
  return (inode->i_flags & S_SYNC) != 0 || (inode->i_sb->s_flags & SB_SYNCHRONOUS) != 0;
}

}  // namespace

// v4.19 include/linux/fs.h: iocb_flags
int iocb_flags(kptr<file> file) {
  kptr<inode> inode = file->f_mapping->host;
  int result = 0;
  if ((file->f_flags & O_APPEND) != 0) result |= IOCB_APPEND;
  if ((file->f_flags & O_DIRECT) != 0 || (inode->i_flags & S_DAX) != 0) result |= IOCB_DIRECT;
  if ((file->f_flags & O_DSYNC) != 0 || IsSyncInode(inode)) result |= IOCB_DSYNC;
  if ((file->f_flags & KERNEL_O_SYNC) != 0) result |= IOCB_SYNC;
  return result;
}

// v4.19 include/linux/fs.h: init_sync_kiocb
void init_sync_kiocb(kiocb* kiocb, kptr<file> filp) {
  *kiocb = {.ki_filp = filp, .ki_flags = iocb_flags(filp)};
}

// v4.19 include/linux/fs.h: kiocb_set_rw_flags
int kiocb_set_rw_flags(kiocb* kiocb, int flags) {
  FUNCTION(flags);
  if ((flags & ~RWF_SUPPORTED) != 0) {
    return fn.Return(
        Fail(EOPNOTSUPP, "RWF flags $0 have bits outside of $1", flags, RWF_SUPPORTED));
  }
  if ((flags & RWF_NOWAIT) != 0) {
    if ((kiocb->ki_filp->f_mode & FMODE_NOWAIT) == 0) {
      return fn.Return(Fail(EOPNOTSUPP, "RWF_NOWAIT on a file without FMODE_NOWAIT"));
    }
    kiocb->ki_flags |= IOCB_NOWAIT;
  }
  if ((flags & RWF_HIPRI) != 0) kiocb->ki_flags |= IOCB_HIPRI;
  if ((flags & RWF_DSYNC) != 0) kiocb->ki_flags |= IOCB_DSYNC;
  if ((flags & RWF_SYNC) != 0) kiocb->ki_flags |= IOCB_DSYNC | IOCB_SYNC;
  if ((flags & RWF_APPEND) != 0) kiocb->ki_flags |= IOCB_APPEND;
  return fn.Return(0);
}

}  // namespace kpath
