// SPDX-License-Identifier: Apache-2.0
//
// Names: dentries, mounts and paths. v4.19 include/linux/{dcache,mount,path}.h, fs/dcache.c
//
// A dentry binds a name in a directory to an inode. Departs: dentries are not cached for their own
// sake; those of the tree live as long as the name does, and there are no negative ones.
//
// Invariants
//   1. d_count of a dentry = the paths that hold it, plus one while it is bound to a name in a
//      directory, plus one for each of its children.
//   2. A positive dentry holds one reference on its inode.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/kernel/slab.h"
#include "sim/kernel/spinlock.h"

namespace kpath {

struct dentry;
struct inode;
struct super_block;

struct dentry_operations {
  // The name that /proc shows for an object without a place in the tree: "anon_inode:[aio]".
  std::string (*d_dname)(kptr<dentry> dentry) = nullptr;
};

struct dentry {
  static constexpr const char* kSlabName = "dentry";

  unsigned d_flags = 0;
  kptr<dentry> d_parent;  // itself at a root
  std::string d_name;
  kptr<inode> d_inode;
  spinlock_t d_lock;
  int d_count = 1;
  const dentry_operations* d_op = nullptr;
  kptr<super_block> d_sb;
  std::map<std::string, kptr<dentry>> d_subdirs;  // a directory's entries by name
};

// dentry::d_flags
inline constexpr unsigned DCACHE_MOUNTED = 0x00010000;  // a file system is mounted on it
inline constexpr unsigned DCACHE_OP_DNAME = 0x00000200;
inline constexpr unsigned DCACHE_ENTRY_TYPE = 0x00700000;
inline constexpr unsigned DCACHE_MISS_TYPE = 0x00000000;
inline constexpr unsigned DCACHE_DIRECTORY_TYPE = 0x00200000;
inline constexpr unsigned DCACHE_REGULAR_TYPE = 0x00400000;
inline constexpr unsigned DCACHE_SPECIAL_TYPE = 0x00500000;

// vfsmount::mnt_flags
inline constexpr int MNT_NOSUID = 0x01;
inline constexpr int MNT_NOEXEC = 0x04;
inline constexpr int MNT_NOATIME = 0x08;
inline constexpr int MNT_NODIRATIME = 0x10;
inline constexpr int MNT_RELATIME = 0x20;
inline constexpr int MNT_READONLY = 0x40;
inline constexpr int MNT_WRITE_HOLD = 0x200;

// v4.19 fs/mount.h: struct mount and its struct vfsmount, in one.
struct vfsmount {
  static constexpr const char* kSlabName = "mnt_cache";

  kptr<dentry> mnt_root;
  kptr<super_block> mnt_sb;
  int mnt_flags = 0;
  int mnt_count = 1;
  int mnt_writers = 0;  // between mnt_want_write and mnt_drop_write
  // Where it is mounted; null: at the root of the tree, or nowhere.
  kptr<vfsmount> mnt_parent;
  kptr<dentry> mnt_mountpoint;
};

struct path {
  kptr<vfsmount> mnt;
  kptr<struct dentry> dentry;
};

kptr<dentry> dget(kptr<dentry> dentry);
void dput(kptr<dentry> dentry);
// v4.19 fs/dcache.c: d_alloc. A negative dentry `name` of `parent`, not yet entered there; holds a
// reference on the parent. Null: out of memory.
kptr<dentry> d_alloc(kptr<dentry> parent, const std::string& name);
// A dentry outside of the tree. Null: out of memory.
kptr<dentry> d_alloc_pseudo(kptr<super_block> sb, const std::string& name);
// The root of a file system; takes over the reference on `root_inode`. Null: out of memory.
kptr<dentry> d_make_root(kptr<inode> root_inode);
void d_set_d_op(kptr<dentry> dentry, const dentry_operations* op);
// Binds the dentry to `inode`, taking over a reference on it.
void d_instantiate(kptr<dentry> dentry, kptr<inode> inode);
// Enters a positive dentry under its name in its parent, with a reference of the parent's own.
void d_add_to_parent(kptr<dentry> dentry);
// Takes the name away. The inode stays until the last path that holds the dentry is put.
void d_delete(kptr<dentry> dentry);
// "/data/x", or the d_dname, followed by " (deleted)" where the name is gone.
std::string d_path(const path& path);

kptr<vfsmount> mntget(kptr<vfsmount> mnt);
void mntput(kptr<vfsmount> mnt);
void path_get(const path& path);
void path_put(const path& path);

// v4.19 fs/namespace.c: kern_mount of a file system that has only a super block: for pseudo file
// systems (pipes, aio rings). An error pointer: out of memory.
kptr<vfsmount> kern_mount(kptr<super_block> sb);
// v4.19 fs/namespace.c: clone_mnt. Another mount of the same file system, of the directory `root`
// and what is below it.
kptr<vfsmount> clone_mnt(kptr<vfsmount> old, kptr<dentry> root);

// v4.19 fs/namespace.c: attach_recursive_mnt. From now on a walk that comes to `mountpoint` goes on
// at the root of `mnt`, which takes over the caller's references on both. -EBUSY: something is
// mounted there already; -ENOTDIR.
int mnt_attach(kptr<vfsmount> mnt, const path& mountpoint);
// What mnt_attach has mounted, in that order.
std::vector<kptr<vfsmount>> AllMounts();
// v4.19 fs/namespace.c: lookup_mnt. What is mounted there, with a reference; null: nothing.
kptr<vfsmount> lookup_mnt(const path& path);
// v4.19 fs/namei.c: follow_managed, follow_up. Moves the path over to what is mounted on it; and
// from a mount's root to where it is mounted (false: it is nowhere).
void follow_managed(path* path);
bool follow_up(path* path);

// v4.19 fs/namespace.c: __mnt_want_write. Counts a writer. -EROFS on a read-only mount.
int __mnt_want_write(kptr<vfsmount> mnt);
void __mnt_drop_write(kptr<vfsmount> mnt);
bool __mnt_is_readonly(kptr<vfsmount> mnt);
// The same with freeze protection.
int mnt_want_write(kptr<vfsmount> mnt);
void mnt_drop_write(kptr<vfsmount> mnt);

}  // namespace kpath
