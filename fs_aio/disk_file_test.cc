// SPDX-License-Identifier: Apache-2.0
//
// Files that live on a device, through the page cache: by AIO, by plain calls, mapped; where
// io_submit sleeps, where errors appear.
#include "fs_aio/disk_file_program.h"
#include "sim/machine/test_chooser.h"

namespace kpath {
namespace {

TEST(BufferedRead, IoSubmitSleepsUntilTheDiskHasReadThePage) {
  RunOnFile(0, [](AioProgram& p) {
    MakeOnDisk(p, 1);
    const int64_t before = Now();
    EXPECT_EQ(p.Submit({p.Read(kPage)}), 1);
    EXPECT_GE(Now() - before, kLatency);
    EXPECT_EQ(p.Reap(0, 1), 1);  // done when io_submit returns
    EXPECT_EQ(static_cast<int64_t>(p.Event(0).res), kPage);
    EXPECT_EQ(FirstWrong(p.buffer, kPage), -1);
    // From the cache it takes no time.
    const int64_t again = Now();
    EXPECT_EQ(p.Submit({p.Read(kPage)}), 1);
    EXPECT_LT(Now() - again, kLatency);
    EXPECT_EQ(WatchedDisk::reads, 1);
  });
}

TEST(BufferedRead, ADirectReadDoesNotMakeIoSubmitSleep) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    MakeOnDisk(p, 1);
    const int64_t before = Now();
    EXPECT_EQ(p.Submit({p.Read(kPage)}), 1);
    EXPECT_LT(Now() - before, kLatency);
    EXPECT_EQ(p.Reap(0, 1), 0);
    EXPECT_EQ(WaitForOne(p), kPage);
    EXPECT_EQ(FirstWrong(p.buffer, kPage), -1);
  });
}

// 128 pages from the beginning: windows that grow to 32 pages, each a request or two, the next one
// begun before the reader gets there.
TEST(BufferedRead, ASequentialReaderIsReadAhead) {
  RunOnFile(0, [](AioProgram& p) {
    MakeOnDisk(p, 128);
    for (int64_t i = 0; i < 128; ++i) {
      EXPECT_EQ(user::pread(p.fd, p.buffer + static_cast<uint64_t>(i * kPage), kPage, i * kPage),
                kPage);
    }
    EXPECT_EQ(FirstWrong(p.buffer, 128 * kPage), -1);
    EXPECT_LT(WatchedDisk::reads, 12);
    EXPECT_GE(WatchedDisk::reads, 4);
  });
}

TEST(BufferedRead, ARandomReaderIsNot) {
  RunOnFile(0, [](AioProgram& p) {
    MakeOnDisk(p, 128);
    for (const int64_t page : {100, 17, 64}) {
      EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, page * kPage), kPage);
      EXPECT_EQ(FirstWrong(p.buffer, kPage, page * kPage), -1);
    }
    EXPECT_EQ(InodeOf(p)->i_mapping->nrpages, 3u);
  });
}

TEST(BufferedRead, AnErrorOfTheDiskIsTheResultAndTheNextReadTriesAgain) {
  RunOnFile(0, [](AioProgram& p) {
    MakeOnDisk(p, 4);
    WatchedDisk::fail_reads = true;
    EXPECT_EQ(p.Submit({p.Read(kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), -EIO);
    const kptr<page> page = find_get_page(InodeOf(p)->i_mapping, 0);
    ASSERT_TRUE(page);
    EXPECT_TRUE(PageError(page));
    EXPECT_FALSE(PageUptodate(page));
    put_page(page);
    WatchedDisk::fail_reads = false;
    EXPECT_EQ(p.Submit({p.Read(kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), kPage);
    EXPECT_EQ(FirstWrong(p.buffer, kPage), -1);
  });
}

// ext2 of v4.19 does not take RWF_NOWAIT; other file systems do, and the page cache is the same.
TEST(BufferedRead, WhoMustNotWaitIsToldSo) {
  RunOnFile(0, [](AioProgram& p) {
    MakeOnDisk(p, 2);
    user::iocb nowait = p.Read(512);
    nowait.aio_rw_flags = 8;  // RWF_NOWAIT
    EXPECT_EQ(p.Submit({nowait}), -EOPNOTSUPP);
    FileOf(p)->f_mode |= FMODE_NOWAIT;
    EXPECT_EQ(p.Submit({nowait}), 1);
    EXPECT_EQ(WaitForOne(p), -EAGAIN);
    EXPECT_EQ(WatchedDisk::reads, 0);
    EXPECT_EQ(p.Submit({p.Read(512)}), 1);
    EXPECT_EQ(WaitForOne(p), 512);
    EXPECT_EQ(p.Submit({nowait}), 1);
    EXPECT_EQ(WaitForOne(p), 512);
  });
}

TEST(BufferedWrite, FsyncWritesTheDirtyPagesAndWaits) {
  RunOnFile(0, [](AioProgram& p) {
    Fill(p.buffer, 3 * kPage);
    EXPECT_EQ(p.Submit({p.Write(3 * kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), 3 * kPage);
    EXPECT_EQ(node_page_state(NR_FILE_DIRTY), 3);
    EXPECT_EQ(WatchedDisk::writes, 0);
    const int64_t before = Now();
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
    EXPECT_GE(Now() - before, 2 * kLatency);  // the write and then the flush
    EXPECT_EQ(WatchedDisk::writes, 1);        // the three blocks lie one behind the other
    EXPECT_EQ(WatchedDisk::flushes, 1);
    EXPECT_EQ(node_page_state(NR_FILE_DIRTY), 0);
    EXPECT_EQ(node_page_state(NR_WRITEBACK), 0);
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
    EXPECT_EQ(WatchedDisk::writes, 1);  // nothing is dirty any more
  });
}

TEST(BufferedWrite, AnErrorIsToldByTheNextFsyncOfEachOpenFileOnce) {
  RunOnFile(0, [](AioProgram& p) {
    const int other = Open(O_RDWR);
    WatchedDisk::fail_writes = true;
    EXPECT_EQ(user::pwrite(p.fd, p.buffer, kPage, 0), kPage);
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), -EIO);
    WatchedDisk::fail_writes = false;
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
    EXPECT_EQ(user::Syscall(NR_fsync, other), -EIO);
    EXPECT_EQ(user::Syscall(NR_fsync, other), 0);
    user::close(other);
  });
}

TEST(BufferedWrite, APartOfABlockThatIsNotCachedIsReadFirst) {
  RunOnFile(0, [](AioProgram& p) {
    MakeOnDisk(p, 1);
    user::Store<uint8_t>(p.buffer, 0xee);
    EXPECT_EQ(user::pwrite(p.fd, p.buffer, 1, 100), 1);
    EXPECT_EQ(WatchedDisk::reads, 1);
    EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, 0), kPage);
    EXPECT_EQ(user::Load<uint8_t>(p.buffer + 100), 0xee);
    user::Store<uint8_t>(p.buffer + 100, ByteOf(100));
    EXPECT_EQ(FirstWrong(p.buffer, kPage), -1);
  });
}

TEST(BufferedWrite, ODsyncIsOnTheDiskWhenItReturns) {
  RunOnFile(O_DSYNC, [](AioProgram& p) {
    EXPECT_EQ(p.Submit({p.Write(kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), kPage);
    EXPECT_EQ(WatchedDisk::writes, 1);
    EXPECT_EQ(WatchedDisk::flushes, 1);
  });
}

// 64 blocks are taken by what describes the files; the rest is 16.
TEST(DiskFull, IsEnospcAndLeavesNothingBehind) {
  RunOnFile(
      0,
      [](AioProgram& p) {
        const kptr<super_block> sb = InodeOf(p)->i_sb;
        EXPECT_EQ(EXT2_SB(sb)->free_blocks, 16u);
        EXPECT_EQ(p.Submit({p.Write(20 * kPage)}), 1);
        EXPECT_EQ(WaitForOne(p), 16 * kPage);
        EXPECT_EQ(p.Submit({p.Write(kPage, 16 * kPage)}), 1);
        EXPECT_EQ(WaitForOne(p), -ENOSPC);
        EXPECT_EQ(user::ftruncate(p.fd, 5 * kPage), 0);
        EXPECT_EQ(EXT2_SB(sb)->free_blocks, 11u);
        EXPECT_EQ(user::unlink("/data/x"), 0);
        EXPECT_EQ(EXT2_SB(sb)->free_blocks, 11u);  // it is still open
      },
      WithDisk(80 * kPage));
}

TEST(MappedFile, AWriteToMemoryReachesTheDisk) {
  RunOnFile(0, [](AioProgram& p) {
    MakeOnDisk(p, 1);
    const auto map =
        static_cast<uint64_t>(user::mmap(0, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, p.fd, 0));
    EXPECT_EQ(FirstWrong(map, kPage), -1);
    user::Store<uint8_t>(map + 5, 0x55);
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
    user::Store<uint8_t>(map + 6, 0x66);  // again, after it was written
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
    const int direct = Open(O_RDWR | O_DIRECT);
    EXPECT_EQ(user::pread(direct, p.buffer, kPage, 0), kPage);
    EXPECT_EQ(user::Load<uint8_t>(p.buffer + 5), 0x55);
    EXPECT_EQ(user::Load<uint8_t>(p.buffer + 6), 0x66);
    user::close(direct);
    user::munmap(map, kPage);
  });
}

// One run of `call` with /data/x of four pages on the disk: true if the allocation that was to fail
// was reached. What it leaves behind is found by RunAio.
bool RunWithoutMemory(int flags, int rank, const std::function<int64_t(AioProgram&)>& call) {
  int countdown = rank;
  RunOnFile(flags, [&](AioProgram& p) {
    MakeOnDisk(p, 4);
    current->machine->SetChooser(std::make_unique<FailOneAllocation>(&countdown));
    const int64_t result = call(p);
    user::nanosleep(10'000'000);
    current->machine->SetChooser(nullptr);
    EXPECT_TRUE(result >= 0 || result == -ENOMEM || result == -EAGAIN || result == -EFAULT)
        << "allocation " << rank << ": " << result;
    EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, 0), kPage);
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
  });
  return countdown < 0;
}

TEST(MemoryExhausted, AtEachAllocationOfEachKindOfRequest) {
  const struct {
    const char* name;
    int flags;
    std::function<int64_t(AioProgram&)> call;
    int at_least;
  } kScenes[] = {
      {"direct read", O_DIRECT, [](AioProgram& p) { return p.Submit({p.Read(2 * kPage)}); }, 3},
      {"direct write", O_DIRECT, [](AioProgram& p) { return p.Submit({p.Write(2 * kPage)}); }, 3},
      {"direct write behind the end", O_DIRECT,
       [](AioProgram& p) { return p.Submit({p.Write(2 * kPage, 4 * kPage)}); }, 3},
      {"buffered read", 0, [](AioProgram& p) { return p.Submit({p.Read(2 * kPage)}); }, 5},
      {"buffered write and fsync", 0,
       [](AioProgram& p) {
         const int64_t written = user::pwrite(p.fd, p.buffer, 2 * kPage, 4 * kPage);
         return written < 0 ? written : user::Syscall(NR_fsync, p.fd);
       },
       3},
  };
  for (const auto& scene : kScenes) {
    SCOPED_TRACE(scene.name);
    int allocations = 0;
    while (allocations < 60 && RunWithoutMemory(scene.flags, allocations, scene.call)) {
      ++allocations;
    }
    EXPECT_GE(allocations, scene.at_least);
    EXPECT_LT(allocations, 60);
  }
}

}  // namespace
}  // namespace kpath
