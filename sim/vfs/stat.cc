// SPDX-License-Identifier: Apache-2.0
//
// What a file is: stat and its kin. v4.19 fs/stat.c
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/file.h"
#include "sim/vfs/namei.h"

namespace kpath {
namespace {

// v4.19 arch/x86/include/uapi/asm/stat.h: struct stat of 64-bit programs.
struct stat {
  uint64_t st_dev = 0;
  uint64_t st_ino = 0;
  uint64_t st_nlink = 0;
  uint32_t st_mode = 0;
  uint32_t st_uid = 0;
  uint32_t st_gid = 0;
  uint32_t pad0 = 0;
  uint64_t st_rdev = 0;
  int64_t st_size = 0;
  int64_t st_blksize = 0;
  int64_t st_blocks = 0;
  uint64_t times[6] = {};  // st_atime, st_atime_nsec, then of mtime and ctime
  int64_t unused[3] = {};
};
static_assert(sizeof(stat) == 144);

// v4.19 include/linux/stat.h
struct kstat {
  umode_t mode = 0;
  unsigned nlink = 0;
  int64_t blksize = 0;
  uint64_t ino = 0;
  uint64_t dev = 0;
  uint64_t rdev = 0;
  loff_t size = 0;
  timespec64 atime, mtime, ctime;
  uint64_t blocks = 0;
};

void StoreTime(const timespec64& time, uint64_t* out) {
  out[0] = static_cast<uint64_t>(time.tv_sec);
  out[1] = static_cast<uint64_t>(time.tv_nsec);
}

// v4.19 fs/stat.c: generic_fillattr
void generic_fillattr(kptr<inode> inode, kstat* stat) {
  FUNCTION(inode);
  *stat = {.mode = inode->i_mode,
           .nlink = inode->i_nlink,
           .blksize = int64_t{1} << inode->i_blkbits,
           .ino = inode->i_ino,
           .dev = inode->i_sb->s_dev,
           .rdev = inode->i_rdev,
           .size = i_size_read(inode),
           .atime = inode->i_atime,
           .mtime = inode->i_mtime,
           .ctime = inode->i_ctime,
           .blocks = inode->i_blocks};
}

// v4.19 fs/stat.c: vfs_getattr
int vfs_getattr(const path& path, kstat* stat) {
  FUNCTION(path.dentry);
  generic_fillattr(path.dentry->d_inode, stat);
  return fn.Return(0);
}

// v4.19 fs/stat.c: cp_new_stat
int cp_new_stat(const kstat& stat, user_ptr<struct stat> statbuf) {
  FUNCTION(statbuf);
  struct stat tmp;
  tmp.st_dev = stat.dev;
  tmp.st_ino = stat.ino;
  tmp.st_nlink = stat.nlink;
  tmp.st_mode = stat.mode;
  tmp.st_rdev = stat.rdev;
  tmp.st_size = stat.size;
  tmp.st_blksize = stat.blksize;
  tmp.st_blocks = static_cast<int64_t>(stat.blocks);
  StoreTime(stat.atime, &tmp.times[0]);
  StoreTime(stat.mtime, &tmp.times[2]);
  StoreTime(stat.ctime, &tmp.times[4]);
  return fn.Return(copy_to_user(statbuf, &tmp, sizeof(tmp)) != 0 ? -EFAULT : 0);
}

// v4.19 fs/stat.c: vfs_statx_fd, and what newfstat does with it.
int StatDescriptor(unsigned fd, user_ptr<struct stat> statbuf) {
  const struct fd f = fdget_raw(fd);
  if (!f.file) return FailBadFd(fd);
  kstat stat;
  int error = vfs_getattr(f.file->f_path, &stat);
  if (error == 0) error = cp_new_stat(stat, statbuf);
  fdput(f);
  return error;
}

// v4.19 fs/stat.c: vfs_statx, and what its callers do with it.
int vfs_statx(int dfd, user_ptr<const char> filename, int flags, user_ptr<struct stat> statbuf) {
  FUNCTION(dfd, filename, flags);
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH)) != 0) {
    return fn.Return(Fail(EINVAL, "flags $0 has bits that stat does not know", flags));
  }
  unsigned lookup = LOOKUP_FOLLOW;
  if ((flags & AT_EMPTY_PATH) != 0) lookup |= LOOKUP_EMPTY;
  path path;
  int error = user_path_at(dfd, filename, lookup, &path);
  if (error != 0) return fn.Return(error);
  kstat stat;
  error = vfs_getattr(path, &stat);
  if (error == 0) error = cp_new_stat(stat, statbuf);
  path_put(path);
  return fn.Return(error);
}

}  // namespace

// v4.19 fs/stat.c
SYSCALL_DEFINE2(newfstat, unsigned, fd, user_ptr<struct stat>, statbuf) {
  return StatDescriptor(fd, statbuf);
}
SYSCALL_DEFINE2(newstat, user_ptr<const char>, filename, user_ptr<struct stat>, statbuf) {
  return vfs_statx(AT_FDCWD, filename, AT_NO_AUTOMOUNT, statbuf);
}
SYSCALL_DEFINE2(newlstat, user_ptr<const char>, filename, user_ptr<struct stat>, statbuf) {
  return vfs_statx(AT_FDCWD, filename, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, statbuf);
}
SYSCALL_DEFINE4(newfstatat, int, dfd, user_ptr<const char>, filename, user_ptr<struct stat>,
                statbuf, int, flag) {
  return vfs_statx(dfd, filename, flag | AT_NO_AUTOMOUNT, statbuf);
}

}  // namespace kpath
