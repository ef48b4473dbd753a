// SPDX-License-Identifier: Apache-2.0
//
// From names to dentries. v4.19 fs/namei.c
//
// Departs: no symbolic links, no mounts below the root, no RCU walk: each step holds the dentry it
// stands on. Every task is root; of permissions only MAY_EXEC on a file matters then.
//
// Context: process.
#pragma once

#include <string>

#include "sim/kernel/user_ptr.h"
#include "sim/vfs/fs.h"

namespace kpath {

inline constexpr size_t PATH_MAX_LENGTH = 4096;  // with the NUL
inline constexpr size_t NAME_MAX_LENGTH = 255;   // of one component

// inode_permission's mask
inline constexpr int MAY_EXEC = 0x01;
inline constexpr int MAY_WRITE = 0x02;
inline constexpr int MAY_READ = 0x04;
inline constexpr int MAY_APPEND = 0x08;
inline constexpr int MAY_ACCESS = 0x10;
inline constexpr int MAY_OPEN = 0x20;
inline constexpr int MAY_CHDIR = 0x40;

inline constexpr unsigned LOOKUP_FOLLOW = 0x0001;
inline constexpr unsigned LOOKUP_DIRECTORY = 0x0002;
inline constexpr unsigned LOOKUP_PARENT = 0x0010;
inline constexpr unsigned LOOKUP_EMPTY = 0x4000;

// A name that was copied from user mode. v4.19 include/linux/fs.h
struct filename {
  static constexpr const char* kSlabName = "names_cache";
  std::string name;
};

// v4.19 fs/namei.c: getname_flags. An error pointer:
//   -EFAULT        the name cannot be read
//   -ENAMETOOLONG  no NUL within 4096 bytes
//   -ENOENT        it is empty, and `flags` has no LOOKUP_EMPTY
//   -ENOMEM
kptr<filename> getname_flags(user_ptr<const char> user_name, unsigned flags);
inline kptr<filename> getname(user_ptr<const char> user_name) {
  return getname_flags(user_name, 0);
}
kptr<filename> getname_kernel(const std::string& name);
void putname(kptr<filename> name);

enum last_type { LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT };

// A walk. v4.19 fs/namei.c
struct nameidata {
  struct path path;  // where it stands; held
  std::string last;  // the component that is not walked yet
  last_type type = LAST_ROOT;
  bool slash_after = false;  // slashes follow the last component
  unsigned flags = 0;        // LOOKUP_*
  int components = 0;        // seen so far
};

// v4.19 fs/namei.c: path_init. Stands at the root, at the current directory (dfd AT_FDCWD), or at
// the directory that `dfd` is. -EBADF, -ENOTDIR.
int path_init(nameidata* nd, int dfd, const std::string& name);
// Walks all components but the last one, which it leaves in nd->last. On an error the path is put.
int link_path_walk(const std::string& name, nameidata* nd);
// Walks nd->last. Does not put the path on an error.
int walk_component(nameidata* nd);
void terminate_walk(nameidata* nd);
// The entry `name` of the directory, with a reference; null if there is none.
kptr<dentry> d_lookup(kptr<dentry> parent, const std::string& name);

// v4.19 fs/namei.c: filename_lookup. Finds what the whole name stands for; *path is the caller's to
// put. Consumes `name`. -ENOENT, -ENOTDIR, -ENAMETOOLONG, -EBADF.
int filename_lookup(int dfd, kptr<filename> name, unsigned flags, path* path);
int user_path_at(int dfd, user_ptr<const char> name, unsigned flags, path* path);
int kern_path(const std::string& name, unsigned flags, path* path);

// v4.19 fs/namei.c: inode_permission. 0, -EACCES, -EROFS or -EPERM.
int inode_permission(kptr<inode> inode, int mask);
// v4.19 fs/namei.c: may_create. 0, or why nothing can be made in the directory: -ENOENT, …
int may_create(kptr<inode> dir);

inline bool d_is_dir(kptr<dentry> dentry) {
  return (dentry->d_flags & DCACHE_ENTRY_TYPE) == DCACHE_DIRECTORY_TYPE;
}
inline bool d_is_reg(kptr<dentry> dentry) {
  return (dentry->d_flags & DCACHE_ENTRY_TYPE) == DCACHE_REGULAR_TYPE;
}

// ---- Opening; namei_open.cc ----
struct open_flags {
  unsigned open_flag = 0;
  umode_t mode = 0;
  int acc_mode = 0;           // MAY_*
  unsigned lookup_flags = 0;  // LOOKUP_*
};
// v4.19 fs/namei.c: do_filp_open. An error pointer: why not. Does not consume `name`.
kptr<file> do_filp_open(int dfd, kptr<filename> name, const open_flags& op);

// ---- Changing directories; namei_change.cc ----
long do_mkdirat(int dfd, user_ptr<const char> pathname, umode_t mode);
long do_rmdir(int dfd, user_ptr<const char> pathname);
long do_unlinkat(int dfd, kptr<filename> name);
// For those who set a machine up. 0 or a negative errno; -EEXIST if it is there already.
int kern_mkdir(const std::string& pathname, umode_t mode);

}  // namespace kpath
