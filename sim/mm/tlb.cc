// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/tlb.h"

#include "sim/kernel/smp.h"
#include "sim/mm/swap.h"

namespace kpath {
namespace {

// v4.19 arch/x86/mm/tlb.c: flush_tlb_func_common. On this CPU.
void flush_tlb_func_common(unsigned long start, unsigned long end) {
  FUNCTION(Value::Address(start), Value::Address(end));
}

// v4.19 arch/x86/include/asm/tlbflush.h: struct flush_tlb_info
struct flush_tlb_info {
  kptr<mm_struct> mm;
  unsigned long start, end;
};

// v4.19 arch/x86/mm/tlb.c: flush_tlb_func_remote. In the interrupt of another CPU, which may have
// gone on to another page table meanwhile.
void flush_tlb_func_remote(void* info) {
  const auto* f = static_cast<const flush_tlb_info*>(info);
  FUNCTION(Value::Address(f->start), Value::Address(f->end));
  if (f->mm != current->mm) return;
  flush_tlb_func_common(f->start, f->end);
}

// v4.19 include/linux/mm_types.h: mm_cpumask. The CPUs that have its page table loaded.
cpumask mm_cpumask(kptr<mm_struct> mm) {
  cpumask mask = 0;
  for (int id = 0; id < current->machine->cpus(); ++id) {
    const Context* running = current->machine->cpu(id).running();
    if (running == nullptr) continue;
    if (static_cast<const task_struct*>(running)->mm == mm) mask |= cpumask_of(id);
  }
  return mask;
}

// v4.19 arch/x86/mm/tlb.c: native_flush_tlb_others
void native_flush_tlb_others(cpumask cpus, flush_tlb_info* info) {
  FUNCTION(cpus);
  smp_call_function_many(cpus, flush_tlb_func_remote, info, /*wait=*/true);
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
  preempt_disable();
  flush_tlb_info info = {.mm = mm, .start = start, .end = end};
  // A task that exits has given its mm up, while its CPU still has the page table loaded.
  if (current->mm == mm || !current->mm) {
    local_irq_disable();
    flush_tlb_func_common(start, end);
    local_irq_enable();
  }
  const cpumask others = mm_cpumask(mm) & ~cpumask_of(smp_processor_id());
  if (others != 0) native_flush_tlb_others(others, &info);
  preempt_enable();
}

}  // namespace kpath
