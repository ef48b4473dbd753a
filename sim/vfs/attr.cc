// SPDX-License-Identifier: Apache-2.0
//
// Changing an inode's attributes. v4.19 fs/attr.c
#include "sim/kernel/resource.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/libfs.h"

namespace kpath {

// v4.19 fs/attr.c: inode_newsize_ok
int inode_newsize_ok(kptr<inode> inode, loff_t offset) {
  FUNCTION(inode, offset);
  if (offset <= inode->i_size) return fn.Return(0);
  const unsigned long fsize = rlimit(RLIMIT_FSIZE);
  if (fsize != RLIM_INFINITY && static_cast<unsigned long>(offset) > fsize) {
    SendSignalToCurrent(SIGXFSZ);
    return fn.Return(Fail(EFBIG, "size $0 is over RLIMIT_FSIZE of $1 bytes", offset, fsize));
  }
  const loff_t limit = inode->i_sb->s_maxbytes;
  if (offset > limit) {
    return fn.Return(Fail(EFBIG, "size $0 is beyond the file system's limit of $1", offset, limit));
  }
  return fn.Return(0);
}

// v4.19 fs/attr.c: setattr_prepare
int setattr_prepare(kptr<dentry> dentry, const iattr& attr) {
  FUNCTION(dentry, attr.ia_valid);
  if ((attr.ia_valid & ATTR_SIZE) == 0) return fn.Return(0);
  return fn.Return(inode_newsize_ok(dentry->d_inode, attr.ia_size));
}

// v4.19 fs/attr.c: setattr_copy
void setattr_copy(kptr<inode> inode, const iattr& attr) {
  FUNCTION(inode, attr.ia_valid);
  if ((attr.ia_valid & (ATTR_MTIME | ATTR_CTIME)) != 0) {
    const timespec64 now = current_time(inode);
    if ((attr.ia_valid & ATTR_MTIME) != 0) inode->i_mtime = now;
    if ((attr.ia_valid & ATTR_CTIME) != 0) inode->i_ctime = now;
  }
  if ((attr.ia_valid & ATTR_MODE) != 0) inode->i_mode = attr.ia_mode;
}

// v4.19 fs/attr.c: notify_change. Departs: the times are taken in setattr_copy, not before.
int notify_change(kptr<dentry> dentry, const iattr& attr) {
  FUNCTION(dentry, attr.ia_valid);
  kptr<inode> inode = dentry->d_inode;
  if ((inode->i_flags & (S_IMMUTABLE | S_APPEND)) != 0) {
    return fn.Return(Fail(EPERM, "the file is immutable or append-only"));
  }
  iattr change = attr;
  change.ia_valid |= ATTR_CTIME;
  const auto setattr = inode->i_op->setattr;
  return fn.Return((setattr != nullptr ? setattr : simple_setattr)(dentry, change));
}

}  // namespace kpath
