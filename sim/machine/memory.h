// SPDX-License-Identifier: Apache-2.0
//
// The memory of one machine: physical pages, and address spaces that map virtual pages to them.
//
// Physical memory is handed out in blocks of 2^order pages and is zeroed. Every block is visible to
// the kernel at kDirectMapBase + physical address, as on x86-64 Linux; the bytes of one block are
// contiguous on the host, too, so that a kernel stack or a per-CPU area can be used as a C++
// object.
//
// An AddressSpace is what the hardware knows of a process: its page table, four levels flattened
// into one map. What the kernel knows of it (mm_struct, vm_area_struct) is in sim/mm.
//
// Invariants
//   1. A physical page is either free or part of exactly one block.
//   2. A page table entry refers to a page that is not free (checked by whoever frees it: sim/mm).
//   3. Addresses depend only on the order of allocations, never on the host.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace kpath {

inline constexpr uint64_t kPageShift = 12;
inline constexpr uint64_t kPageSize = uint64_t{1} << kPageShift;
inline constexpr uint64_t kPageMask = ~(kPageSize - 1);

// arch/x86/include/asm/page_64_types.h: __PAGE_OFFSET without KASLR, four level paging.
inline constexpr uint64_t kDirectMapBase = 0xffff888000000000;
// Documentation/x86/x86_64/mm.txt: where the cpu_entry_area of each CPU is mapped.
inline constexpr uint64_t kCpuEntryAreaBase = 0xfffffe0000000000;
// The first address that user mode may not use: TASK_SIZE_MAX of four level paging.
inline constexpr uint64_t kUserAddressEnd = 0x00007ffffffff000;

class Memory {
 public:
  Memory() = default;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Returns the page frame number of 2^order zeroed pages, aligned to their size. The machine's
  // memory is as large as it needs to be: only a fault point lets an allocation fail.
  // Range of order: 0 .. 10.
  uint64_t AllocatePages(int order);
  // `pfn` is what AllocatePages returned, `order` what it was given.
  void FreePages(uint64_t pfn, int order);

  // The bytes of a page that is not free.
  uint8_t* PageBytes(uint64_t pfn) const { return pages_[pfn]; }
  // The bytes behind a kernel address of the direct map or of a mapping made by MapKernel; nullptr
  // where there is nothing. Valid up to the end of the page (of the block, in the direct map).
  uint8_t* KernelBytes(uint64_t address) const {
    const Translation& kept = tlb_[(address >> kPageShift) % kTlbEntries];
    return kept.page == (address & kPageMask) ? kept.bytes + (address & ~kPageMask) : Walk(address);
  }
  // Loads or stores a word of 4 or 8 bytes, if it is aligned and in a page that was found lately:
  // one comparison tells. Returns false otherwise; KernelBytes may know better.
  template <typename T>
  bool LoadWord(uint64_t address, T* value) const {
    const Translation& kept = tlb_[(address >> kPageShift) % kTlbEntries];
    if (kept.page != (address & (kPageMask | (sizeof(T) - 1)))) [[unlikely]]
      return false;
    std::memcpy(value, kept.bytes + (address & ~kPageMask), sizeof(T));
    return true;
  }
  template <typename T>
  bool StoreWord(uint64_t address, T value) {
    const Translation& kept = tlb_[(address >> kPageShift) % kTlbEntries];
    if (kept.page != (address & (kPageMask | (sizeof(T) - 1)))) [[unlikely]]
      return false;
    std::memcpy(kept.bytes + (address & ~kPageMask), &value, sizeof(T));
    return true;
  }

  // Maps a page at a kernel address outside the direct map. Both page aligned.
  void MapKernel(uint64_t address, uint64_t pfn) {
    tlb_ = {};
    kernel_map_[address >> kPageShift] = pfn;
  }

  // Pages handed out and not freed.
  size_t pages_in_use() const { return pages_in_use_; }

 private:
  // What was found last, as in a CPU's own; never stale: emptied when a page is freed or mapped.
  static constexpr size_t kTlbEntries = 8;
  struct Translation {
    uint64_t page = UINT64_MAX;  // its address
    uint8_t* bytes = nullptr;
  };

  uint8_t* Walk(uint64_t address) const;

  std::vector<uint8_t*> pages_;  // by page frame number; nullptr: free
  std::vector<std::unique_ptr<uint8_t[]>> blocks_;
  std::vector<std::vector<uint64_t>> free_blocks_;  // by order: reusable blocks, last freed first
  std::vector<uint8_t*> free_bytes_;                // by page frame number, of free blocks
  absl::flat_hash_map<uint64_t, uint64_t> kernel_map_;
  size_t pages_in_use_ = 0;
  mutable std::array<Translation, kTlbEntries> tlb_;
};

// The bits of a page table entry that the model uses.
struct PageTableEntry {
  uint64_t pfn = 0;
  bool writable = false;
  bool dirty = false;
};

class AddressSpace {
 public:
  // Returns the entry of the page that `address` is in, or nullptr if it is not present. Valid
  // until the next Map or Unmap.
  const PageTableEntry* Find(uint64_t address) const;
  PageTableEntry* Find(uint64_t address) {
    const uint64_t page = address >> kPageShift;
    const Translation& kept = (*tlb_)[TlbIndex(page)];
    return kept.page == page ? kept.entry : Walk(page);
  }
  void Map(uint64_t address, PageTableEntry entry) {
    *tlb_ = {};
    entries_[address >> kPageShift] = entry;
  }
  // Does nothing where no page is mapped.
  void Unmap(uint64_t address) {
    *tlb_ = {};
    entries_.erase(address >> kPageShift);
  }
  size_t pages_mapped() const { return entries_.size(); }

 private:
  // As in Memory. On its own, since an mm_struct's size is part of the simulated addresses.
  static constexpr size_t kTlbEntries = 32;
  struct Translation {
    uint64_t page = UINT64_MAX;
    PageTableEntry* entry = nullptr;
  };

  // Pages that are a power of two apart, as buffers often are, have places of their own.
  static size_t TlbIndex(uint64_t page) { return (page ^ page / kTlbEntries) % kTlbEntries; }
  PageTableEntry* Walk(uint64_t page);

  absl::flat_hash_map<uint64_t, PageTableEntry> entries_;
  using Tlb = std::array<Translation, kTlbEntries>;
  std::unique_ptr<Tlb> tlb_ = std::make_unique<Tlb>();
};

}  // namespace kpath
