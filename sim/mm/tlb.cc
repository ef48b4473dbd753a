// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/tlb.h"

#include "sim/mm/swap.h"

namespace kpath {
namespace {

// v4.19 arch/x86/mm/tlb.c: flush_tlb_func_common. On this CPU.
void flush_tlb_func_common(unsigned long start, unsigned long end) {
  FUNCTION(Value::Address(start), Value::Address(end));
}

// v4.19 mm/swap_state.c: free_pages_and_swap_cache
void free_pages_and_swap_cache(const std::vector<kptr<page>>& pages) {
  FUNCTION(pages.size());
  release_pages(pages);
}

// v4.19 mm/mmu_gather.c: tlb_flush_mmu_free
void tlb_flush_mmu_free(mmu_gather* tlb) {
  FUNCTION();
  free_pages_and_swap_cache(tlb->pages);
  tlb->pages.clear();
}

// v4.19 mm/mmu_gather.c: tlb_flush_mmu
void tlb_flush_mmu(mmu_gather* tlb) {
  FUNCTION();
  if (!tlb->pages.empty()) flush_tlb_mm_range(tlb->mm, tlb->start, tlb->end);
  tlb_flush_mmu_free(tlb);
}

// v4.19 mm/mmu_gather.c: arch_tlb_gather_mmu
void arch_tlb_gather_mmu(mmu_gather* tlb, kptr<mm_struct> mm, unsigned long start,
                         unsigned long end) {
  FUNCTION(mm, Value::Address(start), Value::Address(end));
  *tlb = {.mm = mm, .start = start, .end = end, .pages = {}};
}

// v4.19 mm/mmu_gather.c: arch_tlb_finish_mmu
void arch_tlb_finish_mmu(mmu_gather* tlb, unsigned long start, unsigned long end) {
  FUNCTION(Value::Address(start), Value::Address(end));
  tlb_flush_mmu(tlb);
}

}  // namespace

void tlb_gather_mmu(mmu_gather* tlb, kptr<mm_struct> mm, unsigned long start, unsigned long end) {
  FUNCTION(mm, Value::Address(start), Value::Address(end));
  arch_tlb_gather_mmu(tlb, mm, start, end);
}

void __tlb_remove_page_size(mmu_gather* tlb, kptr<page> page) {
  FUNCTION(page);
  tlb->pages.push_back(page);
}

void tlb_finish_mmu(mmu_gather* tlb, unsigned long start, unsigned long end) {
  FUNCTION(Value::Address(start), Value::Address(end));
  arch_tlb_finish_mmu(tlb, start, end);
}

void flush_tlb_mm_range(kptr<mm_struct> mm, unsigned long start, unsigned long end) {
  FUNCTION(mm, Value::Address(start), Value::Address(end));
  flush_tlb_func_common(start, end);
}

}  // namespace kpath
