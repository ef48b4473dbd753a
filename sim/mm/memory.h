// SPDX-License-Identifier: Apache-2.0
//
// Page table entries: making them when a page is touched, taking them away. v4.19 mm/memory.c
//
// Departs: there is no page of zeroes shared by all that has only been read; fork copies private
// pages at once instead of at the first write, so an anonymous page has one entry at most.
//
// Context: process. Faults need mmap_sem held for reading, all else that changes areas for writing.
//
// Invariants
//   1. An entry and the page's references, its _mapcount and the mm's rss_stat change together,
//   under
//      page_table_lock.
//   2. A page of the page cache is never writable through a private mapping.
#pragma once

#include <vector>

#include "sim/mm/mm_types.h"
#include "sim/vfs/fs.h"

namespace kpath {

struct mmu_gather;

// v4.19 mm/memory.c: handle_mm_fault. Makes the page at `address` present for an access as `flags`
// (FAULT_FLAG_*) says. REQUIRES: vma contains it and allows the access. Returns VM_FAULT_*; with
// VM_FAULT_ERROR the reason has been told.
vm_fault_t handle_mm_fault(kptr<vm_area_struct> vma, unsigned long address, unsigned flags);

// v4.19 mm/memory.c: alloc_set_pte. Sets the entry for vmf->address, unless there is one: then it
// returns VM_FAULT_NOPAGE. Success takes over a reference on the page.
vm_fault_t alloc_set_pte(vm_fault* vmf, kptr<page> page);

// v4.19 mm/gup.c: mm_populate. Brings in the pages of [start, start + len) of the current process;
// stops silently at the first that cannot be.
void mm_populate(unsigned long start, unsigned long len);

// v4.19 mm/memory.c: copy_page_range. For fork: gives dst_vma the pages of src_vma, an area of
// another mm at the same addresses. 0 or -ENOMEM.
int copy_page_range(kptr<vm_area_struct> dst_vma, kptr<vm_area_struct> src_vma);

// v4.19 mm/memory.c: mm_counter_file, mm_counter. Which of rss_stat counts this page.
int mm_counter(kptr<page> page);

// ---- Taking away ----
// v4.19 mm/memory.c: unmap_vmas. The entries in [start, end) of the areas.
void unmap_vmas(mmu_gather* tlb, const std::vector<kptr<vm_area_struct>>& areas,
                unsigned long start, unsigned long end);
// v4.19 mm/memory.c: zap_page_range. All entries there; the area stays.
void zap_page_range(kptr<vm_area_struct> vma, unsigned long start, unsigned long size);
// v4.19 mm/memory.c: unmap_mapping_pages. The entries of `nr` pages of a file (0: to its end) in
// every process. `even_cows`: private copies, too.
void unmap_mapping_pages(address_space* mapping, pgoff_t start, pgoff_t nr, bool even_cows);
// The same in bytes. holelen 0: to the end of the file.
void unmap_mapping_range(address_space* mapping, loff_t holebegin, loff_t holelen, bool even_cows);

}  // namespace kpath
