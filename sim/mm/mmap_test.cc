// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/mmap.h"

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
constexpr unsigned long kRw = PROT_READ | PROT_WRITE;

void InProcess(const std::function<void()>& body) {
  TestMm mm;
  mm.SpawnProcess("a", body);
  EXPECT_EQ(mm.Run(), "");
}

unsigned long MapAt(unsigned long addr, unsigned long pages, unsigned long prot = kRw,
                    unsigned long flags = 0) {
  return MapAnonymous(pages * PAGE_SIZE, prot, MAP_FIXED | flags, addr);
}

// An mmap that fails: the errno and why.
std::string WhyNot(unsigned long addr) {
  return IS_ERR_VALUE(addr) ? current->reason.ToString() : "it did not fail";
}

TEST(MmapTest, PlacesAreasFromTheTopDownAndReusesGaps) {
  InProcess([] {
    const unsigned long top = current->mm->mmap_base;
    const unsigned long first = MapAnonymous(2 * PAGE_SIZE, PROT_READ);
    const unsigned long second = MapAnonymous(PAGE_SIZE, kRw);
    const unsigned long third = MapAnonymous(1, PROT_NONE);
    EXPECT_EQ(first, top - 2 * PAGE_SIZE);
    EXPECT_EQ(second, first - PAGE_SIZE);
    EXPECT_EQ(third, second - PAGE_SIZE);
    EXPECT_EQ(vm_munmap(first, 2 * PAGE_SIZE), 0);
    EXPECT_EQ(MapAnonymous(3 * PAGE_SIZE, PROT_READ),
              third - 3 * PAGE_SIZE);  // the gap is too small
    EXPECT_EQ(MapAnonymous(PAGE_SIZE, PROT_READ), top - PAGE_SIZE);
    EXPECT_EQ(current->mm->total_vm, 6u);
  });
}

TEST(MmapTest, AHintIsTakenWhereItIsFree) {
  InProcess([] {
    EXPECT_EQ(MapAnonymous(PAGE_SIZE, kRw, 0, kAt + 5), kAt);
    EXPECT_NE(MapAnonymous(PAGE_SIZE, kRw, 0, kAt), kAt);
    EXPECT_EQ(MapAnonymous(PAGE_SIZE, PROT_READ, 0, PAGE_SIZE), mmap_min_addr);
  });
}

TEST(MmapTest, ARecordedPlaceIsUsedOnceAndOnlyIfFree) {
  InProcess([] {
    SetNextUnmappedArea(current->mm, kAt);
    EXPECT_EQ(MapAnonymous(PAGE_SIZE), kAt);
    EXPECT_NE(MapAnonymous(PAGE_SIZE), kAt + PAGE_SIZE);
    SetNextUnmappedArea(current->mm, kAt);
    EXPECT_EQ(MapAnonymous(PAGE_SIZE, PROT_READ), current->mm->mmap_base - 2 * PAGE_SIZE);
  });
}

TEST(MmapTest, MapFixedReplacesWhatIsThere) {
  InProcess([] {
    EXPECT_EQ(MapAt(kAt, 4, kRw, MAP_POPULATE), kAt);
    EXPECT_EQ(current->mm->page_table.size(), 4u);
    EXPECT_EQ(MapAt(kAt + PAGE_SIZE, 2, PROT_READ), kAt + PAGE_SIZE);
    EXPECT_EQ(Areas(), "10000000-10001000 10001000-10003000 10003000-10004000");
    EXPECT_EQ(current->mm->page_table.size(), 2u);
    EXPECT_EQ(current->mm->rss_stat[MM_ANONPAGES], 2);
  });
}

TEST(MmapTest, NeighboursOfOneKindAreOneArea) {
  InProcess([] {
    MapAt(kAt, 1);
    MapAt(kAt + 2 * PAGE_SIZE, 1);
    EXPECT_EQ(current->mm->map_count, 2);
    MapAt(kAt + PAGE_SIZE, 1);
    EXPECT_EQ(Areas(), "10000000-10003000");
    EXPECT_EQ(current->mm->map_count, 1);
    MapAt(kAt + 3 * PAGE_SIZE, 1, PROT_READ);
    EXPECT_EQ(current->mm->map_count, 2);
    MapAt(kAt - PAGE_SIZE, 1);
    EXPECT_EQ(Areas(), "ffff000-10003000 10003000-10004000");
  });
}

TEST(MmapTest, RefusesWithTheReason) {
  InProcess([] {
    EXPECT_EQ(WhyNot(MapAnonymous(0)), "EINVAL: length is 0");
    EXPECT_THAT(WhyNot(MapAnonymous(~0ul)),
                StartsWith("ENOMEM: length 18446744073709551615 wraps"));
    EXPECT_THAT(WhyNot(MapAnonymous(TASK_SIZE + PAGE_SIZE)),
                HasSubstr("more than an address space has"));
    EXPECT_EQ(WhyNot(MapAnonymous(1, kRw, MAP_FIXED, kAt + 1)),
              "EINVAL: address 0x10000001 is not page aligned");
    EXPECT_EQ(WhyNot(MapAnonymous(1, kRw, MAP_FIXED, 0x1000)),
              "EPERM: 0x1000 is below mmap_min_addr, 0x10000");
    EXPECT_THAT(WhyNot(MapAnonymous(PAGE_SIZE, kRw, MAP_FIXED, TASK_SIZE)),
                StartsWith("ENOMEM: 0x7ffffffff000 + 4096 bytes is beyond"));
    EXPECT_EQ(WhyNot(vm_mmap_pgoff(nullptr, 0, 1, kRw, MAP_ANONYMOUS, 0)),
              "EINVAL: flags say neither MAP_SHARED nor MAP_PRIVATE: type 0");
    EXPECT_THAT(
        WhyNot(vm_mmap_pgoff(nullptr, 0, PAGE_SIZE, kRw, MAP_PRIVATE | MAP_ANONYMOUS, ~0ul)),
        StartsWith("EOVERFLOW: page offset"));
    MapAt(kAt, 1);
    EXPECT_EQ(WhyNot(MapAt(kAt, 1, kRw, MAP_FIXED_NOREPLACE)),
              "EEXIST: MAP_FIXED_NOREPLACE, and 0x10000000 is in use");
    EXPECT_EQ(Areas(), "10000000-10001000");
  });
}

TEST(MmapTest, TheAddressSpaceLimitHolds) {
  InProcess([] {
    const TestLimit limit(RLIMIT_AS, 3 * PAGE_SIZE);
    EXPECT_FALSE(IS_ERR_VALUE(MapAnonymous(3 * PAGE_SIZE)));
    EXPECT_EQ(WhyNot(MapAnonymous(1)),
              "ENOMEM: 3 pages are mapped, 1 more are over RLIMIT_AS of 12288 bytes");
  });
}

TEST(MmapTest, AFileMustBeOpenForWhatIsAsked) {
  InProcess([] {
    const kptr<file> file = shmem_file_setup("x", PAGE_SIZE);
    file->f_mode &= ~FMODE_WRITE;
    EXPECT_THAT(WhyNot(vm_mmap_pgoff(file, 0, PAGE_SIZE, kRw, MAP_SHARED, 0)),
                StartsWith("EACCES: a shared writable mapping"));
    EXPECT_FALSE(IS_ERR_VALUE(vm_mmap_pgoff(file, 0, PAGE_SIZE, kRw, MAP_PRIVATE, 0)));
    const unsigned long shared = vm_mmap_pgoff(file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
    EXPECT_FALSE(IS_ERR_VALUE(shared));
    EXPECT_EQ(Call(__x64_sys_mprotect, shared, PAGE_SIZE, kRw), -EACCES);  // nor later
    file->f_mode &= ~FMODE_READ;
    EXPECT_THAT(WhyNot(vm_mmap_pgoff(file, 0, PAGE_SIZE, PROT_READ, MAP_PRIVATE, 0)),
                StartsWith("EACCES: a mapping of a file that is not open for reading"));
    EXPECT_EQ(file_count(file), 3);
    fput(file);
  });
}

TEST(MmapTest, AFileWithoutMmapOrOnANoexecFileSystemIsRefused) {
  InProcess([] {
    const kptr<file> file = shmem_file_setup("x", PAGE_SIZE);
    static constexpr file_operations kNone = {.name = "none"};
    const file_operations* fops = file->f_op;
    file->f_op = &kNone;
    EXPECT_EQ(WhyNot(vm_mmap_pgoff(file, 0, PAGE_SIZE, kRw, MAP_SHARED, 0)),
              "ENODEV: none has no mmap");
    file->f_op = fops;
    file_inode(file)->i_sb->s_iflags |= SB_I_NOEXEC;
    EXPECT_THAT(WhyNot(vm_mmap_pgoff(file, 0, PAGE_SIZE, PROT_EXEC, MAP_SHARED, 0)),
                StartsWith("EPERM: PROT_EXEC"));
    const unsigned long at = vm_mmap_pgoff(file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
    EXPECT_EQ(Call(__x64_sys_mprotect, at, PAGE_SIZE, PROT_EXEC), -EACCES);
    EXPECT_THAT(WhyNot(vm_mmap_pgoff(file, 0, PAGE_SIZE, kRw, MAP_SHARED_VALIDATE | MAP_SYNC, 0)),
                StartsWith("EOPNOTSUPP: flags 0x80000"));
    EXPECT_THAT(WhyNot(vm_mmap_pgoff(file, 0, PAGE_SIZE, kRw, MAP_SHARED, 1ul << 52)),
                StartsWith("EOVERFLOW"));
    fput(file);
  });
}

TEST(MmapTest, TheSystemCallChecksOffsetAndDescriptorFirst) {
  InProcess([] {
    EXPECT_EQ(Call(__x64_sys_mmap, 0, 0, kRw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1), -EINVAL);
    EXPECT_EQ(current->reason.ToString(), "EINVAL: offset 1 is not page aligned");
    const long at = Call(__x64_sys_mmap, 0, 5000, kRw, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_EQ(at, static_cast<long>(current->mm->mmap_base - 2 * PAGE_SIZE));
    EXPECT_EQ(Call(__x64_sys_munmap, at, 5000), 0);
    EXPECT_EQ(Areas(), "");
  });
}

TEST(MunmapTest, CutsAreasAtBothEndsAndInTheMiddle) {
  InProcess([] {
    MapAt(kAt, 8, kRw, MAP_POPULATE);
    EXPECT_EQ(vm_munmap(kAt + 3 * PAGE_SIZE, 2 * PAGE_SIZE), 0);
    EXPECT_EQ(Areas(), "10000000-10003000 10005000-10008000");
    EXPECT_EQ(vm_munmap(kAt + 2 * PAGE_SIZE, 4 * PAGE_SIZE), 0);
    EXPECT_EQ(Areas(), "10000000-10002000 10006000-10008000");
    EXPECT_EQ(vm_munmap(kAt, 1), 0);  // rounded up to a page
    EXPECT_EQ(Areas(), "10001000-10002000 10006000-10008000");
    EXPECT_EQ(current->mm->total_vm, 3u);
    EXPECT_EQ(current->mm->page_table.size(), 3u);
    EXPECT_EQ(vm_munmap(0, TASK_SIZE), 0);
    EXPECT_EQ(Areas(), "");
    EXPECT_EQ(current->mm->total_vm, 0u);
  });
}

TEST(MunmapTest, RefusesWithTheReasonAndAcceptsNothing) {
  InProcess([] {
    EXPECT_EQ(vm_munmap(kAt + 1, PAGE_SIZE), -EINVAL);
    EXPECT_EQ(current->reason.ToString(), "EINVAL: address 0x10000001 is not page aligned");
    EXPECT_EQ(vm_munmap(kAt, 0), -EINVAL);
    EXPECT_EQ(current->reason.ToString(), "EINVAL: length is 0");
    EXPECT_EQ(vm_munmap(TASK_SIZE, PAGE_SIZE), -EINVAL);
    EXPECT_THAT(current->reason.ToString(), HasSubstr("beyond the user address limit"));
    EXPECT_EQ(vm_munmap(kAt, PAGE_SIZE), 0);
  });
}

TEST(FindVmaTest, FindsTheFirstAreaThatEndsAboveTheAddress) {
  InProcess([] {
    MapAt(kAt, 1);
    MapAt(kAt + 2 * PAGE_SIZE, 1);
    const kptr<mm_struct> mm = current->mm;
    EXPECT_EQ(find_vma(mm, 0)->vm_start, kAt);
    EXPECT_EQ(find_vma(mm, kAt + PAGE_SIZE - 1)->vm_start, kAt);
    EXPECT_EQ(find_vma(mm, kAt + PAGE_SIZE)->vm_start, kAt + 2 * PAGE_SIZE);
    EXPECT_FALSE(find_vma(mm, kAt + 3 * PAGE_SIZE));
  });
}

TEST(MprotectTest, SplitsAndJoins) {
  InProcess([] {
    MapAt(kAt, 3, kRw, MAP_POPULATE);
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt + PAGE_SIZE, PAGE_SIZE, PROT_READ), 0);
    EXPECT_EQ(Areas(), "10000000-10001000 10001000-10002000 10002000-10003000");
    AddressSpace* hardware = current->mm->page_table.hardware();
    EXPECT_FALSE(hardware->Find(kAt + PAGE_SIZE)->writable);
    EXPECT_TRUE(hardware->Find(kAt)->writable);
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt, 3 * PAGE_SIZE, PROT_NONE), 0);
    EXPECT_EQ(Areas(), "10000000-10003000");
    EXPECT_EQ(hardware->Find(kAt), nullptr);
    EXPECT_EQ(current->mm->page_table.size(), 3u);  // the pages are kept
    EXPECT_EQ(current->mm->map_count, 1);
  });
}

TEST(MprotectTest, RefusesWithTheReason) {
  InProcess([] {
    MapAt(kAt, 1);
    MapAt(kAt + 2 * PAGE_SIZE, 1);
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt + 1, 1, kRw), -EINVAL);
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt, 1, 0x100), -EINVAL);
    EXPECT_EQ(current->reason.ToString(), "EINVAL: prot 0x100 has unknown bits");
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt, 0, kRw), 0);
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt, ~0ul - PAGE_SIZE, kRw), -ENOMEM);
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt + PAGE_SIZE, 1, kRw), -ENOMEM);
    EXPECT_EQ(current->reason.ToString(), "ENOMEM: nothing is mapped at 0x10001000");
    // What comes before the hole is changed.
    EXPECT_EQ(Call(__x64_sys_mprotect, kAt, 3 * PAGE_SIZE, PROT_READ), -ENOMEM);
    EXPECT_EQ(find_vma(current->mm, kAt)->vm_flags & VM_WRITE, 0u);
    EXPECT_NE(find_vma(current->mm, kAt + 2 * PAGE_SIZE)->vm_flags & VM_WRITE, 0u);
  });
}

TEST(BrkTest, MovesUpAndDownAndStaysWhereItCannot) {
  InProcess([] {
    SetBrk(current->mm, kAt);
    EXPECT_EQ(Call(__x64_sys_brk, 0), static_cast<long>(kAt));
    EXPECT_EQ(Call(__x64_sys_brk, kAt + 100), static_cast<long>(kAt + 100));
    EXPECT_EQ(Areas(), "10000000-10001000");
    EXPECT_EQ(Call(__x64_sys_brk, kAt + 3 * PAGE_SIZE), static_cast<long>(kAt + 3 * PAGE_SIZE));
    EXPECT_EQ(Areas(), "10000000-10003000");
    EXPECT_EQ(Call(__x64_sys_brk, kAt + PAGE_SIZE), static_cast<long>(kAt + PAGE_SIZE));
    EXPECT_EQ(Areas(), "10000000-10001000");
    MapAt(kAt + 4 * PAGE_SIZE, 1, PROT_READ);
    EXPECT_EQ(Call(__x64_sys_brk, kAt + 4 * PAGE_SIZE), static_cast<long>(kAt + PAGE_SIZE));
    EXPECT_EQ(Call(__x64_sys_brk, kAt - 1), static_cast<long>(kAt + PAGE_SIZE));
    const TestLimit limit(RLIMIT_DATA, 2 * PAGE_SIZE);
    EXPECT_EQ(Call(__x64_sys_brk, kAt + 2 * PAGE_SIZE + 1), static_cast<long>(kAt + PAGE_SIZE));
  });
}

TEST(MadviseTest, DontneedDropsPagesAndKeepsTheArea) {
  InProcess([] {
    MapAt(kAt, 4, kRw, MAP_POPULATE);
    EXPECT_EQ(Call(__x64_sys_madvise, kAt + PAGE_SIZE, 2 * PAGE_SIZE, MADV_DONTNEED), 0);
    EXPECT_EQ(Areas(), "10000000-10004000");
    EXPECT_EQ(current->mm->page_table.size(), 2u);
    EXPECT_EQ(Call(__x64_sys_madvise, kAt, PAGE_SIZE, 77), -EINVAL);
    EXPECT_EQ(Call(__x64_sys_madvise, kAt + 1, PAGE_SIZE, MADV_DONTNEED), -EINVAL);
    EXPECT_EQ(Call(__x64_sys_madvise, kAt, 5 * PAGE_SIZE, MADV_DONTNEED), -ENOMEM);
    EXPECT_EQ(current->mm->page_table.size(), 0u);  // what is mapped has been advised
  });
}

TEST(ForkTest, TheChildHasCopiesOfPrivatePagesAndNotWhatIsKeptFromIt) {
  InProcess([] {
    MapAt(kAt, 2, kRw, MAP_POPULATE);
    MapAt(kAt + 4 * PAGE_SIZE, 1);
    EXPECT_EQ(Call(__x64_sys_madvise, kAt + 4 * PAGE_SIZE, PAGE_SIZE, MADV_DONTFORK), 0);
    EXPECT_EQ(put_user(7, user_ptr<int>(kAt)), 0);
    const kptr<mm_struct> parent = current->mm;
    const kptr<mm_struct> child = dup_mm(parent);
    EXPECT_EQ(child->map_count, 1);
    EXPECT_EQ(child->total_vm, 2u);
    activate_mm(child);
    int value;
    EXPECT_EQ(get_user(value, user_ptr<int>(kAt)), 0);
    EXPECT_EQ(value, 7);
    EXPECT_EQ(put_user(8, user_ptr<int>(kAt)), 0);
    activate_mm(parent);
    EXPECT_EQ(get_user(value, user_ptr<int>(kAt)), 0);
    EXPECT_EQ(value, 7);
    EXPECT_TRUE(mmput_testzero(child));
    exit_mmap(child);
    mmdrop(child);
  });
}

TEST(MmTest, FreedWithPagesIsReported) {
  TestMm mm;
  mm.SpawnProcess("a", [] {
    MapAnonymous(PAGE_SIZE, kRw, MAP_POPULATE);
    mmgrab(current->mm);  // so that the process itself does not free it
    mmdrop(current->mm);
    mmdrop(current->mm);
  });
  EXPECT_THAT(mm.Run(), HasSubstr("BUG: Bad rss-counter state"));
}

}  // namespace
}  // namespace kpath
