// SPDX-License-Identifier: Apache-2.0
//
// Descriptors: the small numbers under which a process knows its open files. v4.19 fs/file.c
//
//   kptr<file> file = fget(fd);
//   if (!file) return FailBadFd(fd);
//   ...
//   fput(file);
//
// A task has a files_struct, shared with its threads. Looking a descriptor up takes no lock: the
// table is read under RCU.
//
// Locks: files_struct::file_lock guards the table's changes; it is taken last.
//
// Invariants
//   1. fd[i] is not null only if bit i of open_fds is set; a bit without a file is a descriptor
//   that
//      somebody has got from get_unused_fd_flags and not yet installed.
//   2. All descriptors below next_fd are open.
//   3. Each fd[i] holds one reference on its file.
#pragma once

#include <vector>

#include "sim/kernel/sched.h"
#include "sim/vfs/fs.h"

namespace kpath {

// sysctl fs.nr_open.
inline constexpr unsigned kSysctlNrOpen = 1024 * 1024;
// Descriptors that the first table has room for. v4.19 include/linux/fdtable.h
inline constexpr unsigned NR_OPEN_DEFAULT = 64;

struct fdtable {
  static constexpr const char* kSlabName = "fdtable";

  unsigned max_fds() const { return static_cast<unsigned>(fd.size()); }

  std::vector<kptr<file>> fd;
  std::vector<bool> open_fds;
  std::vector<bool> close_on_exec;
  rcu_head rcu;
};

// What a process keeps of the tree of names. v4.19 include/linux/fs_struct.h
// Departs: it is part of files_struct, so that tasks that share descriptors share these, too.
struct fs_struct {
  path pwd;
  umode_t umask = 022;
};

struct files_struct {
  static constexpr const char* kSlabName = "files_cache";

  int count = 1;  // tasks that use it
  kptr<fdtable> fdt;
  spinlock_t file_lock;
  unsigned next_fd = 0;
  bool resize_in_progress = false;
  wait_queue_head_t resize_wait;
  fs_struct fs;
};

// ---- Tables ----
// An empty table with room for NR_OPEN_DEFAULT, cwd "/". Null: out of memory.
kptr<files_struct> alloc_files();
// v4.19 fs/file.c: dup_fd. A copy for a forked process. An error pointer: -ENOMEM.
kptr<files_struct> dup_fd(kptr<files_struct> oldf);
// v4.19 fs/file.c: exit_files. Gives up the task's table; the last user closes what is open.
void exit_files(task_struct* task);
void put_files_struct(kptr<files_struct> files);
// v4.19 fs/file.c: do_close_on_exec
void do_close_on_exec(kptr<files_struct> files);

// ---- Getting descriptors ----
// The lowest free descriptor, reserved; `flags`: O_CLOEXEC or 0. -EMFILE, -ENOMEM.
int get_unused_fd_flags(unsigned flags);
// The lowest free descriptor that is not below `start`.
int alloc_fd(unsigned start, unsigned flags);
void put_unused_fd(unsigned fd);
// Binds a reserved descriptor to a file; takes over the reference.
void fd_install(unsigned fd, kptr<file> file);
// Replays what another kernel answered: makes `file` the file of exactly `fd`, as dup2 would, and
// takes over the reference. -EBADF for a number beyond the limit.
int InstallAt(unsigned fd, kptr<file> file, unsigned flags);

// ---- Looking descriptors up ----
// With a reference; null: not open, or opened O_PATH.
kptr<file> fget(unsigned fd);
// The same, O_PATH or not.
kptr<file> fget_raw(unsigned fd);

// A file that was looked up without a reference where no other task could close it.
struct fd {
  kptr<struct file> file;
  unsigned flags = 0;  // FDPUT_*
};
inline constexpr unsigned FDPUT_FPUT = 1;
inline constexpr unsigned FDPUT_POS_UNLOCK = 2;

struct fd fdget(unsigned fd);
struct fd fdget_raw(unsigned fd);
void fdput(const struct fd& f);
// Also takes f_pos_lock where another user of the file could move its position.
struct fd fdget_pos(unsigned fd);
void fdput_pos(const struct fd& f);

// -EBADF, and why: not open, or opened O_PATH. The caller has just failed to get it.
Error FailBadFd(unsigned fd);

// ---- Closing, duplicating ----
// v4.19 fs/open.c: filp_close
int filp_close(kptr<file> filp, kptr<files_struct> id);
// v4.19 fs/file.c: __close_fd. 0, -EBADF, or what the file's flush method says.
int __close_fd(kptr<files_struct> files, unsigned fd);
int ksys_dup3(unsigned oldfd, unsigned newfd, unsigned flags);
int ksys_dup(unsigned fildes);
// For fcntl's F_DUPFD.
int f_dupfd(unsigned from, kptr<file> file, unsigned flags);
void set_close_on_exec(unsigned fd, bool on);
bool get_close_on_exec(unsigned fd);

}  // namespace kpath
