// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/memory.h"

#include <cstring>

#include "sim/machine/check.h"

namespace kpath {

uint64_t Memory::AllocatePages(int order) {
  KPATH_CHECK(order >= 0 && order <= 10, order);
  const uint64_t count = uint64_t{1} << order;
  free_blocks_.resize(11);
  if (order == 0 && free_blocks_[0].empty()) {
    // Single pages are taken from a batch, the highest first: what is allocated one after the other
    // does not lie one behind the other, as on a computer that has been running for a while.
    constexpr uint64_t kBatch = 31;
    const uint64_t first = pages_.empty() ? 1 : pages_.size();  // page 0 stays unused
    pages_.resize(first + kBatch, nullptr);
    free_bytes_.resize(first + kBatch, nullptr);
    blocks_.push_back(std::make_unique<uint8_t[]>(kBatch * kPageSize));
    for (uint64_t i = 0; i < kBatch; ++i) {
      free_bytes_[first + i] = blocks_.back().get() + i * kPageSize;
      free_blocks_[0].push_back(first + i);
    }
  }
  uint64_t pfn;
  if (!free_blocks_[order].empty()) {
    pfn = free_blocks_[order].back();
    free_blocks_[order].pop_back();
    for (uint64_t i = 0; i < count; ++i) pages_[pfn + i] = free_bytes_[pfn + i];
    std::memset(pages_[pfn], 0, count * kPageSize);
  } else {
    // Page 0 stays unused, so that physical address 0 never means anything.
    pfn = pages_.empty() ? count : (pages_.size() + count - 1) / count * count;
    pages_.resize(pfn + count, nullptr);
    free_bytes_.resize(pfn + count, nullptr);
    blocks_.push_back(std::make_unique<uint8_t[]>(count * kPageSize));
    for (uint64_t i = 0; i < count; ++i) pages_[pfn + i] = blocks_.back().get() + i * kPageSize;
  }
  pages_in_use_ += count;
  return pfn;
}

void Memory::FreePages(uint64_t pfn, int order) {
  const uint64_t count = uint64_t{1} << order;
  tlb_ = {};
  for (uint64_t i = 0; i < count; ++i) {
    KPATH_CHECK(pfn + i < pages_.size() && pages_[pfn + i] != nullptr, pfn + i);
    free_bytes_[pfn + i] = pages_[pfn + i];
    pages_[pfn + i] = nullptr;
  }
  free_blocks_[order].push_back(pfn);
  pages_in_use_ -= count;
}

uint8_t* Memory::Walk(uint64_t address) const {
  // Below the direct map this wraps to a number that no page has.
  uint64_t pfn = (address - kDirectMapBase) >> kPageShift;
  if (pfn >= pages_.size()) {
    const auto found = kernel_map_.find(address >> kPageShift);
    if (found == kernel_map_.end()) return nullptr;
    pfn = found->second;
  }
  if (pages_[pfn] == nullptr) return nullptr;
  tlb_[(address >> kPageShift) % kTlbEntries] = {address & kPageMask, pages_[pfn]};
  return pages_[pfn] + (address & ~kPageMask);
}

const PageTableEntry* AddressSpace::Find(uint64_t address) const {
  const auto found = entries_.find(address >> kPageShift);
  return found == entries_.end() ? nullptr : &found->second;
}

PageTableEntry* AddressSpace::Walk(uint64_t page) {
  const auto found = entries_.find(page);
  if (found == entries_.end()) return nullptr;
  (*tlb_)[TlbIndex(page)] = {page, &found->second};
  return &found->second;
}

}  // namespace kpath
