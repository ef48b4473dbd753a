// SPDX-License-Identifier: Apache-2.0
//
// Tables of descriptors: made, grown, copied for a fork, given up. v4.19 fs/file.c
#include "sim/vfs/fdtable.h"

#include <algorithm>
#include <bit>

#include "sim/kernel/container_of.h"
#include "sim/vfs/file_table.h"
#include "sim/vfs/shmem_dir.h"

namespace kpath {
namespace {

// Tables grow in steps that fill 1024 bytes with pointers of 8.
constexpr unsigned kDescriptorsPerStep = 128;

KernelGlobal<kmem_cache<fdtable>> fdtable_cachep;
KernelGlobal<kmem_cache<files_struct>> files_cachep;

void __free_fdtable(kptr<fdtable> fdt) { kmem_cache_free(*fdtable_cachep, fdt); }

// v4.19 fs/file.c: free_fdtable_rcu
void free_fdtable_rcu(rcu_head* head) {
  FUNCTION();
  __free_fdtable(kptr<fdtable>(container_of(head, &fdtable::rcu)));
}

// v4.19 fs/file.c: copy_fdtable. The first `count` places.
void copy_fdtable(kptr<fdtable> to, kptr<fdtable> from, unsigned count) {
  std::copy_n(from->fd.begin(), count, to->fd.begin());
  std::copy_n(from->open_fds.begin(), count, to->open_fds.begin());
  std::copy_n(from->close_on_exec.begin(), count, to->close_on_exec.begin());
}

// The size of a table that has room for descriptor `nr`.
unsigned RoundedSize(unsigned nr) {
  return std::bit_ceil(nr / kDescriptorsPerStep + 1) * kDescriptorsPerStep;
}

// v4.19 fs/file.c: expand_fdtable. Drops and takes file_lock.
int expand_fdtable(kptr<files_struct> files, unsigned nr) {
  FUNCTION(files, nr);
  spin_unlock(&files->file_lock);
  kptr<fdtable> bigger = alloc_fdtable(RoundedSize(nr));
  // Whoever is in fd_install now must not miss resize_in_progress.
  if (files->count > 1) synchronize_sched();
  spin_lock(&files->file_lock);
  if (!bigger) return fn.Return(Fail(ENOMEM, "no memory for a table of $0", RoundedSize(nr)));
  kptr<fdtable> old = files_fdtable(files);
  copy_fdtable(bigger, old, old->max_fds());
  files->fdt = bigger;
  STEP("table grown", old->max_fds(), bigger->max_fds());
  call_rcu(&old->rcu, free_fdtable_rcu);
  return fn.Return(1);
}

// v4.19 fs/file.c: count_open_files. How many places a copy needs.
unsigned count_open_files(kptr<fdtable> fdt) {
  unsigned count = fdt->max_fds();
  while (count > NR_OPEN_DEFAULT && !fdt->open_fds[count - 1]) --count;
  return count;
}

// Descriptors that are reserved but have no file yet stay with the other process.
void DropReserved(kptr<fdtable> fdt) {
  for (unsigned i = 0; i < fdt->max_fds(); ++i) {
    if (!fdt->fd[i]) fdt->open_fds[i] = false;
  }
}

// v4.19 fs/file.c: close_files. Nobody else uses the table any more.
void close_files(kptr<files_struct> files) {
  FUNCTION(files);
  kptr<fdtable> fdt = files_fdtable(files);
  for (unsigned i = 0; i < fdt->max_fds(); ++i) {
    kptr<file> file = fdt->fd[i];
    fdt->fd[i] = nullptr;
    if (!file) continue;
    filp_close(file, files);
    cond_resched();
  }
}

kptr<files_struct> NewFiles(unsigned max_fds) {
  kptr<files_struct> files = kmem_cache_zalloc(*files_cachep, GFP_KERNEL);
  if (!files) return files;
  spin_lock_init(&files->file_lock);
  init_waitqueue_head(&files->resize_wait);
  files->fdt = alloc_fdtable(max_fds);
  if (files->fdt) return files;
  kmem_cache_free(*files_cachep, files);
  return nullptr;
}

}  // namespace

// v4.19 fs/file.c: alloc_fdtable
kptr<fdtable> alloc_fdtable(unsigned max_fds) {
  FUNCTION(max_fds);
  kptr<fdtable> fdt = kmem_cache_zalloc(*fdtable_cachep, GFP_KERNEL);
  if (!fdt) return fn.Return(fdt);
  fdt->fd.resize(max_fds);
  fdt->open_fds.resize(max_fds);
  fdt->close_on_exec.resize(max_fds);
  return fn.Return(fdt);
}

// v4.19 fs/file.c: expand_files
int expand_files(kptr<files_struct> files, unsigned nr) {
  FUNCTION(files, nr);
  int expanded = 0;
  while (true) {
    if (nr < files_fdtable(files)->max_fds()) return fn.Return(expanded);
    if (nr >= kSysctlNrOpen) {
      return fn.Return(Fail(EMFILE, "fd $0 is beyond fs.nr_open=$1", nr, kSysctlNrOpen));
    }
    if (!files->resize_in_progress) break;
    spin_unlock(&files->file_lock);
    expanded = 1;
    wait_event(&files->resize_wait, [&] { return !files->resize_in_progress; });
    spin_lock(&files->file_lock);
  }
  files->resize_in_progress = true;
  expanded = expand_fdtable(files, nr);
  files->resize_in_progress = false;
  wake_up_all(&files->resize_wait);
  return fn.Return(expanded);
}

void __set_open_fd(unsigned fd, kptr<fdtable> fdt) { fdt->open_fds[fd] = true; }
void __clear_open_fd(unsigned fd, kptr<fdtable> fdt) { fdt->open_fds[fd] = false; }

kptr<files_struct> alloc_files() {
  kptr<files_struct> files = NewFiles(NR_OPEN_DEFAULT);
  if (!files) return files;
  files->fs.pwd = root_path();
  path_get(files->fs.pwd);
  return files;
}

// v4.19 fs/file.c: dup_fd
kptr<files_struct> dup_fd(kptr<files_struct> oldf) {
  FUNCTION(oldf);
  kptr<files_struct> newf = NewFiles(std::max(count_open_files(oldf->fdt), NR_OPEN_DEFAULT));
  if (!newf) return fn.Return(Fail(ENOMEM, "no memory for a table"));
  spin_lock(&oldf->file_lock);
  kptr<fdtable> from = files_fdtable(oldf);
  while (newf->fdt->max_fds() < count_open_files(from)) {
    spin_unlock(&oldf->file_lock);
    __free_fdtable(newf->fdt);
    newf->fdt = alloc_fdtable(count_open_files(from));
    if (!newf->fdt) {
      kmem_cache_free(*files_cachep, newf);
      return fn.Return(Fail(ENOMEM, "no memory for a table"));
    }
    spin_lock(&oldf->file_lock);
    from = files_fdtable(oldf);
  }
  copy_fdtable(newf->fdt, from, std::min(from->max_fds(), newf->fdt->max_fds()));
  for (const kptr<file>& file : newf->fdt->fd) {
    if (file) get_file(file);
  }
  spin_unlock(&oldf->file_lock);
  DropReserved(newf->fdt);
  newf->fs = oldf->fs;
  path_get(newf->fs.pwd);
  return fn.Return(newf);
}

// v4.19 fs/file.c: put_files_struct
void put_files_struct(kptr<files_struct> files) {
  FUNCTION(files);
  if (--files->count > 0) return;
  close_files(files);
  path_put(files->fs.pwd);
  __free_fdtable(files->fdt);
  kmem_cache_free(*files_cachep, files);
}

// v4.19 fs/file.c: exit_files
void exit_files(task_struct* task) {
  FUNCTION(task->pid);
  kptr<files_struct> files = task->files;
  if (!files) return;
  task->files = nullptr;
  put_files_struct(files);
}

// v4.19 fs/file.c: do_close_on_exec
void do_close_on_exec(kptr<files_struct> files) {
  FUNCTION(files);
  spin_lock(&files->file_lock);
  for (unsigned i = 0; i < files_fdtable(files)->max_fds(); ++i) {
    kptr<fdtable> fdt = files_fdtable(files);
    if (!fdt->close_on_exec[i]) continue;
    fdt->close_on_exec[i] = false;
    kptr<file> file = fdt->fd[i];
    if (!file) continue;
    fdt->fd[i] = nullptr;
    __clear_open_fd(i, fdt);
    files->next_fd = std::min(files->next_fd, i);
    spin_unlock(&files->file_lock);
    filp_close(file, files);
    cond_resched();
    spin_lock(&files->file_lock);
  }
  spin_unlock(&files->file_lock);
}

}  // namespace kpath
