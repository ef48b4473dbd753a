// SPDX-License-Identifier: Apache-2.0
//
// Files that are mapped, read and written at the same time: what page faults make of them.
#include <memory>
#include <string>

#include "entry/fault.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/uaccess.h"
#include "sim/mm/filemap.h"
#include "sim/mm/test_mm.h"
#include "sim/mm/truncate.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

using ::testing::StartsWith;

constexpr unsigned long kRw = PROT_READ | PROT_WRITE;

class MappedFileTest : public ::testing::Test {
 protected:
  MappedFileTest() { InstallPageFaultGate(mm_.machine.cpu(0)); }

  // Runs `body` in a process with a memory file of `pages` pages.
  void WithFile(unsigned long pages, const std::function<void(kptr<file>)>& body) {
    mm_.SpawnProcess("a", [pages, body] {
      const kptr<file> file = shmem_file_setup("x", static_cast<loff_t>(pages * PAGE_SIZE));
      body(file);
      fput(file);
    });
    EXPECT_EQ(mm_.Run(), "");
  }

  TestMm mm_;
};

unsigned long Map(kptr<file> file, unsigned long pages, unsigned long flags,
                  unsigned long prot = kRw) {
  return vm_mmap_pgoff(file, 0, pages * PAGE_SIZE, prot, flags, 0);
}

int Load(unsigned long addr) {
  int value = -1;
  EXPECT_EQ(get_user(value, user_ptr<int>(addr)), 0) << current->reason.ToString();
  return value;
}

void Store(unsigned long addr, int value) {
  EXPECT_EQ(put_user(value, user_ptr<int>(addr)), 0) << current->reason.ToString();
}

std::string WhyNoLoad(unsigned long addr) {
  int value;
  return get_user(value, user_ptr<int>(addr)) == 0 ? "" : current->reason.ToString();
}

int ReadFile(kptr<file> file, loff_t pos) {
  int value = -1;
  EXPECT_EQ(kernel_read(file, &value, sizeof(value), &pos), 4);
  return value;
}

void WriteFile(kptr<file> file, loff_t pos, int value) {
  EXPECT_EQ(kernel_write(file, &value, sizeof(value), &pos), 4);
}

// Ends an mm that has no task.
void End(kptr<mm_struct> mm) {
  EXPECT_TRUE(mmput_testzero(mm));
  exit_mmap(mm);
  mmdrop(mm);
}

TEST_F(MappedFileTest, ASharedMappingIsTheFile) {
  WithFile(2, [](kptr<file> file) {
    const unsigned long at = Map(file, 2, MAP_SHARED);
    Store(at + 8, 7);
    EXPECT_EQ(ReadFile(file, 8), 7);
    WriteFile(file, PAGE_SIZE, 9);
    EXPECT_EQ(Load(at + PAGE_SIZE), 9);
    EXPECT_EQ(current->mm->rss_stat[MM_SHMEMPAGES], 2);
    EXPECT_TRUE(PageDirty(file->f_mapping->i_pages.at(0)));
  });
}

TEST_F(MappedFileTest, APrivateMappingIsTheFileUntilItIsWritten) {
  WithFile(1, [](kptr<file> file) {
    WriteFile(file, 0, 1);
    const unsigned long at = Map(file, 1, MAP_PRIVATE);
    EXPECT_EQ(Load(at), 1);
    EXPECT_EQ(current->mm->rss_stat[MM_SHMEMPAGES], 1);
    WriteFile(file, 0, 2);
    EXPECT_EQ(Load(at), 2);
    Store(at + 4, 5);  // copies the page
    EXPECT_EQ(current->mm->rss_stat[MM_SHMEMPAGES], 0);
    EXPECT_EQ(current->mm->rss_stat[MM_ANONPAGES], 1);
    WriteFile(file, 0, 3);
    EXPECT_EQ(Load(at), 2);
    EXPECT_EQ(Load(at + 4), 5);
    EXPECT_EQ(ReadFile(file, 4), 0);
  });
}

TEST_F(MappedFileTest, AFirstTouchThatWritesAPrivatePageCopiesIt) {
  WithFile(1, [](kptr<file> file) {
    WriteFile(file, 0, 1);
    const unsigned long at = Map(file, 1, MAP_PRIVATE);
    Store(at + 4, 5);
    EXPECT_EQ(Load(at), 1);
    EXPECT_EQ(ReadFile(file, 4), 0);
  });
}

TEST_F(MappedFileTest, TwoProcessesSeeEachOthersSharedStores) {
  WithFile(1, [](kptr<file> file) {
    const unsigned long shared = Map(file, 1, MAP_SHARED);
    const unsigned long anonymous =
        vm_mmap_pgoff(nullptr, 0, PAGE_SIZE, kRw, MAP_SHARED | MAP_ANONYMOUS, 0);
    const unsigned long secret = MapAnonymous(PAGE_SIZE);
    Store(secret, 1);
    const kptr<mm_struct> parent = current->mm;
    const kptr<mm_struct> child = dup_mm(parent);
    activate_mm(child);
    Store(shared, 7);
    Store(anonymous, 8);
    Store(secret, 9);
    activate_mm(parent);
    EXPECT_EQ(Load(shared), 7);
    EXPECT_EQ(Load(anonymous), 8);
    EXPECT_EQ(Load(secret), 1);
    Store(shared, 10);
    activate_mm(child);
    EXPECT_EQ(Load(shared), 10);
    EXPECT_EQ(Load(secret), 9);
    activate_mm(parent);
    End(child);
    EXPECT_EQ(Load(anonymous), 8);
  });
}

TEST_F(MappedFileTest, CuttingTheFileTakesItsPagesFromEveryProcess) {
  WithFile(3, [](kptr<file> file) {
    const unsigned long shared = Map(file, 3, MAP_SHARED);
    const unsigned long copy = Map(file, 3, MAP_PRIVATE);
    for (unsigned long page = 0; page < 3; ++page) {
      Store(shared + page * PAGE_SIZE, 7);
      Store(copy + page * PAGE_SIZE, 8);
    }
    const kptr<mm_struct> parent = current->mm;
    const kptr<mm_struct> child = dup_mm(parent);
    activate_mm(child);
    EXPECT_EQ(Load(shared + 2 * PAGE_SIZE), 7);
    activate_mm(parent);

    truncate_setsize(file_inode(file), static_cast<loff_t>(PAGE_SIZE));
    EXPECT_EQ(file->f_mapping->nrpages, 1u);
    for (const kptr<mm_struct>& mm : {parent, child}) {
      activate_mm(mm);
      EXPECT_EQ(Load(shared), 7);
      EXPECT_EQ(Load(copy), 8);
      EXPECT_THAT(WhyNoLoad(shared + PAGE_SIZE),
                  StartsWith("EFAULT: page 1 of the mapped file is beyond its end, 4096 bytes"));
      EXPECT_THAT(WhyNoLoad(copy + 2 * PAGE_SIZE), StartsWith("EFAULT: page 2 of the mapped file"));
    }
    activate_mm(parent);
    End(child);

    truncate_setsize(file_inode(file), static_cast<loff_t>(2 * PAGE_SIZE));
    EXPECT_EQ(Load(shared + PAGE_SIZE), 0);
  });
}

TEST_F(MappedFileTest, MovingAMappingKeepsItsPages) {
  WithFile(2, [](kptr<file> file) {
    const unsigned long at = Map(file, 2, MAP_SHARED);
    Store(at + PAGE_SIZE, 7);
    const unsigned long to = 0x20000000;
    EXPECT_EQ(Call(__x64_sys_mremap, at + PAGE_SIZE, PAGE_SIZE, PAGE_SIZE,
                   MREMAP_MAYMOVE | MREMAP_FIXED, to),
              static_cast<long>(to));
    EXPECT_EQ(Load(to), 7);
    Store(to, 8);
    EXPECT_EQ(ReadFile(file, PAGE_SIZE), 8);
    EXPECT_THAT(WhyNoLoad(at + PAGE_SIZE), ::testing::HasSubstr("is not mapped"));
  });
}

TEST_F(MappedFileTest, AReadBringsInWhatIsCachedAroundIt) {
  WithFile(20, [](kptr<file> file) {
    for (loff_t page = 0; page < 20; ++page) WriteFile(file, page * PAGE_SIZE, 1);
    const unsigned long at = 0x10000000;  // a multiple of 16 pages
    vm_mmap_pgoff(file, at, 20 * PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
    EXPECT_EQ(Load(at + 5 * PAGE_SIZE), 1);
    EXPECT_EQ(current->mm->page_table.size(), 16u);
    EXPECT_EQ(Load(at + 17 * PAGE_SIZE), 1);
    EXPECT_EQ(current->mm->page_table.size(), 20u);
  });
}

// ---- A file whose owner wants to know of the first store to each page: the ring of fs/aio.c ----

int ring_mmap(kptr<file>, kptr<vm_area_struct> vma) {
  vma->vm_flags |= VM_DONTEXPAND;
  vma->vm_ops = &generic_file_vm_ops;
  return 0;
}
constexpr file_operations kRingFops = {.name = "ring", .mmap = ring_mmap};
constexpr address_space_operations kRingAops = {.set_page_dirty = __set_page_dirty_no_writeback};

TEST_F(MappedFileTest, TheFirstStoreToAWatchedPageGoesThroughPageMkwrite) {
  WithFile(1, [](kptr<file> file) {
    file->f_op = &kRingFops;
    file->f_mapping->a_ops = &kRingAops;
    const kptr<page> ring = find_or_create_page(file->f_mapping, 0, GFP_HIGHUSER | __GFP_ZERO);
    SetPageUptodate(ring);
    unlock_page(ring);
    *kmap(ring).as<int>() = 7;

    const unsigned long at = Map(file, 1, MAP_SHARED);
    EXPECT_EQ(Load(at), 7);
    EXPECT_FALSE(current->mm->page_table.Find(at)->prot.writable);
    EXPECT_FALSE(PageDirty(ring));
    Store(at, 8);
    EXPECT_TRUE(current->mm->page_table.Find(at)->prot.writable);
    EXPECT_TRUE(PageDirty(ring));
    EXPECT_EQ(*kmap(ring).as<int>(), 8);
    EXPECT_EQ(current->mm->rss_stat[MM_FILEPAGES], 1);

    const unsigned long again = Map(file, 1, MAP_SHARED);
    Store(again + 4, 9);  // the first touch is a store
    EXPECT_EQ(Load(at + 4), 9);

    // What put_aio_ring_file does: the mappings of all processes are gone, our reference is not.
    truncate_setsize(file_inode(file), 0);
    EXPECT_THAT(WhyNoLoad(at), StartsWith("EFAULT: page 0 of the mapped file is beyond its end"));
    EXPECT_EQ(page_count(ring), 1);
    EXPECT_EQ(*kmap(ring).as<int>(), 8);
    put_page(ring);
  });
}

}  // namespace
}  // namespace kpath
