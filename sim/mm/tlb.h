// SPDX-License-Identifier: Apache-2.0
//
// Taking entries out of page tables in batches: pages may be freed only when no CPU can reach them
// any more through its translation buffer. v4.19 mm/mmu_gather.c, arch/x86/mm/tlb.c
//
//   mmu_gather tlb;
//   tlb_gather_mmu(&tlb, mm, start, end);
//   unmap_vmas(&tlb, areas, start, end);
//   tlb_finish_mmu(&tlb, start, end);
//
// Other CPUs that have the page table loaded are told by an interrupt (smp_call_function_many), and
// waited for, before pages are freed.
//
// Departs: the simulated CPUs look at the page table itself, so a flush changes nothing that they
// see; an idle CPU has no page table loaded (no lazy TLB).
#pragma once

#include <vector>

#include "sim/mm/mm_types.h"

namespace kpath {

struct mmu_gather {
  kptr<mm_struct> mm;
  unsigned long start = 0, end = 0;
  std::vector<kptr<page>> pages;  // the references that the entries held
};

void tlb_gather_mmu(mmu_gather* tlb, kptr<mm_struct> mm, unsigned long start, unsigned long end);
// v4.19 mm/mmu_gather.c: __tlb_remove_page_size. Hands over the reference that an entry held.
void __tlb_remove_page_size(mmu_gather* tlb, kptr<page> page);
// Flushes and puts the pages' references. May free pages.
void tlb_finish_mmu(mmu_gather* tlb, unsigned long start, unsigned long end);

// v4.19 arch/x86/mm/tlb.c: flush_tlb_mm_range
void flush_tlb_mm_range(kptr<mm_struct> mm, unsigned long start, unsigned long end);

}  // namespace kpath
