// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/uaccess.h"
#include "sim/mm/page.h"

namespace kpath {
namespace {

// v4.19 include/asm-generic/memory_model.h: where the array of struct page is mapped.
constexpr uint64_t kVmemmapBase = 0xffffea0000000000;
constexpr uint64_t kSizeofStructPage = 64;

// The pages' descriptors, one for each page frame in use. They are counted as the objects of a slab
// cache are, so that a page which nobody frees shows in DescribeLeaks.
class PageDescriptors final : public kmem_cache_base {
 public:
  PageDescriptors() : kmem_cache_base(page::kSlabName, sizeof(page)) {}
  ~PageDescriptors() override { DestroyLiveObjects(); }

  kptr<page> Make() {
    Memory& memory = current->machine->memory;
    const uint64_t pfn = memory.AllocatePages(0);
    SlabHeader* header = Take();
    header->address = kVmemmapBase + pfn * kSizeofStructPage;
    const kptr<page> made(new (ObjectOf(header)) page{.pfn = pfn});
    if (by_pfn_.size() <= pfn) by_pfn_.resize(pfn + 1);
    by_pfn_[pfn] = made;
    return made;
  }

  void Release(kptr<page> page) {
    const uint64_t pfn = page->pfn;
    by_pfn_[pfn] = nullptr;
    Give(HeaderOf(page.get()), page.generation());
    current->machine->memory.FreePages(pfn, 0);
  }

  kptr<page> Find(uint64_t pfn) const { return pfn < by_pfn_.size() ? by_pfn_[pfn] : nullptr; }
  uint64_t end() const { return by_pfn_.size(); }

 private:
  size_t Destroy(void* object) override {
    static_cast<page*>(object)->~page();
    return sizeof(page);
  }

  std::vector<kptr<page>> by_pfn_;
};

KernelGlobal<PageDescriptors> mem_map;

// v4.19 mm/page_alloc.c: bad_page
[[noreturn]] void bad_page(kptr<page> page, const char* reason) {
  Report(absl::StrCat("BUG: Bad page state in process ", current->comm,
                      "  pfn:", absl::Hex(page->pfn, absl::kZeroPad5)),
         {absl::StrCat("page:0x", absl::Hex(page.address()), " count:", page_count(page),
                       " mapcount:", page_mapcount(page), " index:0x", absl::Hex(page->index),
                       " flags: 0x", absl::Hex(page->flags)),
          absl::StrCat("page dumped because: ", reason)});
}

// v4.19 mm/page_alloc.c: get_page_from_freelist
kptr<page> get_page_from_freelist(gfp_t gfp_mask) {
  FUNCTION(static_cast<uint32_t>(gfp_mask));
  if (current->machine->Choose(ChoiceKind::kFailAlloc, 2) != 0) return nullptr;
  return fn.Return(mem_map->Make());
}

// v4.19 mm/page_alloc.c: free_pages_check
void free_pages_check(kptr<page> page) {
  if (page_mapped(page)) bad_page(page, "nonzero mapcount");
  if (page->mapping != nullptr) bad_page(page, "non-NULL mapping");
  if (page_count(page) != 0) bad_page(page, "nonzero _refcount");
  if (PageLocked(page)) bad_page(page, "PAGE_FLAGS_CHECK_AT_FREE flag(s) set: locked");
  if (PageWriteback(page)) bad_page(page, "PAGE_FLAGS_CHECK_AT_FREE flag(s) set: writeback");
}

// v4.19 mm/swap.c: __put_page
void __put_page(kptr<page> page) {
  FUNCTION(page);
  free_unref_page(page);
}

}  // namespace

bool TestSetPageDirty(kptr<page> page) {
  const bool was_dirty = PageDirty(page);
  SetPageDirty(page);
  return was_dirty;
}

kptr<page> __alloc_pages_nodemask(gfp_t gfp_mask) {
  FUNCTION(static_cast<uint32_t>(gfp_mask));
  if ((gfp_mask & GFP_KERNEL) != 0) might_sleep();
  return fn.Return(get_page_from_freelist(gfp_mask));
}

void free_unref_page(kptr<page> page) {
  FUNCTION(page);
  free_pages_check(page);
  mem_map->Release(page);
}

void get_page(kptr<page> page) {
  if (page->_refcount <= 0) bad_page(page, "a reference is taken of a page without any");
  ++page->_refcount;
}

void put_page(kptr<page> page) {
  if (page->_refcount <= 0) bad_page(page, "more references put than were taken");
  if (--page->_refcount == 0) __put_page(page);
}

kptr<page> pfn_to_page(uint64_t pfn) { return mem_map->Find(pfn); }

uint64_t max_pfn() { return mem_map->end(); }

kmap_ptr kmap_atomic(kptr<page> page) {
  FUNCTION(page);
  pagefault_disable();
  return fn.Return(kmap_ptr(page));
}

void kunmap_atomic(kmap_ptr mapped) {
  FUNCTION(mapped);
  pagefault_enable();
}

kmap_ptr kmap(kptr<page> page) {
  FUNCTION(page);
  might_sleep();
  return fn.Return(kmap_ptr(page));
}

void kunmap(kptr<page> page) { FUNCTION(page); }

void zero_user_segment(kptr<page> page, unsigned start, unsigned end) {
  const kmap_ptr mapped = kmap_atomic(page);
  std::memset(mapped.bytes() + start, 0, end - start);
  kunmap_atomic(mapped);
}

void copy_highpage(kptr<page> to, kptr<page> from) {
  const kmap_ptr vfrom = kmap_atomic(from);
  const kmap_ptr vto = kmap_atomic(to);
  std::memcpy(vto.bytes(), vfrom.bytes(), PAGE_SIZE);
  kunmap_atomic(vto);
  kunmap_atomic(vfrom);
}

}  // namespace kpath
