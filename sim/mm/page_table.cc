// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/page_table.h"

#include "sim/machine/check.h"

namespace kpath {

const pte_t* PageTable::Find(unsigned long address) {
  const auto found = entries_.find(address & PAGE_MASK);
  if (found == entries_.end()) return nullptr;
  const PageTableEntry* seen = hardware_.Find(address);
  if (seen != nullptr && seen->dirty) found->second.dirty = true;
  return &found->second;
}

void PageTable::Set(unsigned long address, const pte_t& entry) {
  entries_[address & PAGE_MASK] = entry;
  if (entry.prot.accessible) {
    hardware_.Map(address,
                  {.pfn = entry.page->pfn, .writable = entry.prot.writable, .dirty = entry.dirty});
  } else {
    hardware_.Unmap(address);
  }
}

pte_t PageTable::Clear(unsigned long address) {
  const pte_t* entry = Find(address);
  KPATH_CHECK(entry != nullptr, address);
  const pte_t cleared = *entry;
  entries_.erase(address & PAGE_MASK);
  hardware_.Unmap(address);
  return cleared;
}

unsigned long PageTable::NextMapped(unsigned long address) const {
  const auto next = entries_.lower_bound(address & PAGE_MASK);
  return next == entries_.end() ? kNone : next->first;
}

}  // namespace kpath
