// SPDX-License-Identifier: Apache-2.0
//
// Files that live on a device, around the page cache, and both ways at once.
#include "fs_aio/disk_file_program.h"

namespace kpath {
namespace {

TEST(DirectRead, EndsAtTheEndOfTheFile) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    MakeOnDisk(p, 2);
    EXPECT_EQ(user::ftruncate(p.fd, kPage + 100), 0);
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, p.buffer, 4 * kPage, 0)}), 1);
    EXPECT_EQ(WaitForOne(p), kPage + 100);
    EXPECT_EQ(FirstWrong(p.buffer, kPage + 100), -1);
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, p.buffer, kPage, 2 * kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), 0);
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, p.buffer, kPage, 64 * kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), 0);
  });
}

// In blocks of the device, 512 bytes, though those of the file system are larger.
TEST(DirectRead, MisalignedRequestsAreTakenAndFailInTheirEvents) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    MakeOnDisk(p, 2);
    const std::vector<user::iocb> wrong = {user::PreadIocb(p.fd, p.buffer, 100, 0),
                                           user::PreadIocb(p.fd, p.buffer + 4, 512, 0),
                                           user::PreadIocb(p.fd, p.buffer, 512, 100)};
    for (const user::iocb& iocb : wrong) {
      EXPECT_EQ(p.Submit({iocb}), 1);
      EXPECT_EQ(WaitForOne(p), -EINVAL);
    }
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, p.buffer + 512, 1024, 1536)}), 1);
    EXPECT_EQ(WaitForOne(p), 1024);
    EXPECT_EQ(FirstWrong(p.buffer + 512, 1024, 1536), -1);
  });
}

TEST(DirectRead, AnErrorOfTheDiskIsTheEventsResult) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    MakeOnDisk(p, 1);
    WatchedDisk::fail_reads = true;
    EXPECT_EQ(p.Submit({p.Read(kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), -EIO);
    EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, 0), -EIO);
  });
}

TEST(DirectRead, AHoleIsZeroesWithoutTheDisk) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    EXPECT_EQ(user::ftruncate(p.fd, 4 * kPage), 0);
    Fill(p.buffer, 2 * kPage);
    WatchedDisk::Forget();
    EXPECT_EQ(p.Submit({p.Read(2 * kPage, kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), 2 * kPage);
    EXPECT_EQ(WatchedDisk::reads, 0);
    EXPECT_EQ(user::Load<uint64_t>(p.buffer + kPage), 0u);
  });
}

TEST(DirectRead, SeesWhatWasWrittenToTheCacheBefore) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    const int cached = Open(O_RDWR);
    Fill(p.buffer, 2 * kPage);
    EXPECT_EQ(user::pwrite(cached, p.buffer, 2 * kPage, 0), 2 * kPage);
    EXPECT_EQ(WatchedDisk::writes, 0);
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, p.buffer + 8 * kPage, 2 * kPage, 0)}), 1);
    EXPECT_EQ(WatchedDisk::writes, 1);
    EXPECT_EQ(WaitForOne(p), 2 * kPage);
    EXPECT_EQ(FirstWrong(p.buffer + 8 * kPage, 2 * kPage), -1);
    user::close(cached);
  });
}

TEST(DirectRead, OfMemoryThatIsNotThereFailsWithEfault) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    MakeOnDisk(p, 2);
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, 0x10000, kPage, 0)}), 1);
    EXPECT_EQ(WaitForOne(p), -EFAULT);
    // A part of it is there: that part counts.
    user::munmap(p.buffer + kPage, kPage);
    EXPECT_EQ(p.Submit({user::PreadIocb(p.fd, p.buffer, 2 * kPage, 0)}), 1);
    EXPECT_EQ(WaitForOne(p), kPage);
  });
}

TEST(DirectWrite, IsSeenByReadersOfTheCache) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    MakeOnDisk(p, 2);
    const int cached = Open(O_RDWR);
    EXPECT_EQ(user::pread(cached, p.buffer, 2 * kPage, 0), 2 * kPage);
    EXPECT_EQ(InodeOf(p)->i_mapping->nrpages, 2u);
    Fill(p.buffer, 2 * kPage, 50);
    EXPECT_EQ(p.Submit({p.Write(2 * kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), 2 * kPage);
    EXPECT_EQ(InodeOf(p)->i_mapping->nrpages, 0u);
    EXPECT_EQ(user::pread(cached, p.buffer + 8 * kPage, 2 * kPage, 0), 2 * kPage);
    EXPECT_EQ(FirstWrong(p.buffer + 8 * kPage, 2 * kPage, 50), -1);
    user::close(cached);
  });
}

// A page that somebody has read into the cache while the write was on its way is dropped when it
// ends, and that needs a workqueue.
TEST(DirectWrite, DropsWhatWasCachedMeanwhile) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    MakeOnDisk(p, 1);
    const int cached = Open(O_RDWR);
    Fill(p.buffer, kPage, 50);
    EXPECT_EQ(p.Submit({p.Write(kPage)}), 1);
    EXPECT_EQ(user::pread(cached, p.buffer + 8 * kPage, kPage, 0), kPage);
    EXPECT_EQ(WaitForOne(p), kPage);
    EXPECT_EQ(InodeOf(p)->i_mapping->nrpages, 0u);
    EXPECT_EQ(user::pread(cached, p.buffer + 8 * kPage, kPage, 0), kPage);
    EXPECT_EQ(FirstWrong(p.buffer + 8 * kPage, kPage, 50), -1);
    user::close(cached);
  });
}

TEST(DirectWrite, ThatMakesTheFileLongerIsWaitedForByIoSubmit) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    Fill(p.buffer, 2 * kPage);
    int64_t before = Now();
    EXPECT_EQ(p.Submit({p.Write(2 * kPage)}), 1);
    EXPECT_GE(Now() - before, kLatency);
    EXPECT_EQ(p.Reap(0, 1), 1);
    EXPECT_EQ(static_cast<int64_t>(p.Event(0).res), 2 * kPage);
    EXPECT_EQ(i_size_read(InodeOf(p)), 2 * kPage);
    // The same again, within the file: it is not.
    before = Now();
    EXPECT_EQ(p.Submit({p.Write(2 * kPage)}), 1);
    EXPECT_LT(Now() - before, kLatency);
    EXPECT_EQ(p.Reap(0, 1), 0);
    EXPECT_EQ(WaitForOne(p), 2 * kPage);
  });
}

// ext2 fills holes through the page cache, and what was written there goes to the disk at once.
TEST(DirectWrite, ToAHoleGoesThroughThePageCache) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    EXPECT_EQ(user::ftruncate(p.fd, 8 * kPage), 0);
    WatchedDisk::Forget();
    Fill(p.buffer, kPage);
    EXPECT_EQ(p.Submit({p.Write(kPage, 2 * kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), kPage);
    EXPECT_EQ(WatchedDisk::writes, 1);
    EXPECT_EQ(InodeOf(p)->i_mapping->nrpages, 0u);
    EXPECT_EQ(user::pread(p.fd, p.buffer + 8 * kPage, kPage, 2 * kPage), kPage);
    EXPECT_EQ(FirstWrong(p.buffer + 8 * kPage, kPage), -1);
  });
}

// In 512 bytes behind the end: the rest of the block, before and behind, becomes zero.
TEST(DirectWrite, OfAPartOfANewBlockZeroesTheRest) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    // A block that was used before: its bytes are not to be seen again.
    const int other = Open(O_RDWR | O_CREAT | O_DIRECT, "/data/old");
    Fill(p.buffer, kPage, 9);
    EXPECT_EQ(user::pwrite(other, p.buffer, kPage, 0), kPage);
    EXPECT_EQ(user::ftruncate(other, 0), 0);
    user::close(other);
    EXPECT_EQ(user::pwrite(p.fd, p.buffer, 512, 1024), 512);
    EXPECT_EQ(user::ftruncate(p.fd, kPage), 0);
    EXPECT_EQ(user::pread(p.fd, p.buffer + kPage, kPage, 0), kPage);
    for (int64_t i = 0; i < kPage; ++i) {
      const uint8_t expected = i >= 1024 && i < 1536 ? ByteOf(i - 1024 + 9) : 0;
      ASSERT_EQ(user::Load<uint8_t>(p.buffer + static_cast<uint64_t>(kPage + i)), expected) << i;
    }
  });
}

TEST(DirectWrite, WithODsyncEndsAfterTheFlush) {
  RunOnFile(O_DIRECT | O_DSYNC, [](AioProgram& p) {
    MakeOnDisk(p, 1);
    EXPECT_EQ(p.Submit({p.Write(kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), kPage);
    EXPECT_EQ(WatchedDisk::writes, 1);
    EXPECT_EQ(WatchedDisk::flushes, 1);
  });
}

TEST(DirectWrite, AnErrorOfTheDiskIsTheEventsResult) {
  RunOnFile(O_DIRECT, [](AioProgram& p) {
    MakeOnDisk(p, 1);
    WatchedDisk::fail_writes = true;
    EXPECT_EQ(p.Submit({p.Write(kPage)}), 1);
    EXPECT_EQ(WaitForOne(p), -EIO);
  });
}

}  // namespace
}  // namespace kpath
