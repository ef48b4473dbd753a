// SPDX-License-Identifier: Apache-2.0
//
// When a file was read, written and changed.
#include "sim/kernel/timekeeping.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

constexpr int64_t kSecondsPerDay = 24 * 60 * 60;

// v4.19 fs/inode.c: relatime_need_update
bool relatime_need_update(kptr<vfsmount> mnt, kptr<inode> inode, timespec64 now) {
  FUNCTION(inode);
  if ((mnt->mnt_flags & MNT_RELATIME) == 0) return fn.Return(true);
  if (inode->i_mtime >= inode->i_atime) return fn.Return(true);
  if (inode->i_ctime >= inode->i_atime) return fn.Return(true);
  return fn.Return(now.tv_sec - inode->i_atime.tv_sec >= kSecondsPerDay);
}

// v4.19 fs/inode.c: update_time
int update_time(kptr<inode> inode, timespec64 time, int flags) {
  FUNCTION(inode, flags);
  const auto method = inode->i_op->update_time;
  return fn.Return((method != nullptr ? method : generic_update_time)(inode, time, flags));
}

// v4.19 fs/namespace.c: __mnt_want_write_file
int __mnt_want_write_file(kptr<file> file) {
  FUNCTION(file);
  return fn.Return(__mnt_want_write(file->f_path.mnt));
}

bool FileSystemKeepsNoAccessTimes(const path& path, kptr<inode> inode) {
  const bool directory = S_ISDIR(inode->i_mode);
  if ((inode->i_flags & S_NOATIME) != 0) return true;
  if ((inode->i_sb->s_flags & (SB_RDONLY | SB_NOATIME)) != 0) return true;
  if ((inode->i_sb->s_flags & SB_NODIRATIME) != 0 && directory) return true;
  if ((path.mnt->mnt_flags & MNT_NOATIME) != 0) return true;
  return (path.mnt->mnt_flags & MNT_NODIRATIME) != 0 && directory;
}

// v4.19 fs/inode.c: dentry_needs_remove_privs
int dentry_needs_remove_privs(kptr<dentry> dentry) {
  FUNCTION(dentry);
  return fn.Return(should_remove_suid(dentry->d_inode));
}

// v4.19 include/linux/fs.h: inode_has_no_xattr
void inode_has_no_xattr(kptr<inode> inode) {
  const bool can_have_suid = (inode->i_mode & (S_ISUID | S_ISGID)) != 0;
  if (!can_have_suid && (inode->i_sb->s_flags & SB_NOSEC) != 0) inode->i_flags |= S_NOSEC;
}

}  // namespace

// v4.19 kernel/time/time.c: timespec64_trunc
timespec64 timespec64_trunc(timespec64 time, unsigned granularity) {
  FUNCTION(granularity);
  if (granularity == 1) return time;
  if (granularity == NSEC_PER_SEC) return {.tv_sec = time.tv_sec, .tv_nsec = 0};
  time.tv_nsec -= time.tv_nsec % static_cast<long>(granularity);
  return time;
}

// v4.19 fs/inode.c: current_time
timespec64 current_time(kptr<inode> inode) {
  FUNCTION(inode);
  timespec64 now;
  ktime_get_coarse_real_ts64(&now);
  return timespec64_trunc(now, inode->i_sb->s_time_gran);
}

// v4.19 fs/inode.c: atime_needs_update
bool atime_needs_update(const path& path, kptr<inode> inode) {
  FUNCTION(inode);
  if (FileSystemKeepsNoAccessTimes(path, inode)) return fn.Return(false);
  const timespec64 now = current_time(inode);
  if (!relatime_need_update(path.mnt, inode, now)) return fn.Return(false);
  return fn.Return(inode->i_atime != now);
}

// v4.19 fs/inode.c: touch_atime
void touch_atime(const path& path) {
  FUNCTION(path.dentry);
  kptr<inode> inode = path.dentry->d_inode;
  if (!atime_needs_update(path, inode)) return;
  if (sb_start_write_trylock(inode->i_sb) == 0) return;
  if (__mnt_want_write(path.mnt) == 0) {
    const timespec64 now = current_time(inode);
    update_time(inode, now, S_ATIME);
    __mnt_drop_write(path.mnt);
  }
  sb_end_write(inode->i_sb);
}

// v4.19 include/linux/fs.h: file_accessed
void file_accessed(kptr<file> file) {
  if ((file->f_flags & O_NOATIME) == 0) touch_atime(file->f_path);
}

// v4.19 fs/inode.c: file_update_time
int file_update_time(kptr<file> file) {
  FUNCTION(file);
  kptr<inode> inode = file_inode(file);
  if ((inode->i_flags & S_NOCMTIME) != 0) return fn.Return(0);
  const timespec64 now = current_time(inode);
  int changed = 0;
  if (inode->i_mtime != now) changed |= S_MTIME;
  if (inode->i_ctime != now) changed |= S_CTIME;
  if (changed == 0) return fn.Return(0);
  if (__mnt_want_write_file(file) != 0) return fn.Return(0);
  const int error = update_time(inode, now, changed);
  __mnt_drop_write(file->f_path.mnt);
  return fn.Return(error);
}

// v4.19 fs/inode.c: generic_update_time
int generic_update_time(kptr<inode> inode, timespec64 time, int flags) {
  FUNCTION(inode, flags);
  if ((flags & S_ATIME) != 0) inode->i_atime = time;
  if ((flags & S_CTIME) != 0) inode->i_ctime = time;
  if ((flags & S_MTIME) != 0) inode->i_mtime = time;
  __mark_inode_dirty(inode, I_DIRTY_TIME | I_DIRTY_SYNC);
  return fn.Return(0);
}

// v4.19 fs/fs-writeback.c: __mark_inode_dirty. Departs: no lists of dirty inodes: none of our file
// systems writes anything back.
void __mark_inode_dirty(kptr<inode> inode, int flags) {
  FUNCTION(inode, flags);
  unsigned dirty = static_cast<unsigned>(flags);
  const super_operations* op = inode->i_sb->s_op;
  if ((dirty & (I_DIRTY_INODE | I_DIRTY_TIME)) != 0 && op != nullptr &&
      op->dirty_inode != nullptr) {
    op->dirty_inode(inode, flags);
  }
  if ((dirty & I_DIRTY_INODE) != 0) dirty &= ~I_DIRTY_TIME;
  if ((inode->i_state & dirty) == dirty) return;
  spin_lock(&inode->i_lock);
  if ((dirty & I_DIRTY_INODE) != 0) inode->i_state &= ~I_DIRTY_TIME;
  inode->i_state |= dirty;
  spin_unlock(&inode->i_lock);
}

// v4.19 fs/inode.c: should_remove_suid. Departs: every task is root, whose CAP_FSETID keeps the
// bits.
int should_remove_suid(kptr<inode> inode) {
  FUNCTION(inode);
  return fn.Return(0);
}

// v4.19 fs/inode.c: file_remove_privs
int file_remove_privs(kptr<file> file) {
  FUNCTION(file);
  kptr<inode> inode = file_inode(file);
  if ((inode->i_flags & S_NOSEC) != 0 || !S_ISREG(inode->i_mode)) return fn.Return(0);
  const int kill = dentry_needs_remove_privs(file_dentry(file));
  if (kill == 0) inode_has_no_xattr(inode);
  return fn.Return(kill);
}

}  // namespace kpath
