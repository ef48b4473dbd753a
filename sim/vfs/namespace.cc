// SPDX-License-Identifier: Apache-2.0
//
// Mounts. v4.19 fs/namespace.c
#include "sim/kernel/sched.h"
#include "sim/vfs/dcache.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

KernelGlobal<kmem_cache<vfsmount>> mnt_cache;

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
