// SPDX-License-Identifier: Apache-2.0
//
// Block devices through their page cache: data, readahead, writeback, errors, and what direct I/O
// of the same device makes of it.
#include "fs_aio/disk_file_program.h"
#include "sim/machine/test_chooser.h"
#include "sim/vfs/disk/buffer_head.h"

namespace kpath {
namespace {

constexpr uint64_t kSize = 16 << 20;

// Blocks of 512 bytes: the device's size is a multiple of nothing larger.
constexpr uint64_t kOddSize = kSize + 512;

SystemOptions OneDisk(uint64_t size, int cpus = 1) {
  SystemOptions options = WithDisk(size);
  options.mounts.clear();
  options.cpus = cpus;
  return options;
}

// Runs `body` with /dev/vda open as p.fd, read and write, with `flags`; p.buffer has 256 pages.
void RunOnDevice(int flags, const std::function<void(AioProgram&)>& body,
                 SystemOptions options = OneDisk(kSize)) {
  RunAio(options, [&](AioProgram& p) {
    user::close(p.fd);
    p.fd = Open(O_RDWR | flags, "/dev/vda");
    p.buffer = static_cast<uint64_t>(
        user::mmap(0, 256 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    p.Setup(8);
    body(p);
  });
}

address_space* CacheOf(const AioProgram& p) { return FileOf(p)->f_mapping; }

// Writes `bytes` of Fill's at the device's beginning, around the cache.
void PutOnDevice(AioProgram& p, int64_t bytes) {
  const int direct = Open(O_RDWR | O_DIRECT, "/dev/vda");
  Fill(p.buffer, bytes);
  EXPECT_EQ(user::pwrite(direct, p.buffer, static_cast<uint64_t>(bytes), 0), bytes);
  user::close(direct);
  for (int64_t i = 0; i < bytes; ++i) {
    user::Store<uint8_t>(p.buffer + static_cast<uint64_t>(i), 0);
  }
  WatchedDisk::Forget();
}

TEST(CachedDevice, IoSubmitOfAReadBlocksUntilTheDiskHasReadIt) {
  RunOnDevice(0, [](AioProgram& p) {
    PutOnDevice(p, 4 * kPage);
    const int64_t before = Now();
    EXPECT_EQ(p.Submit({p.Read(kPage)}), 1);
    EXPECT_GE(Now() - before, kLatency);
    EXPECT_EQ(p.Reap(0, 1), 1);  // without waiting: it has ended
    EXPECT_EQ(static_cast<int64_t>(p.Event(0).res), kPage);
    EXPECT_EQ(FirstWrong(p.buffer, kPage), -1);
    // The second one finds what was read ahead.
    const int64_t again = Now();
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, p.buffer, 2 * kPage, kPage)}), 1);
    EXPECT_LT(Now() - again, kLatency);
    EXPECT_EQ(WaitForOne(p), 2 * kPage);
    EXPECT_EQ(FirstWrong(p.buffer, 2 * kPage, kPage), -1);
    EXPECT_EQ(WatchedDisk::reads, 2);  // that, and what the second one made it read ahead
  });
}

TEST(CachedDevice, BlocksAreAsLargeAsTheSizeAllows) {
  for (const auto& [size, block] :
       {std::pair{kSize, 4096u}, std::pair{kSize + 2048, 2048u}, std::pair{kOddSize, 512u}}) {
    RunOnDevice(
        0,
        [block = block](AioProgram& p) {
          EXPECT_EQ(1u << CacheOf(p)->host->i_blkbits, block);
          EXPECT_EQ(user::pwrite(p.fd, p.buffer, 1, 5000), 1);
          const kptr<page> page = find_get_page(CacheOf(p), 1);
          ASSERT_TRUE(page && page_has_buffers(page));
          unsigned blocks = 0;
          ForEachBuffer(page, [&](kptr<buffer_head>) { ++blocks; });
          EXPECT_EQ(blocks, kPage / block);
          put_page(page);
        },
        OneDisk(size));
  }
}

TEST(CachedDevice, WritesAreDirtyPagesUntilFsync) {
  for (const uint64_t size : {kSize, kOddSize}) {
    RunOnDevice(
        0,
        [](AioProgram& p) {
          Fill(p.buffer, 3 * kPage);
          const int64_t before = Now();
          EXPECT_EQ(p.Submit({p.Write(3 * kPage)}), 1);
          EXPECT_LT(Now() - before, kLatency);
          EXPECT_EQ(WaitForOne(p), 3 * kPage);
          EXPECT_EQ(node_page_state(NR_FILE_DIRTY), 3);
          EXPECT_EQ(WatchedDisk::writes, 0);
          EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
          EXPECT_EQ(WatchedDisk::writes, 1);  // neighbours, held back in a plug
          EXPECT_EQ(WatchedDisk::flushes, 1);
          EXPECT_EQ(node_page_state(NR_FILE_DIRTY), 0);
          EXPECT_EQ(node_page_state(NR_WRITEBACK), 0);
          const int direct = Open(O_RDONLY | O_DIRECT, "/dev/vda");
          EXPECT_EQ(user::pread(direct, p.buffer + 4 * kPage, 3 * kPage, 0), 3 * kPage);
          EXPECT_EQ(FirstWrong(p.buffer + 4 * kPage, 3 * kPage), -1);
          user::close(direct);
        },
        OneDisk(size));
  }
}

// Only the block that was written goes to the disk, where blocks are smaller than pages.
TEST(CachedDevice, ABlockIsWrittenAlone) {
  RunOnDevice(
      0,
      [](AioProgram& p) {
        PutOnDevice(p, kPage);
        Fill(p.buffer, 512, 7);
        // All of the third block, so that nothing has to be read; and the page is not all known.
        EXPECT_EQ(user::pwrite(p.fd, p.buffer, 512, 1024), 512);
        EXPECT_EQ(WatchedDisk::reads, 0);
        const kptr<page> page = find_get_page(CacheOf(p), 0);
        EXPECT_TRUE(PageDirty(page));
        EXPECT_FALSE(PageUptodate(page));
        put_page(page);
        EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
        EXPECT_EQ(WatchedDisk::bytes_written, 512u);
        // The read of the whole page reads the seven others, block by block.
        EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, 0), kPage);
        EXPECT_EQ(FirstWrong(p.buffer, 1024), -1);
        EXPECT_EQ(FirstWrong(p.buffer + 1024, 512, 7), -1);
        EXPECT_EQ(FirstWrong(p.buffer + 1536, kPage - 1536, 1536), -1);
        EXPECT_EQ(WatchedDisk::reads, 7);
      },
      OneDisk(kOddSize));
}

TEST(CachedDevice, APartOfABlockIsReadFirst) {
  for (const uint64_t size : {kSize, kOddSize}) {
    RunOnDevice(
        0,
        [](AioProgram& p) {
          PutOnDevice(p, kPage);
          user::Store<uint8_t>(p.buffer, 0xee);
          user::Store<uint8_t>(p.buffer + 600, 0xdd);
          // From the first block into the second: both ends are parts.
          EXPECT_EQ(user::pwrite(p.fd, p.buffer, 601, 100), 601);
          EXPECT_GE(WatchedDisk::reads, 1);
          EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, 0), kPage);
          EXPECT_EQ(user::Load<uint8_t>(p.buffer + 100), 0xee);
          EXPECT_EQ(user::Load<uint8_t>(p.buffer + 101), 0);
          EXPECT_EQ(user::Load<uint8_t>(p.buffer + 700), 0xdd);
          EXPECT_EQ(FirstWrong(p.buffer, 100), -1);
          EXPECT_EQ(FirstWrong(p.buffer + 701, kPage - 701, 701), -1);
        },
        OneDisk(size));
  }
}

TEST(CachedDevice, EndsWhereTheDeviceEnds) {
  RunOnDevice(
      0,
      [](AioProgram& p) {
        const auto end = static_cast<int64_t>(kOddSize);
        Fill(p.buffer, kPage);
        EXPECT_EQ(user::pwrite(p.fd, p.buffer, kPage, end - 100), 100);
        EXPECT_EQ(user::pwrite(p.fd, p.buffer, kPage, end), -ENOSPC);
        EXPECT_EQ(p.Submit({p.Write(kPage, end + kPage)}), 1);
        EXPECT_EQ(WaitForOne(p), -ENOSPC);
        EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
        EXPECT_EQ(user::pread(p.fd, p.buffer + kPage, kPage, end - 100), 100);
        EXPECT_EQ(FirstWrong(p.buffer + kPage, 100), -1);
        EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, end), 0);
      },
      OneDisk(kOddSize));
  // The last page is read in whole or in part, never beyond the end.
  for (const uint64_t size : {kSize, kOddSize}) {
    RunOnDevice(
        0,
        [size](AioProgram& p) {
          const auto end = static_cast<int64_t>(size);
          EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, end - 512), 512);
          EXPECT_EQ(user::pread(p.fd, p.buffer, 3 * kPage, end - 2 * kPage), 2 * kPage);
        },
        OneDisk(size));
  }
}

TEST(CachedDevice, ABadSectorIsAnErrorOfItsPageAlone) {
  RunOnDevice(0, [](AioProgram& p) {
    PutOnDevice(p, 8 * kPage);
    WatchedDisk::bad_sector = 3 * 8 + 5;
    // Page 3 is read ahead together with the others: they are read again, each for itself.
    EXPECT_EQ(user::pread(p.fd, p.buffer, 8 * kPage, 0), 3 * kPage);
    EXPECT_EQ(FirstWrong(p.buffer, 3 * kPage), -1);
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, p.buffer, kPage, 3 * kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), -EIO);
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, p.buffer, 4 * kPage, 4 * kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), 4 * kPage);
    EXPECT_EQ(FirstWrong(p.buffer, 4 * kPage, 4 * kPage), -1);
    // A part of the bad block cannot be changed, all of it can.
    EXPECT_EQ(user::pwrite(p.fd, p.buffer, 100, 3 * kPage), -EIO);
    EXPECT_EQ(user::pwrite(p.fd, p.buffer, kPage, 3 * kPage), kPage);
    // Nor can it be written: the next fsync says so, once.
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), -EIO);
    WatchedDisk::bad_sector = WatchedDisk::kNone;
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
  });
}

// In blocks of 512 bytes the seven others of the page are written, and are not lost.
TEST(CachedDevice, ABadBlockIsLostAlone) {
  RunOnDevice(
      0,
      [](AioProgram& p) {
        Fill(p.buffer, kPage);
        EXPECT_EQ(user::pwrite(p.fd, p.buffer, kPage, 0), kPage);
        WatchedDisk::bad_sector = 7;
        const int other = Open(O_RDWR, "/dev/vda");
        EXPECT_EQ(user::Syscall(NR_fsync, p.fd), -EIO);
        EXPECT_EQ(user::Syscall(NR_fsync, other), -EIO);
        EXPECT_EQ(user::Syscall(NR_fsync, other), 0);
        user::close(other);
      },
      OneDisk(kOddSize));
}

TEST(CachedDevice, OSyncIsOnTheDiskWhenItReturns) {
  for (const int flag : {O_SYNC, O_DSYNC}) {
    RunOnDevice(flag, [](AioProgram& p) {
      Fill(p.buffer, kPage);
      EXPECT_EQ(p.Submit({p.Write(kPage)}), 1);
      EXPECT_EQ(WatchedDisk::writes, 1);
      EXPECT_EQ(WatchedDisk::flushes, 1);
      EXPECT_EQ(WaitForOne(p), kPage);
      EXPECT_EQ(node_page_state(NR_FILE_DIRTY), 0);
    });
  }
}

TEST(CachedDevice, DirectIoAndTheCacheAgree) {
  for (const uint64_t size : {kSize, kOddSize}) {
    RunOnDevice(
        0,
        [](AioProgram& p) {
          const int direct = Open(O_RDWR | O_DIRECT, "/dev/vda");
          // What is dirty is written before it is read directly.
          Fill(p.buffer, 2 * kPage);
          EXPECT_EQ(user::pwrite(p.fd, p.buffer, 2 * kPage, 0), 2 * kPage);
          EXPECT_EQ(user::pread(direct, p.buffer + 8 * kPage, 2 * kPage, 0), 2 * kPage);
          EXPECT_EQ(FirstWrong(p.buffer + 8 * kPage, 2 * kPage), -1);
          EXPECT_EQ(node_page_state(NR_FILE_DIRTY), 0);
          EXPECT_EQ(CacheOf(p)->nrpages, 2u);
          // What is written directly is dropped from the cache.
          Fill(p.buffer, kPage, 77);
          EXPECT_EQ(p.Submit({user::PwriteIocb(direct, p.buffer, kPage, 0)}), 1);
          EXPECT_EQ(WaitForOne(p), kPage);
          EXPECT_EQ(CacheOf(p)->nrpages, 1u);
          EXPECT_EQ(user::pread(p.fd, p.buffer + 8 * kPage, 2 * kPage, 0), 2 * kPage);
          EXPECT_EQ(FirstWrong(p.buffer + 8 * kPage, kPage, 77), -1);
          EXPECT_EQ(FirstWrong(p.buffer + 9 * kPage, kPage, kPage), -1);
          // A direct write of a part of a page that is dirty elsewhere loses nothing of it.
          user::Store<uint8_t>(p.buffer, 0x11);
          EXPECT_EQ(user::pwrite(p.fd, p.buffer, 1, 4000), 1);
          Fill(p.buffer, 512);
          EXPECT_EQ(user::pwrite(direct, p.buffer, 512, 0), 512);
          EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, 0), kPage);
          EXPECT_EQ(FirstWrong(p.buffer, 512), -1);
          EXPECT_EQ(user::Load<uint8_t>(p.buffer + 4000), 0x11);
          EXPECT_EQ(FirstWrong(p.buffer + 512, 3000, 77 + 512), -1);
          user::close(direct);
        },
        OneDisk(size));
  }
}

TEST(CachedDevice, TheLastCloseWritesAndForgets) {
  RunOnDevice(0, [](AioProgram& p) {
    const int other = Open(O_RDWR, "/dev/vda");
    Fill(p.buffer, kPage);
    EXPECT_EQ(user::pwrite(p.fd, p.buffer, kPage, 0), kPage);
    user::close(p.fd);
    EXPECT_EQ(WatchedDisk::writes, 0);
    const address_space* cache = bdget(MKDEV(254, 0))->bd_inode->i_mapping;
    EXPECT_EQ(cache->nrpages, 1u);
    const int64_t before = Now();
    user::close(other);
    EXPECT_GE(Now() - before, kLatency);
    EXPECT_EQ(WatchedDisk::writes, 1);
    EXPECT_EQ(cache->nrpages, 0u);
    p.fd = Open(O_RDWR, "/dev/vda");
    EXPECT_EQ(user::pread(p.fd, p.buffer + kPage, kPage, 0), kPage);
    EXPECT_EQ(FirstWrong(p.buffer + kPage, kPage), -1);
  });
}

TEST(CachedDevice, MappedMemoryIsTheCache) {
  for (const uint64_t size : {kSize, kOddSize}) {
    RunOnDevice(
        0,
        [](AioProgram& p) {
          PutOnDevice(p, 2 * kPage);
          const auto map = static_cast<uint64_t>(
              user::mmap(0, 2 * kPage, PROT_READ | PROT_WRITE, MAP_SHARED, p.fd, 0));
          EXPECT_EQ(FirstWrong(map, 2 * kPage), -1);
          user::Store<uint8_t>(map + 5, 0x55);
          EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, 0), kPage);
          EXPECT_EQ(user::Load<uint8_t>(p.buffer + 5), 0x55);
          EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
          user::Store<uint8_t>(map + 6, 0x66);  // again, after it was written
          const int direct = Open(O_RDONLY | O_DIRECT, "/dev/vda");
          EXPECT_EQ(user::pread(direct, p.buffer, kPage, 0), kPage);
          EXPECT_EQ(user::Load<uint8_t>(p.buffer + 5), 0x55);
          EXPECT_EQ(user::Load<uint8_t>(p.buffer + 6), 0x66);
          user::close(direct);
          user::munmap(map, 2 * kPage);
        },
        OneDisk(size));
  }
}

// A block that a file system allocates may have been written through the device before: what is
// still dirty there must not come over the file's data later.
TEST(CachedDevice, AFileSystemsNewBlockIsNotOverwrittenByAnOldOne) {
  RunAio(WithDisk(kSize), [](AioProgram& p) {
    user::close(p.fd);
    p.fd = Open(O_RDWR, "/dev/vda");
    p.buffer = static_cast<uint64_t>(
        user::mmap(0, 8 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    // The first block that a file gets (ext2_sb_info::kFirstDataBlock).
    EXPECT_EQ(user::pwrite(p.fd, p.buffer, kPage, 64 * kPage), kPage);
    const int file = Open(O_RDWR | O_CREAT);
    Fill(p.buffer, kPage);
    EXPECT_EQ(user::pwrite(file, p.buffer, kPage, 0), kPage);
    EXPECT_EQ(user::Syscall(NR_fsync, file), 0);
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
    user::close(file);
    const int direct = Open(O_RDONLY | O_DIRECT);
    EXPECT_EQ(user::pread(direct, p.buffer + kPage, kPage, 0), kPage);
    EXPECT_EQ(FirstWrong(p.buffer + kPage, kPage), -1);
    user::close(direct);
  });
}

// Readers and writers of the same pages, on two CPUs, in every order that ten seeds give.
TEST(CachedDevice, TwoProcessesAtOnce) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    SystemOptions options = OneDisk(kOddSize, 2);
    options.seed = seed;
    RunOnDevice(
        0,
        [](AioProgram& p) {
          const auto work = [&p](int64_t from) {
            for (int64_t i = 0; i < 6; ++i) {
              Fill(p.buffer, 1000, from);
              EXPECT_EQ(user::pwrite(p.fd, p.buffer, 1000, from), 1000);
              if (i % 3 == 1) {
                EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
              }
              EXPECT_EQ(user::pread(p.fd, p.buffer + kPage, 1000, from), 1000);
              EXPECT_EQ(FirstWrong(p.buffer + kPage, 1000, from), -1);
            }
          };
          EXPECT_GT(user::fork([&work] {
                      work(1500);
                      user::exit(0);
                    }),
                    0);
          work(200);
          int status = -1;
          EXPECT_GT(user::waitpid(-1, &status, 0), 0);
          EXPECT_EQ(status, 0);
        },
        options);
  }
}

TEST(CachedDevice, EachAllocationFailsOnce) {
  for (int rank = 0, failed = 1; failed != 0; ++rank) {
    ASSERT_LT(rank, 200);
    int countdown = 1 << 30;
    RunOnDevice(0, [&](AioProgram& p) {
      PutOnDevice(p, 4 * kPage);
      countdown = rank;
      current->machine->SetChooser(std::make_unique<FailOneAllocation>(&countdown));
      const int64_t read = user::pread(p.fd, p.buffer, 2 * kPage, 0);
      const int64_t written = user::pwrite(p.fd, p.buffer, 100, 3 * kPage);
      const int64_t synced = user::Syscall(NR_fsync, p.fd);
      failed = countdown < 0 ? 1 : 0;
      countdown = 1 << 30;
      current->machine->SetChooser(nullptr);
      EXPECT_TRUE(read > 0 || read == -ENOMEM) << rank << ": " << read;
      EXPECT_TRUE(written == 100 || written == -ENOMEM) << rank << ": " << written;
      EXPECT_EQ(synced, 0) << rank;
      EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, 0), kPage);
    });
  }
}

}  // namespace
}  // namespace kpath
