// SPDX-License-Identifier: Apache-2.0
//
// Names and inodes. v4.19 fs/ext2/namei.c, fs/ext2/ialloc.c, fs/ext2/dir.c
#include "sim/vfs/ext2/ext2.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/libfs.h"

namespace kpath {
namespace {

void Touch(kptr<inode> dir) { dir->i_ctime = dir->i_mtime = current_time(dir); }

// v4.19 fs/ext2/namei.c: ext2_add_nondir
int ext2_add(kptr<inode> dir, kptr<dentry> dentry, umode_t mode) {
  const kptr<inode> inode = ext2_new_inode(dir->i_sb, dir, mode);
  if (!inode) return Fail(ENOMEM, "no memory for an inode");
  Touch(dir);
  d_instantiate(dentry, inode);
  d_add_to_parent(dentry);
  return 0;
}

// v4.19 fs/ext2/namei.c: ext2_create
int ext2_create(kptr<inode> dir, kptr<dentry> dentry, umode_t mode, bool) {
  FUNCTION(dir, dentry, mode);
  return fn.Return(ext2_add(dir, dentry, mode | S_IFREG));
}

// v4.19 fs/ext2/namei.c: ext2_mkdir
int ext2_mkdir(kptr<inode> dir, kptr<dentry> dentry, umode_t mode) {
  FUNCTION(dir, dentry, mode);
  const int error = ext2_add(dir, dentry, mode | S_IFDIR);
  if (error == 0) inc_nlink(dir);
  return fn.Return(error);
}

// v4.19 fs/ext2/namei.c: ext2_unlink
int ext2_unlink(kptr<inode> dir, kptr<dentry> dentry) {
  FUNCTION(dir, dentry);
  const kptr<inode> inode = dentry->d_inode;
  Touch(dir);
  inode->i_ctime = dir->i_ctime;
  drop_nlink(inode);
  return fn.Return(0);
}

// v4.19 fs/ext2/namei.c: ext2_rmdir
int ext2_rmdir(kptr<inode> dir, kptr<dentry> dentry) {
  FUNCTION(dir, dentry);
  if (!simple_empty(dentry)) {
    return fn.Return(Fail(ENOTEMPTY, "the directory has $0 entries", dentry->d_subdirs.size()));
  }
  const int error = ext2_unlink(dir, dentry);
  if (error != 0) return fn.Return(error);
  drop_nlink(dentry->d_inode);
  drop_nlink(dir);
  return fn.Return(0);
}

constexpr inode_operations ext2_dir_inode_operations = {
    .create = ext2_create,
    .mkdir = ext2_mkdir,
    .unlink = ext2_unlink,
    .rmdir = ext2_rmdir,
    .setattr = ext2_setattr,
};

constexpr inode_operations ext2_file_inode_operations = {.setattr = ext2_setattr};

}  // namespace

kptr<inode> ext2_new_inode(kptr<super_block> sb, kptr<inode> dir, umode_t mode) {
  FUNCTION(sb, dir, mode);
  const kptr<ext2_inode_info> ei = kzalloc<ext2_inode_info>(GFP_KERNEL);  // ext2_alloc_inode
  if (!ei) return fn.Return(kptr<inode>());
  const kptr<inode> inode = new_inode(sb);
  if (!inode) {
    kfree(ei);
    return fn.Return(inode);
  }
  mutex_init(&ei->truncate_mutex);
  inode->i_private = ei;
  inode->i_ino = get_next_ino();
  inode->i_blkbits = EXT2_BLOCK_BITS;
  inode_init_owner(inode, dir, mode);
  inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
  inode->i_mapping->a_ops = &ext2_aops;
  if (S_ISDIR(mode)) {
    inc_nlink(inode);
    inode->i_size = 1 << EXT2_BLOCK_BITS;
    inode->i_op = &ext2_dir_inode_operations;
    inode->i_fop = &simple_dir_operations;
    // A directory's lock is held while those of the files in it are taken.
    __init_rwsem(&inode->i_rwsem, lock_class_key{"&type->i_mutex_dir_key"});
  } else {
    inode->i_op = &ext2_file_inode_operations;
    inode->i_fop = &ext2_file_operations;
  }
  return fn.Return(inode);
}

kptr<ext2_inode_info> EXT2_I(kptr<inode> inode) {
  return std::any_cast<kptr<ext2_inode_info>>(inode->i_private);
}

}  // namespace kpath
