// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/memory.h"

#include "gtest/gtest.h"

namespace kpath {
namespace {

TEST(Memory, BlocksAreAlignedZeroedAndContiguous) {
  Memory memory;
  memory.AllocatePages(0);
  const uint64_t pfn = memory.AllocatePages(2);
  EXPECT_EQ(pfn % 4, 0u);
  EXPECT_EQ(memory.PageBytes(pfn + 3), memory.PageBytes(pfn) + 3 * kPageSize);
  for (uint64_t i = 0; i < 4 * kPageSize; ++i) ASSERT_EQ(memory.PageBytes(pfn)[i], 0);
  EXPECT_EQ(memory.pages_in_use(), 5u);
}

TEST(Memory, FreedBlocksComeBackZeroedLastFreedFirst) {
  Memory memory;
  const uint64_t one = memory.AllocatePages(0), two = memory.AllocatePages(0);
  EXPECT_EQ(two, one - 1);  // not one behind the other
  memory.PageBytes(two)[7] = 1;
  memory.FreePages(one, 0);
  memory.FreePages(two, 0);
  EXPECT_EQ(memory.pages_in_use(), 0u);
  EXPECT_EQ(memory.AllocatePages(0), two);
  EXPECT_EQ(memory.PageBytes(two)[7], 0);
  EXPECT_EQ(memory.AllocatePages(0), one);
}

TEST(MemoryDeathTest, FreeingTwiceIsNoticed) {
  Memory memory;
  const uint64_t pfn = memory.AllocatePages(0);
  memory.FreePages(pfn, 0);
  EXPECT_DEATH(memory.FreePages(pfn, 0), "check failed");
}

TEST(Memory, KernelAddressesReachTheBytes) {
  Memory memory;
  const uint64_t pfn = memory.AllocatePages(0);
  EXPECT_EQ(memory.KernelBytes(kDirectMapBase + (pfn << kPageShift) + 5),
            memory.PageBytes(pfn) + 5);
  EXPECT_EQ(memory.KernelBytes(kDirectMapBase), nullptr);
  EXPECT_EQ(memory.KernelBytes(kCpuEntryAreaBase), nullptr);
  memory.MapKernel(kCpuEntryAreaBase, pfn);
  EXPECT_EQ(memory.KernelBytes(kCpuEntryAreaBase + 9), memory.PageBytes(pfn) + 9);
  memory.FreePages(pfn, 0);
  EXPECT_EQ(memory.KernelBytes(kDirectMapBase + (pfn << kPageShift)), nullptr);
}

TEST(Memory, WordsAreReachedThroughWhatWasFoundLately) {
  Memory memory;
  const uint64_t pfn = memory.AllocatePages(0);
  const uint64_t address = kDirectMapBase + (pfn << kPageShift) + 8;
  uint64_t value = 0;
  EXPECT_FALSE(memory.LoadWord(address, &value));  // not found yet
  ASSERT_NE(memory.KernelBytes(address), nullptr);
  EXPECT_TRUE(memory.StoreWord(address, uint64_t{0x1122334455667788}));
  EXPECT_TRUE(memory.LoadWord(address, &value));
  EXPECT_EQ(value, 0x1122334455667788);
  uint32_t half = 0;
  EXPECT_TRUE(memory.LoadWord(address + 4, &half));
  EXPECT_EQ(half, 0x11223344u);
  EXPECT_FALSE(memory.LoadWord(address + 4, &value));  // not aligned
  EXPECT_FALSE(memory.LoadWord(address + kPageSize, &value));
  memory.FreePages(pfn, 0);
  EXPECT_FALSE(memory.LoadWord(address, &value));
}

TEST(AddressSpace, FindsWhatIsMapped) {
  AddressSpace space;
  EXPECT_EQ(space.Find(0x1000), nullptr);
  space.Map(0x1000, {.pfn = 5, .writable = true});
  ASSERT_NE(space.Find(0x1fff), nullptr);
  EXPECT_EQ(space.Find(0x1fff)->pfn, 5u);
  EXPECT_EQ(space.Find(0x2000), nullptr);
  space.Unmap(0x1234);
  EXPECT_EQ(space.Find(0x1000), nullptr);
  EXPECT_EQ(space.pages_mapped(), 0u);
}

TEST(AddressSpace, WhatWasFoundStaysTrueAsOthersAreMapped) {
  AddressSpace space;
  space.Map(0x1000, {.pfn = 5});
  ASSERT_NE(space.Find(0x1000), nullptr);
  for (uint64_t page = 2; page < 1000; ++page) space.Map(page << kPageShift, {.pfn = page});
  space.Find(0x1000)->dirty = true;
  const AddressSpace& same = space;
  EXPECT_TRUE(same.Find(0x1000)->dirty);
  space.Map(0x1000, {.pfn = 6});
  EXPECT_EQ(space.Find(0x1000)->pfn, 6u);
}

}  // namespace
}  // namespace kpath
