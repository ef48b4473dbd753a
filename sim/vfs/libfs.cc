// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/libfs.h"

#include "sim/vfs/inode.h"
#include "sim/vfs/super.h"

namespace kpath {

const file_operations simple_dir_operations = {
    .name = "simple_dir_operations",
    .llseek = dcache_dir_lseek,
    .fsync = noop_fsync,
};

// v4.19 fs/libfs.c: noop_fsync
int noop_fsync(kptr<file> file, loff_t, loff_t, int) {
  FUNCTION(file);
  return fn.Return(0);
}

// v4.19 fs/libfs.c: simple_setattr
int simple_setattr(kptr<dentry> dentry, const iattr& attr) {
  FUNCTION(dentry, attr.ia_valid);
  kptr<inode> inode = dentry->d_inode;
  const int error = setattr_prepare(dentry, attr);
  if (error != 0) return fn.Return(error);
  if ((attr.ia_valid & ATTR_SIZE) != 0) i_size_write(inode, attr.ia_size);
  setattr_copy(inode, attr);
  mark_inode_dirty(inode);
  return fn.Return(0);
}

// v4.19 fs/libfs.c: simple_empty
bool simple_empty(kptr<dentry> dentry) {
  FUNCTION(dentry);
  return fn.Return(dentry->d_subdirs.empty());
}

// v4.19 fs/libfs.c: dcache_dir_lseek
loff_t dcache_dir_lseek(kptr<file> file, loff_t offset, int whence) {
  FUNCTION(file, offset, whence);
  if (whence == SEEK_CUR) offset += file->f_pos;
  if ((whence != SEEK_CUR && whence != SEEK_SET) || offset < 0) {
    return fn.Return(Fail(EINVAL, "whence $0, offset $1 in a directory", whence, offset));
  }
  file->f_pos = offset;
  return fn.Return(offset);
}

// v4.19 fs/libfs.c: mount_pseudo_xattr
kptr<vfsmount> mount_pseudo(const char* type, uint32_t magic, const super_operations* ops,
                            const dentry_operations* d_ops) {
  FUNCTION(type);
  kptr<super_block> sb = alloc_super(type, magic, ops);
  if (!sb) return fn.Return(Fail(ENOMEM, "no memory for a super block"));
  sb->s_flags |= SB_NOUSER;
  kptr<inode> root = new_inode(sb);
  if (!root) return fn.Return(Fail(ENOMEM, "no memory for an inode"));
  root->i_ino = 1;
  root->i_mode = S_IFDIR | 0600;
  sb->s_d_op = d_ops;
  sb->s_root = d_make_root(root);
  if (!sb->s_root) return fn.Return(Fail(ENOMEM, "no memory for a dentry"));
  return fn.Return(kern_mount(sb));
}

}  // namespace kpath
