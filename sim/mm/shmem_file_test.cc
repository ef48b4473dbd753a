// SPDX-License-Identifier: Apache-2.0
#include "gtest/gtest.h"
#include "sim/kernel/uaccess.h"
#include "sim/mm/filemap.h"
#include "sim/mm/shmem.h"
#include "sim/mm/test_mm.h"
#include "sim/vfs/inode.h"
#include "sim/vfs/read_write.h"

namespace kpath {
namespace {

constexpr loff_t kPage = PAGE_SIZE;

// Runs `body` in a process with a memory file of `size` bytes, which is a hole.
void WithFile(loff_t size, const std::function<void(kptr<file>)>& body) {
  TestMm mm;
  mm.SpawnProcess("a", [&] {
    const kptr<file> file = shmem_file_setup("x", size);
    body(file);
    fput(file);
  });
  EXPECT_EQ(mm.Run(), "");
}

ssize_t Write(kptr<file> file, const std::string& text, loff_t pos) {
  return kernel_write(file, text.data(), text.size(), &pos);
}

std::string Read(kptr<file> file, size_t count, loff_t pos) {
  std::string text(count, '?');
  const ssize_t n = kernel_read(file, text.data(), count, &pos);
  text.resize(n < 0 ? 0 : static_cast<size_t>(n));
  return text;
}

loff_t SizeOf(kptr<file> file) { return i_size_read(file_inode(file)); }
unsigned long PagesOf(kptr<file> file) { return file->f_mapping->nrpages; }

TEST(ShmemTest, WhatWasWrittenIsRead) {
  WithFile(0, [](kptr<file> file) {
    EXPECT_EQ(Write(file, "hello", 3), 5);
    EXPECT_EQ(SizeOf(file), 8);
    EXPECT_EQ(Read(file, 100, 3), "hello");
    EXPECT_EQ(Read(file, 100, 0), std::string("\0\0\0hello", 8));
  });
}

TEST(ShmemTest, AWriteMayCrossPages) {
  WithFile(0, [](kptr<file> file) {
    std::string text(3 * PAGE_SIZE, 'a');
    text.front() = 'f';
    text.back() = 'l';
    EXPECT_EQ(Write(file, text, kPage - 10), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(PagesOf(file), 4u);
    EXPECT_EQ(file_inode(file)->i_blocks, 32u);
    EXPECT_EQ(Read(file, text.size(), kPage - 10), text);
  });
}

TEST(ShmemTest, AReadStopsAtTheEnd) {
  WithFile(0, [](kptr<file> file) {
    Write(file, std::string(PAGE_SIZE + 7, 'x'), 0);
    EXPECT_EQ(Read(file, 100, kPage + 5), "xx");
    EXPECT_EQ(Read(file, 100, kPage + 7), "");
    EXPECT_EQ(Read(file, 100, 10 * kPage), "");
  });
}

// A file that ends at a page's end has no bytes in the next page.
TEST(ShmemTest, AReadStopsAtAnEndOnAPageBorder) {
  WithFile(2 * kPage, [](kptr<file> file) {
    EXPECT_EQ(Read(file, 100, 2 * kPage - 3).size(), 3u);
    EXPECT_EQ(Read(file, 100, 2 * kPage), "");
  });
}

TEST(ShmemTest, AUsersReadOfAHoleTakesNoMemory) {
  WithFile(4 * kPage, [](kptr<file> file) {
    const unsigned long buffer = MapAnonymous(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_POPULATE);
    const user_ptr<char> to(buffer);
    EXPECT_EQ(put_user('?', to + 99), 0);
    loff_t pos = kPage;
    EXPECT_EQ(vfs_read(file, to, 100, &pos), 100);
    char last;
    EXPECT_EQ(get_user(last, to + 99), 0);
    EXPECT_EQ(last, 0);
    EXPECT_EQ(PagesOf(file), 0u);
  });
}

TEST(ShmemTest, ThePartialPageAroundAWriteIsZeroed) {
  WithFile(kPage, [](kptr<file> file) {
    EXPECT_EQ(Write(file, "x", 100), 1);
    EXPECT_EQ(SizeOf(file), kPage);
    const std::string all = Read(file, PAGE_SIZE, 0);
    std::string expected(PAGE_SIZE, '\0');
    expected[100] = 'x';
    EXPECT_EQ(all, expected);
  });
}

TEST(ShmemTest, AReadIntoAPartlyUnmappedBufferGivesWhatFits) {
  WithFile(0, [](kptr<file> file) {
    Write(file, std::string(2 * PAGE_SIZE, 'x'), 0);
    const unsigned long buffer = MapAnonymous(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_POPULATE);
    loff_t pos = 0;
    EXPECT_EQ(vfs_read(file, user_ptr<char>(buffer + PAGE_SIZE - 30), 100, &pos), 30);
    EXPECT_EQ(pos, 30);
    EXPECT_EQ(vfs_read(file, user_ptr<char>(buffer + PAGE_SIZE), 100, &pos), -EFAULT);
    EXPECT_EQ(current->reason.number, EFAULT);
    EXPECT_EQ(pos, 30);
  });
}

// A write asks for all of the buffer that goes into one page of the file before it copies any of
// it.
TEST(ShmemTest, AWriteFromAPartlyUnmappedBufferWritesTheFilePagesThatAreWhole) {
  WithFile(0, [](kptr<file> file) {
    const unsigned long buffer = MapAnonymous(PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_POPULATE);
    const user_ptr<char> from(buffer + PAGE_SIZE - 30);
    loff_t pos = 0;
    EXPECT_EQ(vfs_write(file, from, 100, &pos), -EFAULT);
    EXPECT_EQ(SizeOf(file), 0);
    pos = kPage - 20;
    EXPECT_EQ(vfs_write(file, from, 100, &pos), 20);
    EXPECT_EQ(SizeOf(file), kPage);
  });
}

TEST(ShmemTest, AppendingGoesToTheEnd) {
  WithFile(0, [](kptr<file> file) {
    Write(file, "abc", 0);
    file->f_flags |= O_APPEND;
    EXPECT_EQ(Write(file, "def", 0), 3);
    EXPECT_EQ(Read(file, 100, 0), "abcdef");
  });
}

TEST(ShmemTest, NothingIsWrittenBeyondTheLargestFile) {
  WithFile(0, [](kptr<file> file) {
    file_inode(file)->i_sb->s_maxbytes = 1000;
    EXPECT_EQ(Write(file, "x", 1000), -EFBIG);
    EXPECT_EQ(current->reason.ToString(),
              "EFBIG: position 1000 is not below the largest file, 1000 bytes");
    EXPECT_EQ(Write(file, "xyz", 998), 2);  // clipped
    EXPECT_EQ(SizeOf(file), 1000);
  });
}

TEST(ShmemTest, CuttingAFileFreesItsPagesAndItsBlocks) {
  WithFile(0, [](kptr<file> file) {
    Write(file, std::string(3 * PAGE_SIZE, 'x'), 0);
    const kptr<inode> inode = file_inode(file);
    inode_lock(inode);
    iattr attr;
    attr.ia_valid = ATTR_SIZE;
    attr.ia_size = 10;
    EXPECT_EQ(notify_change(file_dentry(file), attr), 0);
    EXPECT_EQ(PagesOf(file), 1u);
    EXPECT_EQ(inode->i_blocks, 8u);
    attr.ia_size = kPage;
    EXPECT_EQ(notify_change(file_dentry(file), attr), 0);
    inode_unlock(inode);
    std::string expected(PAGE_SIZE, '\0');
    expected.replace(0, 10, 10, 'x');
    EXPECT_EQ(Read(file, PAGE_SIZE, 0), expected);
  });
}

TEST(ShmemTest, WritingTwiceMakesAPageActive) {
  WithFile(0, [](kptr<file> file) {
    Write(file, "x", 0);
    const kptr<page> page = file->f_mapping->i_pages.at(0);
    EXPECT_TRUE(PageReferenced(page));
    EXPECT_FALSE(PageActive(page));
    Write(file, "x", 0);
    EXPECT_TRUE(PageActive(page));
    EXPECT_TRUE(PageDirty(page));
  });
}

}  // namespace
}  // namespace kpath
