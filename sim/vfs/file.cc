// SPDX-License-Identifier: Apache-2.0
//
// Reserving descriptors and looking them up. v4.19 fs/file.c
#include "sim/vfs/file.h"

#include <algorithm>

#include "sim/kernel/report.h"
#include "sim/kernel/resource.h"
#include "sim/vfs/fdtable.h"
#include "sim/vfs/file_table.h"

namespace kpath {
namespace {

// v4.19 fs/file.c: find_next_fd. The lowest descriptor from `start` on that is not open; the
// table's size if all are.
unsigned find_next_fd(kptr<fdtable> fdt, unsigned start) {
  const auto found = std::find(fdt->open_fds.begin() + start, fdt->open_fds.end(), false);
  return static_cast<unsigned>(found - fdt->open_fds.begin());
}

Error FailTooManyFiles(unsigned fd, unsigned end) {
  return Fail(EMFILE, "the lowest free fd would be $0, RLIMIT_NOFILE is $1", fd, end);
}

// v4.19 fs/file.c: __alloc_fd. A descriptor in start … end - 1.
int __alloc_fd(kptr<files_struct> files, unsigned start, unsigned end, unsigned flags) {
  FUNCTION(files, start, end, flags);
  spin_lock(&files->file_lock);
  unsigned fd;
  int expanded;
  do {
    kptr<fdtable> fdt = files_fdtable(files);
    fd = std::max(start, files->next_fd);
    if (fd < fdt->max_fds()) fd = find_next_fd(fdt, fd);
    if (fd >= end) {
      spin_unlock(&files->file_lock);
      return fn.Return(FailTooManyFiles(fd, end));
    }
    expanded = expand_files(files, fd);
  } while (expanded > 0);
  if (expanded < 0) {
    spin_unlock(&files->file_lock);
    return fn.Return(expanded);
  }
  if (start <= files->next_fd) files->next_fd = fd + 1;
  kptr<fdtable> fdt = files_fdtable(files);
  __set_open_fd(fd, fdt);
  fdt->close_on_exec[fd] = (flags & O_CLOEXEC) != 0;
  STEP("reserved", fd);
  spin_unlock(&files->file_lock);
  return fn.Return(static_cast<int>(fd));
}

// v4.19 fs/file.c: __put_unused_fd. REQUIRES: file_lock held.
void __put_unused_fd(kptr<files_struct> files, unsigned fd) {
  __clear_open_fd(fd, files_fdtable(files));
  files->next_fd = std::min(files->next_fd, fd);
}

// v4.19 fs/file.c: __fget. Null: not open, or its mode has a bit of `mask`.
kptr<file> __fget(unsigned fd, fmode_t mask, long refs) {
  FUNCTION(fd, mask);
  rcu_read_lock();
  kptr<file> file;
  while (true) {
    file = fcheck_files(current->files, fd);
    if (!file) break;
    if ((file->f_mode & mask) != 0) {
      file = nullptr;
      break;
    }
    // The last reference may just have been put: then the table is about to change, too.
    if (get_file_rcu_many(file, refs)) break;
  }
  rcu_read_unlock();
  return fn.Return(file);
}

// v4.19 fs/file.c: __fget_light. Who shares the table with nobody needs no reference.
struct fd __fget_light(unsigned fd, fmode_t mask) {
  FUNCTION(fd, mask);
  kptr<files_struct> files = current->files;
  if (files->count == 1) {
    kptr<file> file = fcheck_files(files, fd);
    if (!file || (file->f_mode & mask) != 0) return {};
    return {.file = file};
  }
  kptr<file> file = __fget(fd, mask, 1);
  if (!file) return {};
  return {.file = file, .flags = FDPUT_FPUT};
}

// v4.19 fs/file.c: __fdget
struct fd __fdget(unsigned fd) {
  FUNCTION(fd);
  return __fget_light(fd, FMODE_PATH);
}

// v4.19 fs/file.c: __fdget_raw
struct fd __fdget_raw(unsigned fd) {
  FUNCTION(fd);
  return __fget_light(fd, 0);
}

// v4.19 fs/file.c: __fdget_pos
struct fd __fdget_pos(unsigned fd) {
  FUNCTION(fd);
  struct fd f = __fdget(fd);
  if (!f.file || (f.file->f_mode & FMODE_ATOMIC_POS) == 0) return f;
  if (file_count(f.file) > 1) {
    f.flags |= FDPUT_POS_UNLOCK;
    mutex_lock(&f.file->f_pos_lock);
  }
  return f;
}

}  // namespace

// v4.19 include/linux/fdtable.h: __fcheck_files
kptr<file> fcheck_files(kptr<files_struct> files, unsigned fd) {
  kptr<fdtable> fdt = files_fdtable(files);
  if (fd >= fdt->max_fds()) return nullptr;
  return fdt->fd[fd];
}

// v4.19 fs/file.c: alloc_fd
int alloc_fd(unsigned start, unsigned flags) {
  FUNCTION(start, flags);
  kptr<files_struct> files = current->files;
  return fn.Return(__alloc_fd(files, start, static_cast<unsigned>(rlimit(RLIMIT_NOFILE)), flags));
}

// v4.19 fs/file.c: get_unused_fd_flags
int get_unused_fd_flags(unsigned flags) {
  FUNCTION(flags);
  kptr<files_struct> files = current->files;
  return fn.Return(__alloc_fd(files, 0, static_cast<unsigned>(rlimit(RLIMIT_NOFILE)), flags));
}

// v4.19 fs/file.c: put_unused_fd
void put_unused_fd(unsigned fd) {
  FUNCTION(fd);
  kptr<files_struct> files = current->files;
  spin_lock(&files->file_lock);
  __put_unused_fd(files, fd);
  spin_unlock(&files->file_lock);
}

// v4.19 fs/file.c: __fd_install, fd_install
void fd_install(unsigned fd, kptr<file> file) {
  FUNCTION(fd, file);
  kptr<files_struct> files = current->files;
  rcu_read_lock_sched();
  const bool resizing = files->resize_in_progress;
  if (resizing) {
    rcu_read_unlock_sched();
    spin_lock(&files->file_lock);
  }
  kptr<fdtable> fdt = files_fdtable(files);
  if (fdt->fd[fd]) Report("kernel BUG: fd_install on a descriptor that has a file");
  fdt->fd[fd] = file;
  STEP("fd table slot set", fd, file);
  if (resizing) {
    spin_unlock(&files->file_lock);
  } else {
    rcu_read_unlock_sched();
  }
}

// v4.19 fs/file.c: fget
kptr<file> fget(unsigned fd) {
  FUNCTION(fd);
  return fn.Return(__fget(fd, FMODE_PATH, 1));
}

// v4.19 fs/file.c: fget_raw
kptr<file> fget_raw(unsigned fd) {
  FUNCTION(fd);
  return fn.Return(__fget(fd, 0, 1));
}

// v4.19 include/linux/file.h: fdget
struct fd fdget(unsigned fd) {
  return __fdget(fd);
}

// v4.19 include/linux/file.h: fdget_raw
struct fd fdget_raw(unsigned fd) {
  return __fdget_raw(fd);
}

// v4.19 include/linux/file.h: fdput
void fdput(const struct fd& f) {
  if ((f.flags & FDPUT_FPUT) != 0) fput(f.file);
}

// v4.19 include/linux/file.h: fdget_pos
struct fd fdget_pos(unsigned fd) {
  return __fdget_pos(fd);
}

// v4.19 include/linux/file.h: fdput_pos
void fdput_pos(const struct fd& f) {
  if ((f.flags & FDPUT_POS_UNLOCK) != 0) mutex_unlock(&f.file->f_pos_lock);
  fdput(f);
}

Error FailBadFd(unsigned fd) {
  if (fcheck_files(current->files, fd)) {
    return Fail(EBADF, "fd $0 was opened with O_PATH", static_cast<int>(fd));
  }
  return Fail(EBADF, "fd $0 is not open", static_cast<int>(fd));
}

// v4.19 fs/file.c: set_close_on_exec
void set_close_on_exec(unsigned fd, bool on) {
  FUNCTION(fd, on);
  kptr<files_struct> files = current->files;
  spin_lock(&files->file_lock);
  files_fdtable(files)->close_on_exec[fd] = on;
  spin_unlock(&files->file_lock);
}

// v4.19 fs/file.c: get_close_on_exec
bool get_close_on_exec(unsigned fd) {
  FUNCTION(fd);
  rcu_read_lock();
  const bool on = files_fdtable(current->files)->close_on_exec[fd];
  rcu_read_unlock();
  return fn.Return(on);
}

// v4.19 fs/file.c: __close_fd
int __close_fd(kptr<files_struct> files, unsigned fd) {
  FUNCTION(files, fd);
  spin_lock(&files->file_lock);
  kptr<file> file = fcheck_files(files, fd);
  if (!file) {
    spin_unlock(&files->file_lock);
    return fn.Return(Fail(EBADF, "fd $0 is not open", static_cast<int>(fd)));
  }
  kptr<fdtable> fdt = files_fdtable(files);
  fdt->fd[fd] = nullptr;
  STEP("fd table slot cleared", fd, file);
  __clear_close_on_exec(fd, fdt);
  __put_unused_fd(files, fd);
  spin_unlock(&files->file_lock);
  return fn.Return(filp_close(file, files));
}

}  // namespace kpath
