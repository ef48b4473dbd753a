// SPDX-License-Identifier: Apache-2.0
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/test_limits.h"
#include "sim/mm/memory.h"
#include "sim/mm/test_mm.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr unsigned long kAt = 0x10000000;
constexpr unsigned long kTo = 0x20000000;
constexpr unsigned long kRw = PROT_READ | PROT_WRITE;
constexpr unsigned long kMove = MREMAP_MAYMOVE | MREMAP_FIXED;

void InProcess(const std::function<void()>& body) {
  TestMm mm;
  mm.SpawnProcess("a", body);
  EXPECT_EQ(mm.Run(), "");
}

long Mremap(unsigned long addr, unsigned long old_pages, unsigned long new_pages,
            unsigned long flags = 0, unsigned long to = 0) {
  return Call(__x64_sys_mremap, addr, old_pages * PAGE_SIZE, new_pages * PAGE_SIZE, flags, to);
}

// What mremap(...) says; "" if it succeeded.
std::string WhyNot(long result) { return result < 0 ? current->reason.ToString() : ""; }

int ReadInt(unsigned long addr) {
  int value = -1;
  EXPECT_EQ(get_user(value, user_ptr<int>(addr)), 0);
  return value;
}

TEST(MremapTest, ShrinkingUnmapsTheEnd) {
  InProcess([] {
    MapAnonymous(4 * PAGE_SIZE, kRw, MAP_FIXED, kAt);
    EXPECT_EQ(Mremap(kAt, 4, 1), static_cast<long>(kAt));
    EXPECT_EQ(Areas(), "10000000-10001000");
    EXPECT_EQ(Mremap(kAt, 1, 1), static_cast<long>(kAt));
  });
}

TEST(MremapTest, GrowsInPlaceWhereThereIsRoom) {
  InProcess([] {
    MapAnonymous(PAGE_SIZE, kRw, MAP_FIXED, kAt);
    EXPECT_EQ(Mremap(kAt, 1, 3), static_cast<long>(kAt));
    EXPECT_EQ(Areas(), "10000000-10003000");
    EXPECT_EQ(current->mm->total_vm, 3u);
  });
}

TEST(MremapTest, MovesWithItsContentsWhereThereIsNone) {
  InProcess([] {
    MapAnonymous(2 * PAGE_SIZE, kRw, MAP_FIXED | MAP_POPULATE, kAt);
    MapAnonymous(PAGE_SIZE, PROT_READ, MAP_FIXED, kAt + 2 * PAGE_SIZE);
    EXPECT_EQ(put_user(7, user_ptr<int>(kAt + PAGE_SIZE)), 0);
    EXPECT_THAT(WhyNot(Mremap(kAt, 2, 3)), StartsWith("ENOMEM: no room to grow at 0x10002000"));
    const long moved = Mremap(kAt, 2, 3, MREMAP_MAYMOVE);
    EXPECT_EQ(moved, static_cast<long>(current->mm->mmap_base - 3 * PAGE_SIZE));
    EXPECT_EQ(ReadInt(static_cast<unsigned long>(moved) + PAGE_SIZE), 7);
    EXPECT_THAT(Areas(), StartsWith("10002000-10003000 "));
    EXPECT_EQ(current->mm->total_vm, 4u);
  });
}

TEST(MremapTest, MovesToAFixedPlaceAndReplacesWhatIsThere) {
  InProcess([] {
    MapAnonymous(2 * PAGE_SIZE, kRw, MAP_FIXED | MAP_POPULATE, kAt);
    MapAnonymous(3 * PAGE_SIZE, kRw, MAP_FIXED | MAP_POPULATE, kTo);
    EXPECT_EQ(put_user(7, user_ptr<int>(kAt)), 0);
    EXPECT_EQ(Mremap(kAt, 2, 1, kMove, kTo + PAGE_SIZE), static_cast<long>(kTo + PAGE_SIZE));
    EXPECT_EQ(ReadInt(kTo + PAGE_SIZE), 7);
    EXPECT_EQ(Areas(), "20000000-20001000 20001000-20002000 20002000-20003000");
    EXPECT_EQ(current->mm->page_table.size(), 3u);
  });
}

TEST(MremapTest, RefusesWithTheReason) {
  InProcess([] {
    MapAnonymous(2 * PAGE_SIZE, kRw, MAP_FIXED, kAt);
    EXPECT_EQ(WhyNot(Mremap(kAt, 1, 2, 8)), "EINVAL: flags 0x8 has unknown bits");
    EXPECT_EQ(WhyNot(Mremap(kAt, 1, 2, MREMAP_FIXED, kTo)),
              "EINVAL: MREMAP_FIXED without MREMAP_MAYMOVE");
    EXPECT_EQ(WhyNot(Mremap(kAt + 1, 1, 2)), "EINVAL: address 0x10000001 is not page aligned");
    EXPECT_EQ(WhyNot(Mremap(kAt, 1, 0)), "EINVAL: new size is 0");
    EXPECT_EQ(WhyNot(Mremap(kTo, 1, 2)), "EFAULT: 0x20000000 is not mapped");
    EXPECT_THAT(WhyNot(Mremap(kAt, 3, 4)),
                StartsWith("EFAULT: old size 12288 goes beyond the end"));
    EXPECT_THAT(WhyNot(Mremap(kAt, 0, 1, MREMAP_MAYMOVE)), HasSubstr("this one is private"));
    EXPECT_EQ(WhyNot(Mremap(kAt, 1, 1, kMove, kTo + 1)),
              "EINVAL: new address 0x20000001 is not page aligned");
    EXPECT_THAT(WhyNot(Mremap(kAt, 2, 2, kMove, kAt + PAGE_SIZE)), HasSubstr("overlap"));
    EXPECT_THAT(WhyNot(Mremap(kAt, 1, 1, kMove, TASK_SIZE)), HasSubstr("user address limit"));
    const TestLimit limit(RLIMIT_AS, 2 * PAGE_SIZE);
    EXPECT_THAT(WhyNot(Mremap(kAt, 2, 3)), HasSubstr("RLIMIT_AS"));
    EXPECT_EQ(Areas(), "10000000-10002000");
  });
}

TEST(MremapTest, AnOldSizeOfZeroDuplicatesASharedMapping) {
  InProcess([] {
    const unsigned long first =
        vm_mmap_pgoff(nullptr, kAt, PAGE_SIZE, kRw, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, 0);
    EXPECT_EQ(put_user(7, user_ptr<int>(first)), 0);
    const auto second = static_cast<unsigned long>(Mremap(first, 0, 1, MREMAP_MAYMOVE));
    EXPECT_EQ(current->mm->map_count, 2);
    mm_populate(second, PAGE_SIZE);
    EXPECT_EQ(ReadInt(first), 7);
    EXPECT_EQ(ReadInt(second), 7);
  });
}

int g_mremap_calls;
int g_mremap_result;

const vm_operations_struct kWatchedOps = {.name = "watched", .mremap = [](kptr<vm_area_struct>) {
                                            ++g_mremap_calls;
                                            return g_mremap_result;
                                          }};

// What fs/aio.c builds on: only a move calls the hook, and a hook that refuses undoes the move.
TEST(MremapTest, TheHookOfAnAreaMayUndoTheMove) {
  InProcess([] {
    MapAnonymous(2 * PAGE_SIZE, kRw, MAP_FIXED | MAP_POPULATE, kAt);
    EXPECT_EQ(put_user(7, user_ptr<int>(kAt)), 0);
    find_vma(current->mm, kAt)->vm_ops = &kWatchedOps;
    g_mremap_calls = 0;
    g_mremap_result = -EINVAL;
    EXPECT_EQ(Mremap(kAt, 2, 2, kMove, kTo), -EINVAL);
    EXPECT_EQ(g_mremap_calls, 1);
    EXPECT_EQ(Areas(), "10000000-10002000");
    EXPECT_EQ(ReadInt(kAt), 7);
    EXPECT_EQ(current->mm->total_vm, 2u);
    g_mremap_result = 0;
    EXPECT_EQ(Mremap(kAt, 2, 2, kMove, kTo), static_cast<long>(kTo));
    EXPECT_EQ(ReadInt(kTo), 7);
    EXPECT_EQ(Mremap(kTo, 2, 1), static_cast<long>(kTo));
    EXPECT_EQ(g_mremap_calls, 2);
  });
}

TEST(MremapTest, AnAreaThatMustNotGrowIsMovedButNeitherGrownNorDuplicated) {
  InProcess([] {
    const unsigned long at =
        vm_mmap_pgoff(nullptr, kAt, PAGE_SIZE, kRw, MAP_SHARED | MAP_ANONYMOUS, 0);
    find_vma(current->mm, at)->vm_flags |= VM_DONTEXPAND;
    EXPECT_THAT(WhyNot(Mremap(at, 1, 2, MREMAP_MAYMOVE)), StartsWith("EFAULT: the area at"));
    EXPECT_THAT(WhyNot(Mremap(at, 0, 1, MREMAP_MAYMOVE)), StartsWith("EFAULT: the area at"));
    EXPECT_EQ(Mremap(at, 1, 1, kMove, kTo), static_cast<long>(kTo));
  });
}

}  // namespace
}  // namespace kpath
