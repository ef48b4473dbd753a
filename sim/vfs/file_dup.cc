// SPDX-License-Identifier: Apache-2.0
//
// Second descriptors for an open file: dup, dup2, dup3, and closing. v4.19 fs/file.c, fs/open.c
#include "sim/kernel/report.h"
#include "sim/kernel/resource.h"
#include "sim/kernel/syscalls.h"
#include "sim/vfs/fdtable.h"
#include "sim/vfs/file_table.h"

namespace kpath {
namespace {

Error FailNotOpen(unsigned fd) { return Fail(EBADF, "fd $0 is not open", static_cast<int>(fd)); }

// v4.19 fs/file.c: do_dup2. Called with file_lock held, returns without.
int do_dup2(kptr<files_struct> files, kptr<file> file, unsigned fd, unsigned flags) {
  FUNCTION(files, file, fd, flags);
  kptr<fdtable> fdt = files_fdtable(files);
  kptr<struct file> tofree = fdt->fd[fd];
  if (!tofree && fd_is_open(fd, fdt)) {
    spin_unlock(&files->file_lock);
    return fn.Return(Fail(EBUSY, "fd $0 is reserved by an open that is under way", fd));
  }
  fdt->fd[fd] = get_file(file);
  __set_open_fd(fd, fdt);
  fdt->close_on_exec[fd] = (flags & O_CLOEXEC) != 0;
  STEP("fd table slot set", fd, file);
  spin_unlock(&files->file_lock);
  if (tofree) filp_close(tofree, files);
  return fn.Return(static_cast<int>(fd));
}

}  // namespace

// v4.19 fs/open.c: filp_close
int filp_close(kptr<file> filp, kptr<files_struct> id) {
  FUNCTION(filp);
  if (file_count(filp) == 0) Report("VFS: Close: file count is 0");
  int result = 0;
  if (filp->f_op->flush != nullptr) result = filp->f_op->flush(filp, id.get());
  fput(filp);
  return fn.Return(result);
}

// v4.19 fs/file.c: ksys_dup3
int ksys_dup3(unsigned oldfd, unsigned newfd, unsigned flags) {
  FUNCTION(oldfd, newfd, flags);
  kptr<files_struct> files = current->files;
  if ((flags & ~O_CLOEXEC) != 0) {
    return fn.Return(Fail(EINVAL, "flags $0 has bits other than O_CLOEXEC", flags));
  }
  if (oldfd == newfd) return fn.Return(Fail(EINVAL, "both descriptors are $0", oldfd));
  if (newfd >= rlimit(RLIMIT_NOFILE)) {
    return fn.Return(Fail(EBADF, "fd $0 is not below RLIMIT_NOFILE=$1", static_cast<int>(newfd),
                          rlimit(RLIMIT_NOFILE)));
  }
  spin_lock(&files->file_lock);
  const int expanded = expand_files(files, newfd);
  kptr<file> file = fcheck_files(files, oldfd);
  if (!file) {
    spin_unlock(&files->file_lock);
    return fn.Return(FailNotOpen(oldfd));
  }
  if (expanded < 0) {
    spin_unlock(&files->file_lock);
    return fn.Return(expanded == -EMFILE ? -EBADF : expanded);
  }
  return fn.Return(do_dup2(files, file, newfd, flags));
}

// v4.19 fs/file.c: ksys_dup
int ksys_dup(unsigned fildes) {
  FUNCTION(fildes);
  kptr<file> file = fget_raw(fildes);
  if (!file) return fn.Return(FailNotOpen(fildes));
  const int fd = get_unused_fd_flags(0);
  if (fd < 0) {
    fput(file);
  } else {
    fd_install(static_cast<unsigned>(fd), file);
  }
  return fn.Return(fd);
}

// v4.19 fs/file.c: f_dupfd
int f_dupfd(unsigned from, kptr<file> file, unsigned flags) {
  FUNCTION(from, file, flags);
  const unsigned limit = rlimit(RLIMIT_NOFILE);
  if (from >= limit) {
    return fn.Return(Fail(EINVAL, "fd $0 is not below RLIMIT_NOFILE=$1", from, limit));
  }
  const int fd = alloc_fd(from, flags);
  if (fd >= 0) fd_install(static_cast<unsigned>(fd), get_file(file));
  return fn.Return(fd);
}

int InstallAt(unsigned fd, kptr<file> file, unsigned flags) {
  kptr<files_struct> files = current->files;
  if (fd >= rlimit(RLIMIT_NOFILE)) return FailNotOpen(fd);
  spin_lock(&files->file_lock);
  const int expanded = expand_files(files, fd);
  if (expanded < 0) {
    spin_unlock(&files->file_lock);
    return expanded;
  }
  const int result = do_dup2(files, file, fd, flags);
  if (result >= 0) fput(file);  // do_dup2 has taken one of its own
  return result;
}

// v4.19 fs/file.c
SYSCALL_DEFINE3(dup3, unsigned, oldfd, unsigned, newfd, int, flags) {
  return ksys_dup3(oldfd, newfd, static_cast<unsigned>(flags));
}

// v4.19 fs/file.c
SYSCALL_DEFINE2(dup2, unsigned, oldfd, unsigned, newfd) {
  if (newfd != oldfd) return ksys_dup3(oldfd, newfd, 0);
  rcu_read_lock();
  const bool open = static_cast<bool>(fcheck_files(current->files, oldfd));
  rcu_read_unlock();
  if (!open) return FailNotOpen(oldfd);
  return static_cast<long>(oldfd);
}

// v4.19 fs/file.c
SYSCALL_DEFINE1(dup, unsigned, fildes) { return ksys_dup(fildes); }

// v4.19 fs/open.c
SYSCALL_DEFINE1(close, unsigned, fd) {
  const int result = __close_fd(current->files, fd);
  // The descriptor is gone whatever flush said: the call must not be started again.
  const bool restart = result == -ERESTARTSYS || result == -ERESTARTNOINTR ||
                       result == -ERESTARTNOHAND || result == -ERESTART_RESTARTBLOCK;
  return restart ? -EINTR : result;
}

}  // namespace kpath
