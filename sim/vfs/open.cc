// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/open.h"

#include "sim/kernel/syscalls.h"
#include "sim/vfs/file.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/namei.h"
#include "sim/vfs/super.h"

namespace kpath {
namespace {

// The operations of a file opened O_PATH.
constexpr file_operations empty_fops = {.name = "empty_fops"};

bool special_file(umode_t mode) {
  return S_ISCHR(mode) || S_ISBLK(mode) || S_ISFIFO(mode) || (mode & S_IFMT) == S_IFSOCK;
}

// v4.19 include/linux/fs.h: ACC_MODE
int AccessMode(unsigned flags) {
  const fmode_t mode = OPEN_FMODE(flags);
  return ((mode & FMODE_READ) != 0 ? MAY_READ : 0) | ((mode & FMODE_WRITE) != 0 ? MAY_WRITE : 0);
}

// v4.19 fs/open.c: build_open_flags
int build_open_flags(unsigned flags, umode_t mode, open_flags* op) {
  FUNCTION(flags, mode);
  flags &= VALID_OPEN_FLAGS;
  if ((flags & (O_CREAT | __O_TMPFILE)) != 0) op->mode = (mode & S_IALLUGO) | S_IFREG;
  flags &= ~O_CLOEXEC;
  if ((flags & KERNEL_O_SYNC) != 0) flags |= O_DSYNC;
  op->acc_mode = AccessMode(flags);
  if ((flags & __O_TMPFILE) != 0) {
    if ((flags & (O_TMPFILE | O_CREAT)) != O_TMPFILE) {
      return fn.Return(Fail(EINVAL, "O_TMPFILE needs O_DIRECTORY and no O_CREAT"));
    }
    if ((op->acc_mode & MAY_WRITE) == 0) {
      return fn.Return(Fail(EINVAL, "O_TMPFILE without write access"));
    }
    // Departs: tmpfs has nameless files in Linux.
    return fn.Return(Fail(EOPNOTSUPP, "O_TMPFILE is not modelled"));
  }
  if ((flags & O_PATH) != 0) {
    flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH;
    op->acc_mode = 0;
  }
  op->open_flag = flags;
  if ((flags & O_TRUNC) != 0) op->acc_mode |= MAY_WRITE;
  if ((flags & O_APPEND) != 0) op->acc_mode |= MAY_APPEND;
  if ((flags & O_DIRECTORY) != 0) op->lookup_flags |= LOOKUP_DIRECTORY;
  if ((flags & O_NOFOLLOW) == 0) op->lookup_flags |= LOOKUP_FOLLOW;
  return fn.Return(0);
}

// Counts the file as a writer of its inode and of its mount.
int BecomeWriter(kptr<file> f) {
  int error = get_write_access(f->f_inode);
  if (error != 0) return error;
  error = __mnt_want_write(f->f_path.mnt);
  if (error != 0) {
    put_write_access(f->f_inode);
    return error;
  }
  f->f_mode |= FMODE_WRITER;
  return 0;
}

void StopBeingWriter(kptr<file> f) {
  if ((f->f_mode & FMODE_WRITER) == 0) return;
  put_write_access(f->f_inode);
  __mnt_drop_write(f->f_path.mnt);
}

// v4.19 fs/open.c: do_dentry_open, between the references and their release on an error.
int OpenInode(kptr<file> f, kptr<inode> inode) {
  if ((f->f_mode & FMODE_WRITE) != 0 && !special_file(inode->i_mode)) {
    const int error = BecomeWriter(f);
    if (error != 0) return error;
  }
  if (S_ISREG(inode->i_mode) || S_ISDIR(inode->i_mode)) f->f_mode |= FMODE_ATOMIC_POS;
  f->f_op = inode->i_fop;
  // An open method may take them away.
  f->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
  if (f->f_op->open != nullptr) {
    const int error = f->f_op->open(inode, f);
    if (error != 0) return error;
  }
  return 0;
}

// v4.19 fs/open.c: do_dentry_open
int do_dentry_open(kptr<file> f, kptr<inode> inode) {
  FUNCTION(f, inode);
  path_get(f->f_path);
  f->f_inode = inode;
  f->f_mapping = inode->i_mapping;
  f->f_wb_err = errseq_sample(f->f_mapping->wb_err);  // filemap_sample_wb_err
  if ((f->f_flags & O_PATH) != 0) {
    f->f_mode = FMODE_PATH | FMODE_OPENED;
    f->f_op = &empty_fops;
    return fn.Return(0);
  }
  const int error = OpenInode(f, inode);
  if (error != 0) {
    StopBeingWriter(f);
    path_put(f->f_path);
    f->f_path = {};
    f->f_inode = nullptr;
    return fn.Return(error);
  }
  f->f_mode |= FMODE_OPENED;
  const file_operations& op = *f->f_op;
  const bool can_read = op.read != nullptr || op.read_iter != nullptr;
  const bool can_write = op.write != nullptr || op.write_iter != nullptr;
  if ((f->f_mode & FMODE_READ) != 0 && can_read) f->f_mode |= FMODE_CAN_READ;
  if ((f->f_mode & FMODE_WRITE) != 0 && can_write) f->f_mode |= FMODE_CAN_WRITE;
  f->f_flags &= ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC);
  f->f_ra.ra_pages = VM_MAX_READAHEAD_PAGES;  // file_ra_state_init
  const address_space_operations* a_ops = f->f_mapping->a_ops;
  if ((f->f_flags & O_DIRECT) != 0 && (a_ops == nullptr || a_ops->direct_IO == nullptr)) {
    return fn.Return(Fail(EINVAL, "the file system has no direct I/O"));
  }
  return fn.Return(0);
}

long TruncateInode(kptr<file> file, loff_t length) {
  kptr<inode> inode = file_inode(file);
  if (!S_ISREG(inode->i_mode)) return Fail(EINVAL, "the file is not a regular one");
  if ((file->f_mode & FMODE_WRITE) == 0) return Fail(EINVAL, "the file is not open for writing");
  if ((inode->i_flags & S_APPEND) != 0) return Fail(EPERM, "the file is append-only");
  sb_start_write(inode->i_sb);
  const int error = do_truncate(file_dentry(file), length, ATTR_MTIME | ATTR_CTIME, file);
  sb_end_write(inode->i_sb);
  return error;
}

// v4.19 fs/open.c: do_sys_ftruncate
long do_sys_ftruncate(unsigned fd, loff_t length) {
  FUNCTION(fd, length);
  if (length < 0) return fn.Return(Fail(EINVAL, "length $0 is negative", length));
  const struct fd f = fdget(fd);
  if (!f.file) return fn.Return(FailBadFd(fd));
  const long error = TruncateInode(f.file, length);
  fdput(f);
  return fn.Return(error);
}

// v4.19 fs/open.c: vfs_truncate
long vfs_truncate(const path& path, loff_t length) {
  FUNCTION(path.dentry, length);
  kptr<inode> inode = path.dentry->d_inode;
  if (S_ISDIR(inode->i_mode)) return fn.Return(Fail(EISDIR, "a directory cannot be truncated"));
  if (!S_ISREG(inode->i_mode)) return fn.Return(Fail(EINVAL, "the file is not a regular one"));
  int error = mnt_want_write(path.mnt);
  if (error != 0) return fn.Return(error);
  error = inode_permission(inode, MAY_WRITE);
  if (error == 0) error = get_write_access(inode);
  if (error == 0) {
    error = do_truncate(path.dentry, length, 0, nullptr);
    put_write_access(inode);
  }
  mnt_drop_write(path.mnt);
  return fn.Return(error);
}

// v4.19 fs/open.c: do_sys_truncate
long do_sys_truncate(user_ptr<const char> pathname, loff_t length) {
  FUNCTION(pathname, length);
  if (length < 0) return fn.Return(Fail(EINVAL, "length $0 is negative", length));
  path path;
  const int found = user_path_at(AT_FDCWD, pathname, LOOKUP_FOLLOW, &path);
  if (found != 0) return fn.Return(found);
  const long error = vfs_truncate(path, length);
  path_put(path);
  return fn.Return(error);
}

// v4.19 fs/open.c: do_faccessat
long do_faccessat(int dfd, user_ptr<const char> filename, int mode) {
  FUNCTION(dfd, filename, mode);
  if ((mode & ~(MAY_READ | MAY_WRITE | MAY_EXEC)) != 0) {
    return fn.Return(Fail(EINVAL, "mode $0 has bits outside of 7", mode));
  }
  path path;
  const int found = user_path_at(dfd, filename, LOOKUP_FOLLOW, &path);
  if (found != 0) return fn.Return(found);
  const int error = inode_permission(path.dentry->d_inode, mode | MAY_ACCESS);
  path_put(path);
  return fn.Return(error);
}

}  // namespace

// v4.19 fs/open.c: vfs_open
int vfs_open(const path& path, kptr<file> file) {
  FUNCTION(path.dentry, file);
  file->f_path = path;
  return fn.Return(do_dentry_open(file, path.dentry->d_inode));
}

// v4.19 fs/open.c: filp_open
kptr<file> filp_open(const std::string& filename, unsigned flags, umode_t mode) {
  FUNCTION(flags, mode);
  open_flags op;
  const int error = build_open_flags(flags, mode, &op);
  if (error != 0) return fn.Return(Error(-error));
  kptr<struct filename> name = getname_kernel(filename);
  if (IS_ERR(name)) return fn.Return(PTR_ERR(name));
  kptr<file> file = do_filp_open(AT_FDCWD, name, op);
  putname(name);
  return fn.Return(file);
}

// v4.19 fs/open.c: do_sys_open
long do_sys_open(int dfd, user_ptr<const char> filename, unsigned flags, umode_t mode) {
  FUNCTION(dfd, filename, flags, mode);
  open_flags op;
  const int error = build_open_flags(flags, mode, &op);
  if (error != 0) return fn.Return(error);
  kptr<struct filename> name = getname(filename);
  if (IS_ERR(name)) return fn.Return(PTR_ERR(name));
  int fd = get_unused_fd_flags(flags);
  if (fd >= 0) {
    kptr<file> file = do_filp_open(dfd, name, op);
    if (IS_ERR(file)) {
      put_unused_fd(static_cast<unsigned>(fd));
      fd = PTR_ERR(file);
    } else {
      fd_install(static_cast<unsigned>(fd), file);
    }
  }
  putname(name);
  return fn.Return(fd);
}

// v4.19 fs/open.c: do_truncate
int do_truncate(kptr<dentry> dentry, loff_t length, unsigned time_attrs, kptr<file> filp) {
  FUNCTION(dentry, length);
  if (length < 0) return fn.Return(Fail(EINVAL, "length $0 is negative", length));
  iattr attr;
  attr.ia_valid = ATTR_SIZE | time_attrs;
  attr.ia_size = length;
  if (filp) {
    attr.ia_file = filp;
    attr.ia_valid |= ATTR_FILE;
  }
  kptr<inode> inode = dentry->d_inode;
  inode_lock(inode);
  const int error = notify_change(dentry, attr);
  inode_unlock(inode);
  return fn.Return(error);
}

// v4.19 fs/open.c
SYSCALL_DEFINE3(open, user_ptr<const char>, filename, int, flags, umode_t, mode) {
  return do_sys_open(AT_FDCWD, filename, static_cast<unsigned>(flags) | O_LARGEFILE, mode);
}
SYSCALL_DEFINE4(openat, int, dfd, user_ptr<const char>, filename, int, flags, umode_t, mode) {
  return do_sys_open(dfd, filename, static_cast<unsigned>(flags) | O_LARGEFILE, mode);
}
// v4.19 fs/open.c: creat is open, without O_LARGEFILE.
SYSCALL_DEFINE2(creat, user_ptr<const char>, pathname, umode_t, mode) {
  return do_sys_open(AT_FDCWD, pathname, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
SYSCALL_DEFINE2(ftruncate, unsigned, fd, unsigned long, length) {
  return do_sys_ftruncate(fd, static_cast<loff_t>(length));
}
SYSCALL_DEFINE2(truncate, user_ptr<const char>, path, long, length) {
  return do_sys_truncate(path, length);
}
SYSCALL_DEFINE3(faccessat, int, dfd, user_ptr<const char>, filename, int, mode) {
  return do_faccessat(dfd, filename, mode);
}
SYSCALL_DEFINE2(access, user_ptr<const char>, filename, int, mode) {
  return do_faccessat(AT_FDCWD, filename, mode);
}

}  // namespace kpath
