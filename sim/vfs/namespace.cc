// SPDX-License-Identifier: Apache-2.0
//
// Mounts. v4.19 fs/namespace.c
#include <map>
#include <vector>

#include "sim/kernel/sched.h"
#include "sim/vfs/dcache.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

KernelGlobal<kmem_cache<vfsmount>> mnt_cache;

struct mount_globals {
  std::map<uint64_t, kptr<vfsmount>> mount_hashtable;  // by the mountpoint's address
  std::vector<kptr<vfsmount>> in_order;
};
KernelGlobal<mount_globals> mounts;

}  // namespace

// v4.19 fs/namespace.c: mntget
kptr<vfsmount> mntget(kptr<vfsmount> mnt) {
  FUNCTION(mnt);
  if (mnt) ++mnt->mnt_count;
  return mnt;
}

// v4.19 fs/namespace.c: mntput. Departs: mounts stay; only their users are counted.
void mntput(kptr<vfsmount> mnt) {
  FUNCTION(mnt);
  if (mnt) --mnt->mnt_count;
}

// v4.19 fs/namei.c: path_get
void path_get(const path& path) {
  FUNCTION(path.dentry);
  mntget(path.mnt);
  dget(path.dentry);
}

// v4.19 fs/namei.c: path_put
void path_put(const path& path) {
  FUNCTION(path.dentry);
  dput(path.dentry);
  mntput(path.mnt);
}

// v4.19 fs/namespace.c: kern_mount_data
kptr<vfsmount> kern_mount(kptr<super_block> sb) {
  FUNCTION(sb);
  kptr<vfsmount> mnt = kmem_cache_zalloc(*mnt_cache, GFP_KERNEL);
  if (!mnt) return fn.Return(Fail(ENOMEM, "no memory for a mount"));
  mnt->mnt_sb = sb;
  mnt->mnt_root = dget(sb->s_root);
  return fn.Return(mnt);
}

kptr<vfsmount> clone_mnt(kptr<vfsmount> old, kptr<dentry> root) {
  FUNCTION(old, root);
  kptr<vfsmount> mnt = kmem_cache_zalloc(*mnt_cache, GFP_KERNEL);
  if (!mnt) return fn.Return(Fail(ENOMEM, "no memory for a mount"));
  mnt->mnt_flags = old->mnt_flags;
  mnt->mnt_sb = old->mnt_sb;
  mnt->mnt_root = dget(root);
  return fn.Return(mnt);
}

// v4.19 fs/namespace.c: attach_recursive_mnt. Departs: one namespace of mounts, none is propagated.
int mnt_attach(kptr<vfsmount> mnt, const path& mountpoint) {
  FUNCTION(mnt, mountpoint.dentry);
  if (!S_ISDIR(mountpoint.dentry->d_inode->i_mode)) {
    return fn.Return(Fail(ENOTDIR, "a file system is mounted on directories"));
  }
  if ((mountpoint.dentry->d_flags & DCACHE_MOUNTED) != 0) {
    return fn.Return(Fail(EBUSY, "something is mounted there already"));
  }
  mnt->mnt_parent = mountpoint.mnt;
  mnt->mnt_mountpoint = mountpoint.dentry;
  mountpoint.dentry->d_flags |= DCACHE_MOUNTED;
  mounts->mount_hashtable[mountpoint.dentry.address()] = mnt;
  mounts->in_order.push_back(mnt);
  return fn.Return(0);
}

std::vector<kptr<vfsmount>> AllMounts() { return mounts->in_order; }

// v4.19 fs/namespace.c: lookup_mnt
kptr<vfsmount> lookup_mnt(const path& path) {
  FUNCTION(path.dentry);
  const auto found = mounts->mount_hashtable.find(path.dentry.address());
  if (found == mounts->mount_hashtable.end()) return fn.Return(kptr<vfsmount>());
  return fn.Return(mntget(found->second));
}

// v4.19 fs/namei.c: follow_managed
void follow_managed(path* path) {
  FUNCTION(path->dentry);
  while ((path->dentry->d_flags & DCACHE_MOUNTED) != 0) {
    const kptr<vfsmount> mounted = lookup_mnt(*path);
    if (!mounted) return;
    dput(path->dentry);
    mntput(path->mnt);
    path->mnt = mounted;
    path->dentry = dget(mounted->mnt_root);
  }
}

// v4.19 fs/namei.c: follow_up
bool follow_up(path* path) {
  FUNCTION(path->dentry);
  const kptr<vfsmount> mnt = path->mnt;
  if (!mnt->mnt_parent) return fn.Return(false);
  const kptr<dentry> mountpoint = dget(mnt->mnt_mountpoint);
  dput(path->dentry);
  path->dentry = mountpoint;
  path->mnt = mntget(mnt->mnt_parent);
  mntput(mnt);
  return fn.Return(true);
}

// v4.19 fs/namespace.c: __mnt_is_readonly
bool __mnt_is_readonly(kptr<vfsmount> mnt) {
  FUNCTION(mnt);
  if ((mnt->mnt_flags & MNT_READONLY) != 0) return fn.Return(true);
  return fn.Return((mnt->mnt_sb->s_flags & SB_RDONLY) != 0);
}

// v4.19 fs/namespace.c: __mnt_want_write
int __mnt_want_write(kptr<vfsmount> mnt) {
  FUNCTION(mnt);
  preempt_disable();
  ++mnt->mnt_writers;
  const bool readonly = __mnt_is_readonly(mnt);
  if (readonly) --mnt->mnt_writers;
  preempt_enable();
  if (readonly) return fn.Return(Fail(EROFS, "the mount is read-only"));
  return fn.Return(0);
}

// v4.19 fs/namespace.c: __mnt_drop_write
void __mnt_drop_write(kptr<vfsmount> mnt) {
  FUNCTION(mnt);
  preempt_disable();
  --mnt->mnt_writers;
  preempt_enable();
}

// v4.19 fs/namespace.c: mnt_want_write
int mnt_want_write(kptr<vfsmount> mnt) {
  FUNCTION(mnt);
  sb_start_write(mnt->mnt_sb);
  const int error = __mnt_want_write(mnt);
  if (error != 0) sb_end_write(mnt->mnt_sb);
  return fn.Return(error);
}

// v4.19 fs/namespace.c: mnt_drop_write
void mnt_drop_write(kptr<vfsmount> mnt) {
  FUNCTION(mnt);
  __mnt_drop_write(mnt);
  sb_end_write(mnt->mnt_sb);
}

}  // namespace kpath
