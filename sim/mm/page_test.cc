// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/page.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/mm/swap.h"
#include "sim/mm/test_mm.h"
#include "sim/mm/vmstat.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

TEST(PageTest, IsZeroedAndHasTheKernelAddressOfItsFrame) {
  TestMm mm;
  mm.kernel.Spawn("a", [] {
    const kptr<page> page = alloc_page(GFP_KERNEL);
    EXPECT_EQ(page_count(page), 1);
    EXPECT_FALSE(page_mapped(page));
    EXPECT_EQ(page_address(page), kDirectMapBase + (page->pfn << PAGE_SHIFT));
    EXPECT_EQ(pfn_to_page(page->pfn), page);
    const kmap_ptr mapped = kmap(page);
    EXPECT_EQ(*mapped.as<uint64_t>(PAGE_SIZE - 8), 0u);
    *mapped.as<uint64_t>(8) = 7;
    EXPECT_EQ(current->cpu->Read64(page_address(page) + 8), 7u);
    kunmap(page);
    put_page(page);
  });
  EXPECT_EQ(mm.Run(), "");
}

TEST(PageTest, IsFreedWithItsLastReference) {
  TestMm mm;
  mm.kernel.Spawn("a", [] {
    const size_t before = current->machine->memory.pages_in_use();
    const kptr<page> page = alloc_page(GFP_KERNEL);
    const uint64_t pfn = page->pfn;
    get_page(page);
    put_page(page);
    EXPECT_TRUE(page.alive());
    EXPECT_EQ(current->machine->memory.pages_in_use(), before + 1);
    put_page(page);
    EXPECT_FALSE(page.alive());
    EXPECT_EQ(current->machine->memory.pages_in_use(), before);
    EXPECT_FALSE(pfn_to_page(pfn));
  });
  EXPECT_EQ(mm.Run(), "");
}

TEST(PageTest, ThatNobodyPutsIsALeak) {
  TestMm mm;
  mm.kernel.Spawn("a", [] { alloc_page(GFP_KERNEL); });
  EXPECT_THAT(mm.Run(), HasSubstr("BUG page: object 0xffffea"));
}

TEST(PageTest, UsedAfterItWasFreedIsReported) {
  TestMm mm;
  mm.kernel.Spawn("a", [] {
    const kptr<page> page = alloc_page(GFP_KERNEL);
    put_page(page);
    get_page(page);
  });
  EXPECT_THAT(mm.Run(), HasSubstr("KASAN: use-after-free"));
}

TEST(PageTest, FreedWhileLockedIsReported) {
  TestMm mm;
  mm.kernel.Spawn("a", [] {
    const kptr<page> page = alloc_page(GFP_KERNEL);
    page->flags |= PG_locked;
    put_page(page);
  });
  EXPECT_THAT(mm.Run(), HasSubstr("BUG: Bad page state in process a"));
}

TEST(PageTest, NobodySleepsBetweenKmapAtomicAndKunmapAtomic) {
  TestMm mm;
  mm.kernel.Spawn("a", [] {
    const kptr<page> page = alloc_page(GFP_KERNEL);
    kunmap_atomic(kmap_atomic(page));
    might_sleep();  // allowed again
    kmap_atomic(page);
    might_sleep();
  });
  EXPECT_THAT(mm.Run(), HasSubstr("BUG: sleeping function called from invalid context"));
}

// Answers every question about allocations with "it fails".
class NoMemory : public Chooser {
 public:
  int Choose(uint64_t, ChoiceKind kind, int) override {
    return kind == ChoiceKind::kFailAlloc && on ? 1 : 0;
  }
  bool on = false;
};

TEST(PageTest, IsNullWhenMemoryIsExhausted) {
  auto owned = std::make_unique<NoMemory>();
  NoMemory* chooser = owned.get();
  TestMm mm(1, std::move(owned));
  mm.kernel.Spawn("a", [&] {
    chooser->on = true;
    EXPECT_FALSE(alloc_page(GFP_KERNEL));
    chooser->on = false;
  });
  EXPECT_EQ(mm.Run(), "");
}

TEST(MarkPageAccessedTest, TakesTwoUsesToMakeAPageActive) {
  TestMm mm;
  mm.kernel.Spawn("a", [] {
    const kptr<page> page = alloc_page(GFP_KERNEL);
    lru_cache_add(page);
    mark_page_accessed(page);
    EXPECT_TRUE(PageReferenced(page));
    EXPECT_FALSE(PageActive(page));
    mark_page_accessed(page);
    EXPECT_FALSE(PageReferenced(page));
    EXPECT_TRUE(PageActive(page));
    mark_page_accessed(page);
    EXPECT_TRUE(PageReferenced(page));
    put_page(page);
  });
  EXPECT_EQ(mm.Run(), "");
}

}  // namespace
}  // namespace kpath
