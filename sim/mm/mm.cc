// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/mm.h"

#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/machine/check.h"
#include "sim/mm/filemap.h"
#include "sim/mm/memory.h"
#include "sim/mm/mmap.h"
#include "sim/mm/rmap.h"
#include "sim/mm/shmem.h"
#include "sim/mm/truncate.h"
#include "sim/vfs/file_table.h"

namespace kpath {
namespace {

// Where a process without address randomisation finds things; a replay says otherwise.
constexpr unsigned long kMmapBase = 0x7ffff7fff000;
constexpr unsigned long kStartBrk = 0x555555559000;

KernelGlobal<kmem_cache<mm_struct>> mm_cachep;

// v4.19 kernel/fork.c: mm_init
kptr<mm_struct> mm_struct_init(kptr<mm_struct> mm) {
  init_rwsem(&mm->mmap_sem);
  spin_lock_init(&mm->page_table_lock);
  spin_lock_init(&mm->ioctx_lock);
  mm->mmap_base = kMmapBase;
  mm->start_brk = mm->brk = kStartBrk;
  return mm;
}

// v4.19 kernel/fork.c: check_mm
void check_mm(kptr<mm_struct> mm) {
  FUNCTION(mm);
  for (int i = 0; i < NR_MM_COUNTERS; ++i) {
    if (mm->rss_stat[i] == 0) continue;
    Report(absl::StrCat("BUG: Bad rss-counter state mm:0x", absl::Hex(mm.address()), " idx:", i,
                        " val:", mm->rss_stat[i]));
  }
  if (mm->page_table.size() != 0 || !mm->mmap.empty()) {
    Report(absl::StrCat("BUG: non-zero pgtables_bytes on freeing mm: ", mm->page_table.size(),
                        " entries, ", mm->mmap.size(), " areas"));
  }
}

AddressSpace* AddressSpaceOf(task_struct* task) {
  return task->mm ? task->mm->page_table.hardware() : nullptr;
}

// v4.19 kernel/fork.c: the body of the loop in dup_mmap. Adds a copy of `mpnt`. 0 or -ENOMEM.
int dup_vma(kptr<mm_struct> mm, kptr<vm_area_struct> mpnt) {
  const kptr<vm_area_struct> tmp = vm_area_dup(mpnt);
  if (!tmp) return Fail(ENOMEM, "no memory for an area of the child");
  tmp->vm_mm = mm;
  tmp->vm_flags &= ~VM_LOCKED;
  if (tmp->vm_file) get_file(tmp->vm_file);
  vma_link(mm, tmp);
  mm->total_vm += vma_pages(tmp);
  if (tmp->vm_ops != nullptr && tmp->vm_ops->open != nullptr) tmp->vm_ops->open(tmp);
  return copy_page_range(tmp, mpnt);
}

// v4.19 kernel/fork.c: dup_mmap. Departs: the lock of the new mm is not taken, nobody knows it yet.
int dup_mmap(kptr<mm_struct> mm, kptr<mm_struct> oldmm) {
  FUNCTION(mm, oldmm);
  if (down_write_killable(&oldmm->mmap_sem) != 0) {
    return fn.Return(Fail(EINTR, "the task is being killed"));
  }
  int retval = 0;
  for (const auto& [start, mpnt] : oldmm->mmap) {
    if ((mpnt->vm_flags & VM_DONTCOPY) != 0) continue;
    retval = dup_vma(mm, mpnt);
    if (retval != 0) break;
  }
  up_write(&oldmm->mmap_sem);
  return fn.Return(retval);
}

}  // namespace

kptr<mm_struct> mm_alloc() {
  FUNCTION();
  const kptr<mm_struct> mm = kmem_cache_zalloc(*mm_cachep, GFP_KERNEL);
  if (!mm) return fn.Return(mm);
  return fn.Return(mm_struct_init(mm));
}

kptr<mm_struct> dup_mm(kptr<mm_struct> oldmm) {
  FUNCTION(oldmm);
  const kptr<mm_struct> mm = mm_alloc();
  if (!mm) return fn.Return<kptr<mm_struct>>(Fail(ENOMEM, "no memory for an mm_struct"));
  mm->def_flags = oldmm->def_flags;
  mm->mmap_base = oldmm->mmap_base;
  mm->start_brk = oldmm->start_brk;
  mm->brk = oldmm->brk;
  mm->start_stack = oldmm->start_stack;
  const int error = dup_mmap(mm, oldmm);
  if (error == 0) return fn.Return(mm);
  exit_mmap(mm);
  mmdrop(mm);
  return fn.Return<kptr<mm_struct>>(Error(-error));
}

void mmdrop(kptr<mm_struct> mm) {
  FUNCTION(mm, mm->mm_count);
  if (--mm->mm_count != 0) return;
  check_mm(mm);
  kmem_cache_free(*mm_cachep, mm);
}

void activate_mm(kptr<mm_struct> mm) {
  FUNCTION(mm);
  current->mm = mm;
  current->cpu->address_space = AddressSpaceOf(current);
}

void SetBrk(kptr<mm_struct> mm, unsigned long addr) {
  KPATH_CHECK(mm->brk == mm->start_brk, "the program break has moved already");
  mm->start_brk = mm->brk = addr;
}

void mm_init(Machine& machine) {
  EnterMachine enter(machine);
  sched_hooks->address_space = AddressSpaceOf;
  vfs_hooks->shmem_init_regular = shmem_init_regular;
  vfs_hooks->truncate_inode_pages_final = truncate_inode_pages_final;
  pagecache_init();
  shmem_init();
}

}  // namespace kpath
