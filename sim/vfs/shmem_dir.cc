// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/shmem_dir.h"

#include "sim/machine/check.h"
#include "sim/vfs/anon_inodes.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/libfs.h"
#include "sim/vfs/pipe.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

// v4.19 mm/shmem.c: BOGO_DIRENT_SIZE. What an entry adds to its directory's size.
constexpr loff_t BOGO_DIRENT_SIZE = 20;

struct tree {
  kptr<vfsmount> root;
};
KernelGlobal<tree> tree_;

// v4.19 fs/inode.c: lockdep_annotate_inode_mutex_key. A directory's lock is held while those of the
// files in it are taken.
void lockdep_annotate_inode_mutex_key(kptr<inode> inode) {
  if (!S_ISDIR(inode->i_mode)) return;
  __init_rwsem(&inode->i_rwsem, lock_class_key{"&type->i_mutex_dir_key"});
}

void TouchDirectory(kptr<inode> dir, loff_t growth) {
  dir->i_size += growth;
  dir->i_ctime = dir->i_mtime = current_time(dir);
}

// v4.19 mm/shmem.c: shmem_mknod
int shmem_mknod(kptr<inode> dir, kptr<dentry> dentry, umode_t mode) {
  FUNCTION(dir, dentry, mode);
  kptr<inode> inode = shmem_get_inode(dir->i_sb, dir, mode);
  if (!inode) return fn.Return(Fail(ENOSPC, "no memory for an inode"));
  TouchDirectory(dir, BOGO_DIRENT_SIZE);
  d_instantiate(dentry, inode);
  d_add_to_parent(dentry);
  STEP("name entered", dentry, inode);
  return fn.Return(0);
}

// v4.19 mm/shmem.c: shmem_create
int shmem_create(kptr<inode> dir, kptr<dentry> dentry, umode_t mode, bool) {
  FUNCTION(dir, dentry, mode);
  return fn.Return(shmem_mknod(dir, dentry, mode | S_IFREG));
}

// v4.19 mm/shmem.c: shmem_mkdir
int shmem_mkdir(kptr<inode> dir, kptr<dentry> dentry, umode_t mode) {
  FUNCTION(dir, dentry, mode);
  const int error = shmem_mknod(dir, dentry, mode | S_IFDIR);
  if (error == 0) inc_nlink(dir);
  return fn.Return(error);
}

// v4.19 mm/shmem.c: shmem_unlink
int shmem_unlink(kptr<inode> dir, kptr<dentry> dentry) {
  FUNCTION(dir, dentry);
  kptr<inode> inode = dentry->d_inode;
  TouchDirectory(dir, -BOGO_DIRENT_SIZE);
  inode->i_ctime = dir->i_ctime;
  drop_nlink(inode);
  return fn.Return(0);
}

// v4.19 mm/shmem.c: shmem_rmdir
int shmem_rmdir(kptr<inode> dir, kptr<dentry> dentry) {
  FUNCTION(dir, dentry);
  if (!simple_empty(dentry)) {
    return fn.Return(Fail(ENOTEMPTY, "the directory has $0 entries", dentry->d_subdirs.size()));
  }
  drop_nlink(dentry->d_inode);
  drop_nlink(dir);
  return fn.Return(shmem_unlink(dir, dentry));
}

constexpr inode_operations shmem_dir_inode_operations = {
    .create = shmem_create,
    .mkdir = shmem_mkdir,
    .unlink = shmem_unlink,
    .rmdir = shmem_rmdir,
};

// v4.19 fs/namespace.c: mnt_init
void mnt_init() {
  FUNCTION();
  kptr<super_block> sb = alloc_super("tmpfs", TMPFS_MAGIC, nullptr);
  shmem_fill_super(sb);
  kptr<inode> root = shmem_get_inode(sb, nullptr, S_IFDIR | 0755);
  sb->s_root = d_make_root(root);
  tree_->root = kern_mount(sb);
  tree_->root->mnt_flags = MNT_RELATIME;
}

}  // namespace

// v4.19 mm/shmem.c: shmem_fill_super
void shmem_fill_super(kptr<super_block> sb) {
  FUNCTION(sb);
  sb->s_magic = TMPFS_MAGIC;
  sb->s_flags |= SB_NOSEC;
}

// v4.19 mm/shmem.c: shmem_get_inode
kptr<inode> shmem_get_inode(kptr<super_block> sb, kptr<inode> dir, umode_t mode) {
  FUNCTION(sb, dir, mode);
  kptr<inode> inode = new_inode(sb);
  if (!inode) return fn.Return(inode);
  inode->i_ino = get_next_ino();
  inode_init_owner(inode, dir, mode);
  inode->i_atime = inode->i_mtime = inode->i_ctime = current_time(inode);
  if (S_ISDIR(mode)) {
    inc_nlink(inode);
    inode->i_size = 2 * BOGO_DIRENT_SIZE;
    inode->i_op = &shmem_dir_inode_operations;
    inode->i_fop = &simple_dir_operations;
  } else if (vfs_hooks->shmem_init_regular != nullptr) {
    vfs_hooks->shmem_init_regular(inode);
  }
  lockdep_annotate_inode_mutex_key(inode);
  return fn.Return(inode);
}

path root_path() {
  KPATH_CHECK(tree_->root, "vfs_caches_init has not been called");
  return {.mnt = tree_->root, .dentry = tree_->root->mnt_root};
}

void ChangeRoot(kptr<vfsmount> mnt) { tree_->root = mnt; }

// v4.19 fs/dcache.c: vfs_caches_init
void vfs_caches_init() {
  FUNCTION();
  files_init();
  mnt_init();
  init_pipe_fs();
  anon_inode_init();
}

}  // namespace kpath
