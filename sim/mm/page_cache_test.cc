// SPDX-License-Identifier: Apache-2.0
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/wait.h"
#include "sim/mm/filemap.h"
#include "sim/mm/test_mm.h"
#include "sim/mm/truncate.h"
#include "sim/mm/vmstat.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

constexpr gfp_t kGfp = GFP_HIGHUSER | __GFP_ZERO;

kptr<page> NewPage(address_space* mapping, pgoff_t index) {
  const kptr<page> page = find_or_create_page(mapping, index, kGfp);
  SetPageUptodate(page);
  unlock_page(page);
  put_page(page);
  return page;
}

TEST(PageCacheTest, CreatesAPageOnceAndFindsItAgain) {
  TestMm mm;
  mm.SpawnProcess("a", [] {
    const kptr<file> file = shmem_file_setup("x", PAGE_SIZE);
    address_space* mapping = file->f_mapping;
    EXPECT_FALSE(find_get_page(mapping, 3));
    const long before = node_page_state(NR_FILE_PAGES);
    const kptr<page> page = find_or_create_page(mapping, 3, kGfp);
    EXPECT_TRUE(PageLocked(page));
    EXPECT_TRUE(PageReferenced(page));
    EXPECT_EQ(page->index, 3u);
    EXPECT_EQ(page->mapping, mapping);
    EXPECT_EQ(page_count(page), 2);  // the cache's and ours
    EXPECT_EQ(mapping->nrpages, 1u);
    EXPECT_EQ(node_page_state(NR_FILE_PAGES), before + 1);
    unlock_page(page);
    EXPECT_EQ(find_get_page(mapping, 3), page);
    put_page(page);
    put_page(page);
    fput(file);
  });
  EXPECT_EQ(mm.Run(), "");
}

TEST(PageCacheTest, AddingASecondPageInOnePlaceFails) {
  TestMm mm;
  mm.SpawnProcess("a", [] {
    const kptr<file> file = shmem_file_setup("x", PAGE_SIZE);
    NewPage(file->f_mapping, 0);
    const kptr<page> second = alloc_page(kGfp);
    EXPECT_EQ(add_to_page_cache_lru(second, file->f_mapping, 0, kGfp), -EEXIST);
    EXPECT_EQ(second->mapping, nullptr);
    EXPECT_FALSE(PageLocked(second));
    EXPECT_EQ(page_count(second), 1);
    put_page(second);
    fput(file);
  });
  EXPECT_EQ(mm.Run(), "");
}

TEST(PageCacheTest, AFileThatIsGoneLeavesNoPages) {
  TestMm mm;
  size_t before = 0;
  mm.SpawnProcess("a", [&] {
    before = current->machine->memory.pages_in_use();
    const kptr<file> file = shmem_file_setup("x", 3 * PAGE_SIZE);
    for (pgoff_t index = 0; index < 3; ++index) NewPage(file->f_mapping, index);
    EXPECT_EQ(current->machine->memory.pages_in_use(), before + 3);
    fput(file);
  });
  EXPECT_EQ(mm.Run(), "");
}

TEST(PageLockTest, TheSecondTaskSleepsUntilThePageIsUnlocked) {
  TestMm mm;
  std::string order;
  static kptr<page> page;
  mm.SpawnProcess("first", [&] {
    page = alloc_page(kGfp);
    lock_page(page);
    mm.SpawnProcess("second", [&] {
      lock_page(page);
      order += " second-locks";
      unlock_page(page);
    });
    for (int i = 0; i < 5; ++i) schedule();
    order += "first-unlocks";
    unlock_page(page);
    for (int i = 0; i < 5; ++i) schedule();
    put_page(page);
  });
  EXPECT_EQ(mm.Run(), "");
  EXPECT_EQ(order, "first-unlocks second-locks");
}

TEST(PageLockTest, UnlockingAPageThatIsNotLockedIsReported) {
  TestMm mm;
  mm.kernel.Spawn("a", [] { unlock_page(alloc_page(kGfp)); });
  EXPECT_THAT(mm.Run(), HasSubstr("VM_BUG_ON_PAGE(!PageLocked(page))"));
}

// Who waits for the lock of a page that is cut off its file meanwhile must not be given that page.
TEST(PageLockTest, ATruncatedPageIsNotReturned) {
  TestMm mm;
  mm.SpawnProcess("first", [&] {
    static kptr<file> file;
    file = shmem_file_setup("x", PAGE_SIZE);
    const kptr<page> page = find_or_create_page(file->f_mapping, 0, kGfp);
    mm.SpawnProcess("second", [] {
      const kptr<struct page> found = find_lock_entry(file->f_mapping, 0);
      EXPECT_FALSE(found);
      fput(file);
    });
    for (int i = 0; i < 5; ++i) schedule();
    EXPECT_EQ(page_count(page), 3);  // the other one waits with a reference
    delete_from_page_cache(page);
    unlock_page(page);
    put_page(page);
  });
  EXPECT_EQ(mm.Run(), "");
}

TEST(SetPageDirtyTest, TellsWhetherItBecameDirty) {
  TestMm mm;
  mm.SpawnProcess("a", [] {
    const kptr<file> file = shmem_file_setup("x", PAGE_SIZE);
    const kptr<page> page = NewPage(file->f_mapping, 0);
    EXPECT_EQ(set_page_dirty(page), 1);
    EXPECT_EQ(set_page_dirty(page), 0);
    fput(file);
  });
  EXPECT_EQ(mm.Run(), "");
}

TEST(TruncateTest, FreesWholePagesAndZeroesTheRestOfThePartialOne) {
  TestMm mm;
  mm.SpawnProcess("a", [] {
    const kptr<file> file = shmem_file_setup("x", 3 * PAGE_SIZE);
    address_space* mapping = file->f_mapping;
    for (pgoff_t index = 0; index < 3; ++index) {
      std::memset(kmap(NewPage(mapping, index)).bytes(), 0xaa, PAGE_SIZE);
    }
    truncate_setsize(file_inode(file), PAGE_SIZE + 100);
    EXPECT_EQ(i_size_read(file_inode(file)), static_cast<loff_t>(PAGE_SIZE + 100));
    EXPECT_EQ(mapping->nrpages, 2u);
    const kptr<page> partial = find_get_page(mapping, 1);
    EXPECT_EQ(kmap(partial).bytes()[99], 0xaa);
    EXPECT_EQ(kmap(partial).bytes()[100], 0);
    EXPECT_EQ(kmap(partial).bytes()[PAGE_SIZE - 1], 0);
    put_page(partial);
    EXPECT_FALSE(find_get_page(mapping, 2));
    fput(file);
  });
  EXPECT_EQ(mm.Run(), "");
}

}  // namespace
}  // namespace kpath
