// SPDX-License-Identifier: Apache-2.0
//
// The memory of a process: mm_struct and the areas in it. v4.19 include/linux/{mm_types,mm}.h
//
// This header has the objects; what is done with them is in
//   mm.h       making, forking, ending an mm                     kernel/fork.c, mm/mmap.c
//   mmap.h     mapping, unmapping, finding areas                 mm/mmap.c, mremap.c, mprotect.c
//   memory.h   page faults, page table entries                   mm/memory.c
//
// Locks: mmap_sem guards the areas, the page tables' shape and the numbers of an mm; a page fault
// holds it for reading. page_table_lock guards the entries. ioctx_lock guards ioctx_table. Order:
// ring_lock, then mmap_sem, then i_mmap_rwsem, then page_table_lock; mmap_sem, then ioctx_lock.
//
// Invariants
//   1. Areas do not overlap; each covers whole pages and at least one.
//   2. map_count = the number of areas; total_vm = their pages.
//   3. Every page table entry lies in an area. rss_stat counts the entries by kind.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "sim/kernel/rwsem.h"
#include "sim/kernel/slab.h"
#include "sim/kernel/spinlock.h"
#include "sim/kernel/uaccess.h"
#include "sim/mm/mman.h"
#include "sim/mm/page.h"
#include "sim/mm/page_table.h"

namespace kpath {

struct file;
struct kioctx_table;  // fs_aio
struct mm_struct;
struct vm_area_struct;

inline constexpr unsigned long TASK_SIZE = TASK_SIZE_MAX;

// ---- Page faults ----
using vm_fault_t = unsigned;
inline constexpr vm_fault_t VM_FAULT_OOM = 0x0001;
inline constexpr vm_fault_t VM_FAULT_SIGBUS = 0x0002;
inline constexpr vm_fault_t VM_FAULT_MAJOR = 0x0004;
inline constexpr vm_fault_t VM_FAULT_WRITE = 0x0008;
inline constexpr vm_fault_t VM_FAULT_SIGSEGV = 0x0040;
inline constexpr vm_fault_t VM_FAULT_NOPAGE = 0x0100;  // the entry has been set already
inline constexpr vm_fault_t VM_FAULT_LOCKED = 0x0200;  // the page is returned locked
inline constexpr vm_fault_t VM_FAULT_RETRY = 0x0400;
inline constexpr vm_fault_t VM_FAULT_DONE_COW = 0x1000;
inline constexpr vm_fault_t VM_FAULT_ERROR = VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_SIGSEGV;

inline constexpr unsigned FAULT_FLAG_WRITE = 0x01;
inline constexpr unsigned FAULT_FLAG_MKWRITE = 0x02;
inline constexpr unsigned FAULT_FLAG_USER = 0x40;
inline constexpr unsigned FAULT_FLAG_INSTRUCTION = 0x100;

// One fault that is being handled.
struct vm_fault {
  kptr<vm_area_struct> vma;
  unsigned flags = 0;          // FAULT_FLAG_*
  pgoff_t pgoff = 0;           // the page of the file
  unsigned long address = 0;   // page aligned
  kptr<struct page> page;      // what vm_ops->fault found, with a reference
  kptr<struct page> cow_page;  // the copy that a private mapping will get
};

// What the owner of an area does with it. A null entry: nothing.
struct vm_operations_struct {
  const char* name = "";  // of this table in Linux
  void (*open)(kptr<vm_area_struct> area) = nullptr;
  void (*close)(kptr<vm_area_struct> area) = nullptr;
  // The area has been moved to its new place. A negative errno moves it back.
  int (*mremap)(kptr<vm_area_struct> area) = nullptr;
  // Finds the page `vmf->pgoff` and puts it into vmf->page.
  vm_fault_t (*fault)(vm_fault* vmf) = nullptr;
  // Maps pages that are there already, around the fault.
  void (*map_pages)(vm_fault* vmf, pgoff_t start_pgoff, pgoff_t end_pgoff) = nullptr;
  // A page of a shared mapping is about to become writable.
  vm_fault_t (*page_mkwrite)(vm_fault* vmf) = nullptr;
};

struct vm_area_struct {
  static constexpr const char* kSlabName = "vm_area_struct";

  unsigned long vm_start = 0;  // the first byte
  unsigned long vm_end = 0;    // the byte after the last one
  kptr<mm_struct> vm_mm;
  pgprot_t vm_page_prot;
  unsigned long vm_flags = 0;  // VM_*
  pgoff_t vm_pgoff = 0;        // of vm_start, in the file
  kptr<file> vm_file;          // held; null: anonymous
  const vm_operations_struct* vm_ops = nullptr;
};

inline bool vma_is_anonymous(kptr<vm_area_struct> vma) { return vma->vm_ops == nullptr; }
inline unsigned long vma_pages(kptr<vm_area_struct> vma) {
  return (vma->vm_end - vma->vm_start) >> PAGE_SHIFT;
}
// v4.19 include/linux/pagemap.h: linear_page_index
inline pgoff_t linear_page_index(kptr<vm_area_struct> vma, unsigned long address) {
  return ((address - vma->vm_start) >> PAGE_SHIFT) + vma->vm_pgoff;
}

// ---- mm_struct::rss_stat ----
enum { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES, NR_MM_COUNTERS };

struct mm_struct {
  static constexpr const char* kSlabName = "mm_struct";

  std::map<unsigned long, kptr<vm_area_struct>> mmap;  // by vm_start
  PageTable page_table;
  rw_semaphore mmap_sem;
  spinlock_t page_table_lock;

  int mm_users = 1;  // tasks, and others that use the user memory
  int mm_count = 1;  // all users together count as one
  int map_count = 0;
  unsigned long total_vm = 0;  // pages
  std::array<long, NR_MM_COUNTERS> rss_stat = {};
  unsigned long def_flags = 0;

  unsigned long mmap_base = 0;  // the kernel chooses addresses below this
  unsigned long start_brk = 0, brk = 0;
  unsigned long start_stack = 0;

  // For replaying a recorded run: where the next mapping shall be whose place the kernel chooses;
  // 0: wherever it likes. Used once, and only if the place is free. See SetNextUnmappedArea.
  unsigned long next_unmapped_area = 0;

  spinlock_t ioctx_lock;
  kptr<kioctx_table> ioctx_table;
};

inline void add_mm_counter(kptr<mm_struct> mm, int member, long value) {
  mm->rss_stat[member] += value;
}

}  // namespace kpath
