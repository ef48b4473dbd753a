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

}  // namespace
}  // namespace kpath
