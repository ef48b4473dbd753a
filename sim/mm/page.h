// SPDX-License-Identifier: Apache-2.0
//
// Physical pages as the kernel knows them. v4.19 include/linux/{mm_types,mm,gfp,page-flags}.h,
// mm/page_alloc.c
//
//   kptr<page> page = alloc_page(GFP_HIGHUSER | __GFP_ZERO);
//   if (!page) return Fail(ENOMEM, "no page");
//   kmap_ptr mapped = kmap_atomic(page);
//   mapped.as<aio_ring>()->nr = 7;
//   kunmap_atomic(mapped);
//   put_page(page);
//
// Departs: pages of order 0 only; every page is handed out zeroed; there are no zones, nodes or
// free lists, so that an allocation only fails where a choice says so (ChoiceKind::kFailAlloc).
//
// Context: any; with GFP_KERNEL where sleeping is allowed.
//
// Invariants
//   1. A page is freed when its last reference is put. References: one of whoever allocated it or
//   got
//      it, one of the page cache that it is in, one for each page table entry that refers to it.
//   2. _mapcount + 1 = page table entries that refer to it.
//   3. A page that is freed is neither locked, nor being written back, nor mapped, nor in a page
//      cache (reported).
#pragma once

#include <cstdint>

#include "sim/kernel/slab.h"
#include "sim/machine/memory.h"

namespace kpath {

struct address_space;
struct buffer_head;

using pgoff_t = uint64_t;

inline constexpr unsigned PAGE_SHIFT = kPageShift;
inline constexpr unsigned long PAGE_SIZE = kPageSize;
inline constexpr unsigned long PAGE_MASK = kPageMask;

constexpr unsigned long PAGE_ALIGN(unsigned long address) {
  return (address + PAGE_SIZE - 1) & PAGE_MASK;
}
constexpr unsigned long offset_in_page(unsigned long address) { return address & ~PAGE_MASK; }

// ---- gfp flags besides GFP_ATOMIC and GFP_KERNEL (slab.h). include/linux/gfp.h ----
inline constexpr gfp_t __GFP_HIGHMEM = gfp_t{0x2};
inline constexpr gfp_t __GFP_MOVABLE = gfp_t{0x8};
inline constexpr gfp_t __GFP_ZERO = gfp_t{0x8000};
constexpr gfp_t operator|(gfp_t a, gfp_t b) {
  return static_cast<gfp_t>(static_cast<uint32_t>(a) | static_cast<uint32_t>(b));
}
inline constexpr gfp_t GFP_USER = GFP_KERNEL;
inline constexpr gfp_t GFP_HIGHUSER = GFP_USER | __GFP_HIGHMEM;
inline constexpr gfp_t GFP_HIGHUSER_MOVABLE = GFP_HIGHUSER | __GFP_MOVABLE;

// ---- page::flags. include/linux/page-flags.h ----
enum pageflags : unsigned long {
  PG_locked = 1 << 0,
  PG_error = 1 << 1,
  PG_referenced = 1 << 2,
  PG_uptodate = 1 << 3,
  PG_dirty = 1 << 4,
  PG_lru = 1 << 5,
  PG_active = 1 << 6,
  PG_private = 1 << 13,
  PG_writeback = 1 << 15,
  PG_readahead = 1 << 18,  // PG_reclaim, of a page that is being read
  PG_swapbacked = 1 << 19,
  // Departs: a bit of its own; Linux keeps it in page::mapping (PAGE_MAPPING_ANON).
  PG_anon = 1 << 30,
};

struct page {
  static constexpr const char* kSlabName = "page";

  unsigned long flags = 0;           // PG_*
  address_space* mapping = nullptr;  // the page cache that it is in
  pgoff_t index = 0;                 // its place in that file
  int _refcount = 1;
  int _mapcount = -1;
  uint64_t pfn = 0;  // the page frame
  // PG_private: the first of its blocks (sim/vfs/disk/buffer_head.h). `private` in Linux.
  kptr<buffer_head> private_ = {};
};

inline bool PageLocked(kptr<page> page) { return (page->flags & PG_locked) != 0; }
inline bool PageUptodate(kptr<page> page) { return (page->flags & PG_uptodate) != 0; }
inline bool PageDirty(kptr<page> page) { return (page->flags & PG_dirty) != 0; }
inline bool PageError(kptr<page> page) { return (page->flags & PG_error) != 0; }
inline bool PageWriteback(kptr<page> page) { return (page->flags & PG_writeback) != 0; }
inline bool PagePrivate(kptr<page> page) { return (page->flags & PG_private) != 0; }
inline bool PageReadahead(kptr<page> page) { return (page->flags & PG_readahead) != 0; }
inline bool PageReferenced(kptr<page> page) { return (page->flags & PG_referenced) != 0; }
inline bool PageActive(kptr<page> page) { return (page->flags & PG_active) != 0; }
inline bool PageLRU(kptr<page> page) { return (page->flags & PG_lru) != 0; }
inline bool PageSwapBacked(kptr<page> page) { return (page->flags & PG_swapbacked) != 0; }
inline bool PageAnon(kptr<page> page) { return (page->flags & PG_anon) != 0; }
inline void SetPageUptodate(kptr<page> page) { page->flags |= PG_uptodate; }
inline void ClearPageUptodate(kptr<page> page) { page->flags &= ~PG_uptodate; }
inline void SetPageError(kptr<page> page) { page->flags |= PG_error; }
inline void ClearPageError(kptr<page> page) { page->flags &= ~PG_error; }
inline void SetPageReadahead(kptr<page> page) { page->flags |= PG_readahead; }
inline void ClearPageReadahead(kptr<page> page) { page->flags &= ~PG_readahead; }
inline void SetPageDirty(kptr<page> page) { page->flags |= PG_dirty; }
inline void ClearPageDirty(kptr<page> page) { page->flags &= ~PG_dirty; }
// Sets the bit; returns whether it was set before.
bool TestSetPageDirty(kptr<page> page);

inline int page_count(kptr<page> page) { return page->_refcount; }
inline int page_mapcount(kptr<page> page) { return page->_mapcount + 1; }
inline bool page_mapped(kptr<page> page) { return page->_mapcount >= 0; }
inline bool page_is_file_cache(kptr<page> page) { return !PageSwapBacked(page); }

// ---- Allocating ----
// v4.19 mm/page_alloc.c: __alloc_pages_nodemask. One zeroed page with one reference, the caller's.
// Null: memory is exhausted.
kptr<page> __alloc_pages_nodemask(gfp_t gfp_mask);
inline kptr<page> alloc_page(gfp_t gfp_mask) { return __alloc_pages_nodemask(gfp_mask); }

void get_page(kptr<page> page);
// Puts a reference; the last one frees the page.
void put_page(kptr<page> page);
// v4.19 mm/page_alloc.c: free_unref_page. REQUIRES: no reference is left.
void free_unref_page(kptr<page> page);

// The page of a page frame that was handed out here; null for frames that are something else.
kptr<page> pfn_to_page(uint64_t pfn);
// One more than the highest page frame that has been handed out here.
uint64_t max_pfn();

// ---- Looking inside ----
// The page's kernel address, in the direct map.
inline uint64_t page_address(kptr<page> page) { return kDirectMapBase + (page->pfn << PAGE_SHIFT); }

// A page that is mapped into the kernel: what kmap_atomic returns. Shown as the kernel address.
class kmap_ptr {
 public:
  explicit kmap_ptr(kptr<page> page) : page_(page) {}
  // The object of type T at `offset`, which must end within the page. Valid until the unmapping.
  template <typename T>
  T* as(size_t offset = 0) const {
    return reinterpret_cast<T*>(bytes() + offset);
  }
  uint8_t* bytes() const { return current_context->machine->memory.PageBytes(page_->pfn); }
  uint64_t address() const { return page_address(page_); }

 private:
  kptr<page> page_;
};
inline Value MakeValue(kmap_ptr mapped) { return Value::Address(mapped.address()); }

// v4.19 include/linux/highmem.h: until kunmap_atomic nobody sleeps, and an access to user memory
// that would have to bring in a page fails.
kmap_ptr kmap_atomic(kptr<page> page);
void kunmap_atomic(kmap_ptr mapped);
// v4.19 include/linux/highmem.h: the same without these limits. Context: may sleep.
kmap_ptr kmap(kptr<page> page);
void kunmap(kptr<page> page);

// Zeroes bytes [start, end) of the page.
void zero_user_segment(kptr<page> page, unsigned start, unsigned end);
void copy_highpage(kptr<page> to, kptr<page> from);

}  // namespace kpath
