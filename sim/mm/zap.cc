// SPDX-License-Identifier: Apache-2.0
//
// Taking page table entries away. v4.19 mm/memory.c
#include <algorithm>

#include "sim/mm/filemap.h"
#include "sim/mm/memory.h"
#include "sim/mm/rmap.h"
#include "sim/mm/swap.h"
#include "sim/mm/tlb.h"

namespace kpath {
namespace {

// What one page of page table entries, and one page of pointers to those, covers.
constexpr unsigned long PMD_SIZE = 1ul << 21;
constexpr unsigned long PUD_SIZE = 1ul << 30;

// v4.19 mm/memory.c: struct zap_details
struct zap_details {
  bool only_page_cache = false;  // leave private copies
};

// v4.19 mm/rmap.c: flush_tlb_batched_pending. Reclaim leaves flushes for later; there is none.
void flush_tlb_batched_pending(kptr<mm_struct> mm) { FUNCTION(mm); }

// v4.19 mm/memory.c: _vm_normal_page. The page of an entry.
kptr<page> _vm_normal_page(const pte_t& entry) {
  FUNCTION();
  return fn.Return(entry.page);
}

// v4.19 mm/memory.c: sync_mm_rss. Each change is made in the mm at once, so nothing is left to add.
void sync_mm_rss(kptr<mm_struct> mm) { FUNCTION(mm); }

// v4.19 kernel/events/uprobes.c: uprobe_munmap. Nobody sets uprobes here.
void uprobe_munmap(kptr<vm_area_struct> vma) { FUNCTION(vma); }

// v4.19 mm/memory.c: the body of the loop in zap_pte_range
void zap_pte(mmu_gather* tlb, kptr<vm_area_struct> vma, unsigned long address,
             const zap_details* details) {
  const kptr<mm_struct> mm = vma->vm_mm;
  const pte_t entry = *mm->page_table.Find(address);
  const kptr<page> page = _vm_normal_page(entry);
  if (details != nullptr && details->only_page_cache && PageAnon(page)) return;
  mm->page_table.Clear(address);
  if (!PageAnon(page)) {
    if (entry.dirty) set_page_dirty(page);
    if ((vma->vm_flags & VM_SEQ_READ) == 0) mark_page_accessed(page);
  }
  add_mm_counter(mm, mm_counter(page), -1);
  page_remove_rmap(page);
  __tlb_remove_page_size(tlb, page);
}

// v4.19 mm/memory.c: zap_pte_range
void zap_pte_range(mmu_gather* tlb, kptr<vm_area_struct> vma, unsigned long addr, unsigned long end,
                   const zap_details* details) {
  FUNCTION(vma, Value::Address(addr), Value::Address(end));
  const kptr<mm_struct> mm = vma->vm_mm;
  spin_lock(&mm->page_table_lock);
  flush_tlb_batched_pending(mm);
  for (unsigned long at = mm->page_table.NextMapped(addr); at < end;
       at = mm->page_table.NextMapped(at + PAGE_SIZE)) {
    zap_pte(tlb, vma, at, details);
  }
  if (current->mm == mm) sync_mm_rss(mm);
  spin_unlock(&mm->page_table_lock);
}

// v4.19 mm/memory.c: unmap_page_range. Gives others a chance after each page of entries
// (zap_pmd_range) and after each page of pointers to those (zap_pud_range).
void unmap_page_range(mmu_gather* tlb, kptr<vm_area_struct> vma, unsigned long addr,
                      unsigned long end, const zap_details* details) {
  FUNCTION(vma, Value::Address(addr), Value::Address(end));
  const PageTable& table = vma->vm_mm->page_table;
  unsigned long next = table.NextMapped(addr);
  while (next < end) {
    const unsigned long from = std::max(addr, next & ~(PMD_SIZE - 1));
    const unsigned long to = std::min(end, (next & ~(PMD_SIZE - 1)) + PMD_SIZE);
    zap_pte_range(tlb, vma, from, to, details);
    cond_resched();
    const unsigned long after = table.NextMapped(to);
    if (after >= end || after / PUD_SIZE != next / PUD_SIZE) cond_resched();
    next = after;
  }
}

// v4.19 mm/memory.c: unmap_single_vma
void unmap_single_vma(mmu_gather* tlb, kptr<vm_area_struct> vma, unsigned long start_addr,
                      unsigned long end_addr, const zap_details* details) {
  FUNCTION(vma, Value::Address(start_addr), Value::Address(end_addr));
  const unsigned long start = std::max(vma->vm_start, start_addr);
  const unsigned long end = std::min(vma->vm_end, end_addr);
  if (start >= end) return;
  if (vma->vm_file) uprobe_munmap(vma);
  unmap_page_range(tlb, vma, start, end, details);
}

// v4.19 mm/memory.c: zap_page_range_single
void zap_page_range_single(kptr<vm_area_struct> vma, unsigned long address, unsigned long size,
                           const zap_details* details) {
  FUNCTION(vma, Value::Address(address), size);
  lru_add_drain();
  mmu_gather tlb;
  tlb_gather_mmu(&tlb, vma->vm_mm, address, address + size);
  unmap_single_vma(&tlb, vma, address, address + size, details);
  tlb_finish_mmu(&tlb, address, address + size);
}

}  // namespace

void unmap_vmas(mmu_gather* tlb, const std::vector<kptr<vm_area_struct>>& areas,
                unsigned long start, unsigned long end) {
  FUNCTION(areas.size(), Value::Address(start), Value::Address(end));
  for (const kptr<vm_area_struct>& vma : areas) unmap_single_vma(tlb, vma, start, end, nullptr);
}

void zap_page_range(kptr<vm_area_struct> vma, unsigned long start, unsigned long size) {
  FUNCTION(vma, Value::Address(start), size);
  lru_add_drain();
  mmu_gather tlb;
  tlb_gather_mmu(&tlb, vma->vm_mm, start, start + size);
  unmap_single_vma(&tlb, vma, start, start + size, nullptr);
  tlb_finish_mmu(&tlb, start, start + size);
}

void unmap_mapping_pages(address_space* mapping, pgoff_t start, pgoff_t nr, bool even_cows) {
  FUNCTION(mapping->host, start, nr, even_cows);
  const zap_details details = {.only_page_cache = !even_cows};
  const pgoff_t last = nr == 0 || start + nr - 1 < start ? ~pgoff_t{0} : start + nr - 1;
  down_write(&mapping->i_mmap_rwsem);
  for (const kptr<vm_area_struct>& vma : mapping->i_mmap) {
    const pgoff_t vma_last = vma->vm_pgoff + vma_pages(vma) - 1;
    if (vma->vm_pgoff > last || vma_last < start) continue;
    const pgoff_t first = std::max(start, vma->vm_pgoff);
    const pgoff_t count = std::min(last, vma_last) - first + 1;
    zap_page_range_single(vma, vma->vm_start + ((first - vma->vm_pgoff) << PAGE_SHIFT),
                          count << PAGE_SHIFT, &details);
  }
  up_write(&mapping->i_mmap_rwsem);
}

void unmap_mapping_range(address_space* mapping, loff_t holebegin, loff_t holelen, bool even_cows) {
  FUNCTION(mapping->host, holebegin, holelen, even_cows);
  const pgoff_t first = static_cast<pgoff_t>(holebegin) >> PAGE_SHIFT;
  const pgoff_t count = PAGE_ALIGN(static_cast<unsigned long>(holelen)) >> PAGE_SHIFT;
  unmap_mapping_pages(mapping, first, count, even_cows);
}

}  // namespace kpath
