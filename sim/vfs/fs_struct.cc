// SPDX-License-Identifier: Apache-2.0
//
// The current directory and the umask of a process. v4.19 fs/fs_struct.c, fs/open.c, fs/d_path.c
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/file.h"
#include "sim/vfs/namei.h"

namespace kpath {
namespace {

// v4.19 fs/fs_struct.c: set_fs_pwd
void set_fs_pwd(const path& path) {
  FUNCTION(path.dentry);
  path_get(path);
  const struct path old = current->files->fs.pwd;
  current->files->fs.pwd = path;
  path_put(old);
}

int ChangeTo(const path& path) {
  if (!d_is_dir(path.dentry)) return Fail(ENOTDIR, "it is not a directory");
  const int error = inode_permission(path.dentry->d_inode, MAY_EXEC | MAY_CHDIR);
  if (error == 0) set_fs_pwd(path);
  return error;
}

}  // namespace

// v4.19 fs/open.c
SYSCALL_DEFINE1(chdir, user_ptr<const char>, filename) {
  path path;
  int error = user_path_at(AT_FDCWD, filename, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);
  if (error != 0) return error;
  error = ChangeTo(path);
  path_put(path);
  return error;
}
SYSCALL_DEFINE1(fchdir, unsigned, fd) {
  const struct fd f = fdget_raw(fd);
  if (!f.file) return FailBadFd(fd);
  const int error = ChangeTo(f.file->f_path);
  fdput(f);
  return error;
}

// v4.19 fs/d_path.c. Returns the length with the NUL.
SYSCALL_DEFINE2(getcwd, user_ptr<char>, buf, unsigned long, size) {
  const path& pwd = current->files->fs.pwd;
  if ((pwd.dentry->d_inode->i_flags & S_DEAD) != 0) {
    return Fail(ENOENT, "the current directory has been removed");
  }
  const std::string text = d_path(pwd);
  const unsigned long length = text.size() + 1;
  if (length > size) {
    return Fail(ERANGE, "the name takes $0 bytes, the buffer has $1", length, size);
  }
  if (copy_to_user(buf, text.c_str(), length) != 0) return -EFAULT;
  return static_cast<long>(length);
}

// v4.19 kernel/sys.c
SYSCALL_DEFINE1(umask, int, mask) {
  const umode_t old = current->files->fs.umask;
  current->files->fs.umask = static_cast<umode_t>(mask) & S_IRWXUGO;
  return long{old};
}

}  // namespace kpath
