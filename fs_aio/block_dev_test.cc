// SPDX-License-Identifier: Apache-2.0
//
// Direct I/O on block devices, by AIO and by plain calls: data, alignment, where errors appear, the
// interrupt.
#include "sim/vfs/block_dev/block_dev.h"

#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <random>

#include "fs_aio/aio_test_program.h"
#include "sim/block/blkdev.h"
#include "sim/machine/test_chooser.h"

namespace kpath {
namespace {

constexpr int64_t kPage = 4096;
constexpr uint64_t kSize = 16 << 20;

// A disk that fails where it is told to: commands that begin at one of these sectors.
class FailingDisk : public DiskModel {
 public:
  using DiskModel::DiskModel;
  DiskPlan Plan(Machine& machine, const DiskCommand& command) override {
    DiskPlan plan = DiskModel::Plan(machine, command);
    ++commands;
    if (command.sector == bad_sector) plan.result = DiskResult::kIoError;
    if (command.sector == slow_sector) plan.latency_ns *= 10;
    return plan;
  }
  static uint64_t bad_sector, slow_sector;
  static int commands;
};
uint64_t FailingDisk::bad_sector, FailingDisk::slow_sector;
int FailingDisk::commands;

DeviceOptions Vda() {
  FailingDisk::bad_sector = FailingDisk::slow_sector = ~0ull;
  FailingDisk::commands = 0;
  DeviceOptions vda;
  vda.path = "/dev/vda";
  vda.size = kSize;
  vda.make_disk = [](const DeviceOptions& options) {
    return std::make_unique<FailingDisk>(options.size, options.latency_ns);
  };
  return vda;
}

// Runs `body` with p.fd open on `device`, read and write, O_DIRECT; p.buffer has 1024 pages.
void RunOnDisk(DeviceOptions device, const std::function<void(AioProgram&)>& body,
               SystemOptions options = {}) {
  const std::string path = device.path;
  options.devices.push_back(std::move(device));
  RunAio(options, [&](AioProgram& p) {
    user::close(p.fd);
    p.fd = static_cast<int>(user::open(path, O_RDWR | O_DIRECT));
    ASSERT_GE(p.fd, 0);
    p.buffer = static_cast<uint64_t>(
        user::mmap(0, 1024 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    body(p);
  });
}

SystemOptions Cpus(int cpus, absl::optional<uint64_t> seed = {}) {
  SystemOptions options;
  options.cpus = cpus;
  options.seed = seed;
  return options;
}

// Submits the iocbs, waits for all events; their results in the order of aio_data.
std::vector<int64_t> SubmitAndWait(AioProgram& p, std::vector<user::iocb> list) {
  for (size_t i = 0; i < list.size(); ++i) list[i].aio_data = i;
  const auto count = static_cast<int64_t>(list.size());
  EXPECT_EQ(p.Submit(list), count) << AioProgram::Reason();
  EXPECT_EQ(user::io_getevents(p.ctx, count, count, p.events, {}), count);
  std::vector<int64_t> results(list.size(), -1000);
  for (int64_t i = 0; i < count; ++i) {
    results[p.Event(i).data] = static_cast<int64_t>(p.Event(i).res);
  }
  return results;
}

user::iocb ReadAt(const AioProgram& p, uint64_t buffer, uint64_t bytes, int64_t offset) {
  return user::PreadIocb(p.fd, buffer, bytes, offset);
}

uint8_t ByteAt(uint64_t address) { return user::Load<uint8_t>(address); }

BlockStats& Stats(const std::string&) { return bdget(MKDEV(254, 0))->bd_queue->stats; }

TEST(BlockDev, WhatIsWrittenIsReadBack) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    p.Setup(8);
    for (int64_t i = 0; i < kPage; ++i) {
      user::Store<uint8_t>(p.buffer + static_cast<uint64_t>(i), static_cast<uint8_t>(i * 7));
    }
    EXPECT_THAT(SubmitAndWait(p, {user::PwriteIocb(p.fd, p.buffer, kPage, 8 * kPage)}),
                testing::ElementsAre(kPage));
    const uint64_t other = p.buffer + 4 * kPage;
    EXPECT_THAT(SubmitAndWait(p, {ReadAt(p, other, 2 * kPage, 7 * kPage)}),
                testing::ElementsAre(2 * kPage));
    EXPECT_EQ(ByteAt(other), 0);
    EXPECT_EQ(ByteAt(other + kPage), 0);
    EXPECT_EQ(ByteAt(other + kPage + 1), 7);
    EXPECT_EQ(ByteAt(other + 2 * kPage - 1), static_cast<uint8_t>(4095 * 7));
  });
}

TEST(BlockDev, ARequestIsInFlightUntilTheInterrupt) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    p.Setup(8);
    EXPECT_EQ(p.Submit({p.Read(kPage)}), 1);
    EXPECT_EQ(p.Reap(0, 1), 0);
    p.ExpectSlotsBalance(1);
    user::nanosleep(1'000'000);
    EXPECT_EQ(p.Reap(0, 1), 1);
    EXPECT_EQ(static_cast<int64_t>(p.Event(0).res), kPage);
  });
}

TEST(BlockDev, OneSubmitCallIsOnePlug) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    p.Setup(8);
    const std::vector<user::iocb> neighbours = {ReadAt(p, p.buffer, kPage, 0),
                                                ReadAt(p, p.buffer + kPage, kPage, kPage),
                                                ReadAt(p, p.buffer + 2 * kPage, kPage, 2 * kPage)};
    EXPECT_THAT(SubmitAndWait(p, neighbours), testing::Each(kPage));
    EXPECT_EQ(FailingDisk::commands, 1);
    EXPECT_EQ(Stats("vda").plug_merges, 2u);
  });
}

// Where the alignment is wrong, an asynchronous request is taken and its event says so; a plain
// call says so itself.
TEST(BlockDev, MisalignedRequestsFailInTheirEvents) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    p.Setup(8);
    EXPECT_THAT(
        SubmitAndWait(p, {ReadAt(p, p.buffer, 100, 0), ReadAt(p, p.buffer, 512, 100),
                          ReadAt(p, p.buffer + 4, 512, 0), ReadAt(p, p.buffer + 512, 512, 512)}),
        testing::ElementsAre(-EINVAL, -EINVAL, -EINVAL, 512));
    EXPECT_EQ(user::pread(p.fd, p.buffer, 100, 0), -EINVAL);
    EXPECT_EQ(user::pread(p.fd, p.buffer + 4, 512, 0), -EINVAL);
    EXPECT_THAT(AioProgram::Reason(), testing::HasSubstr("must be multiples of the device's 512"));
    EXPECT_EQ(user::pwrite(p.fd, p.buffer, 512, 511), -EINVAL);
  });
}

TEST(BlockDev, ADeviceOfLargeBlocksWantsLargeBlocks) {
  DeviceOptions vda = Vda();
  vda.block_size = 4096;
  RunOnDisk(std::move(vda), [](AioProgram& p) {
    p.Setup(8);
    EXPECT_THAT(SubmitAndWait(p, {ReadAt(p, p.buffer, 512, 0), ReadAt(p, p.buffer, kPage, 0)}),
                testing::ElementsAre(-EINVAL, kPage));
  });
}

// The end comes before the alignment.
TEST(BlockDev, AtTheEndThereIsNothingToRead) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    p.Setup(8);
    const auto end = static_cast<int64_t>(kSize);
    EXPECT_THAT(SubmitAndWait(p, {ReadAt(p, p.buffer, 100, end), ReadAt(p, p.buffer, 0, 1),
                                  ReadAt(p, p.buffer, 2 * kPage, end - kPage),
                                  user::PwriteIocb(p.fd, p.buffer, kPage, end),
                                  user::PwriteIocb(p.fd, p.buffer, 2 * kPage, end - kPage)}),
                testing::ElementsAre(0, 0, kPage, -ENOSPC, kPage));
    EXPECT_EQ(user::lseek(p.fd, 0, SEEK_END), end);
    EXPECT_EQ(user::lseek(p.fd, 1, SEEK_END), -EINVAL);
  });
}

// Trap 13: nothing mapped there is -EIO in the event, but -EFAULT of a plain call; beyond the
// user's addresses io_submit itself fails.
TEST(BlockDev, BuffersThatAreNotThere) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    p.Setup(8);
    const uint64_t nowhere = 0x10000000;
    EXPECT_THAT(SubmitAndWait(p, {ReadAt(p, nowhere, kPage, 0)}), testing::ElementsAre(-EIO));
    EXPECT_EQ(user::pread(p.fd, nowhere, kPage, 0), -EFAULT);
    EXPECT_EQ(p.Submit({ReadAt(p, 0xffff888000000000, kPage, 0)}), -EFAULT);
    // Read into what may only be read.
    const auto readable =
        static_cast<uint64_t>(user::mmap(0, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_THAT(SubmitAndWait(
                    p, {ReadAt(p, readable, kPage, 0), user::PwriteIocb(p.fd, readable, kPage, 0)}),
                testing::ElementsAre(-EIO, kPage));
    EXPECT_EQ(FailingDisk::commands, 1);
  });
}

TEST(BlockDev, ABufferThatEndsEarlyIsReadUpToThere) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    const auto two = static_cast<uint64_t>(
        user::mmap(0, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    user::munmap(two + kPage, kPage);
    EXPECT_EQ(user::pread(p.fd, two, 2 * kPage, 0), kPage);
  });
}

TEST(BlockDev, ABadSectorIsAnErrorOfItsRequestsAlone) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    FailingDisk::bad_sector = 1024;
    p.Setup(8);
    EXPECT_THAT(SubmitAndWait(p, {ReadAt(p, p.buffer, kPage, 0),
                                  ReadAt(p, p.buffer + kPage, kPage, 1024 * 512),
                                  ReadAt(p, p.buffer + 2 * kPage, kPage, 1 << 20)}),
                testing::ElementsAre(kPage, -EIO, kPage));
    EXPECT_EQ(user::pread(p.fd, p.buffer, kPage, 1024 * 512), -EIO);
  });
}

// A read of 2 MiB needs two bios of 256 pages. Trap 15: the error of the one that ends last is
// lost, unless it is the first.
TEST(BlockDev, ErrorsOfReadsOfSeveralBios) {
  constexpr int64_t kHalf = 256 * kPage;
  struct Case {
    bool first_is_bad, first_is_last;
    int64_t result;
  };
  for (const Case& c : {Case{true, false, -EIO}, Case{true, true, -EIO}, Case{false, true, -EIO},
                        Case{false, false, 2 * kHalf}}) {
    RunOnDisk(Vda(), [&c](AioProgram& p) {
      FailingDisk::bad_sector = c.first_is_bad ? 0 : kHalf / 512;
      FailingDisk::slow_sector = c.first_is_last ? 0 : kHalf / 512;
      p.Setup(8);
      EXPECT_THAT(SubmitAndWait(p, {ReadAt(p, p.buffer, 2 * kHalf, 0)}),
                  testing::ElementsAre(c.result))
          << c.first_is_bad << c.first_is_last;
    });
  }
}

TEST(BlockDev, PlainCallsWaitForTheDevice) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    user::Store<uint64_t>(p.buffer, 0x1122334455667788);
    const int64_t before = current->machine->now_ns();
    EXPECT_EQ(user::pwrite(p.fd, p.buffer, kPage, 0), kPage);
    EXPECT_GE(current->machine->now_ns() - before, 80'000);
    EXPECT_EQ(user::pread(p.fd, p.buffer + kPage, kPage, 0), kPage);
    EXPECT_EQ(user::Load<uint64_t>(p.buffer + kPage), 0x1122334455667788u);
    // More pages than a bio on the stack has room for, and more than one bio has.
    EXPECT_EQ(user::pread(p.fd, p.buffer, 16 * kPage, 0), 16 * kPage);
    EXPECT_EQ(user::pread(p.fd, p.buffer, 600 * kPage, 0), 600 * kPage);
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
  });
}

TEST(BlockDev, AReadDirtiesItsPagesSoThatTheyAreKept) {
  RunOnDisk(Vda(), [](AioProgram& p) {
    p.Setup(8);
    user::Store<int>(p.buffer, 1);
    const kptr<page> page = current->mm->page_table.Find(p.buffer)->page;
    ClearPageDirty(page);
    EXPECT_EQ(p.Submit({p.Read(kPage)}), 1);
    EXPECT_TRUE(PageDirty(page));
    EXPECT_EQ(page_count(page), 2);
    ClearPageDirty(page);  // as a writer-back would
    EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
    user::nanosleep(1'000'000);
    // By the work that makes it dirty again.
    EXPECT_TRUE(PageDirty(page));
    EXPECT_EQ(page_count(page), 1);
  });
}

TEST(BlockDev, TheInterruptMayComeOnAnotherCpu) {
  DeviceOptions vda = Vda();
  vda.irq_cpu = 1;
  RunOnDisk(
      std::move(vda),
      [](AioProgram& p) {
        p.Setup(8);
        current->cpus_allowed = 1;
        EXPECT_THAT(SubmitAndWait(p, {p.Read(kPage)}), testing::ElementsAre(kPage));
      },
      Cpus(2));
}

TEST(BlockDev, AFullRingStopsTheQueueUntilTheHostHasUsedSomething) {
  DeviceOptions vda = Vda();
  vda.depth = 2;
  RunOnDisk(std::move(vda), [](AioProgram& p) {
    p.Setup(64);
    std::vector<user::iocb> list;
    for (int64_t i = 0; i < 20; ++i) list.push_back(ReadAt(p, p.buffer, kPage, i * 65536));
    EXPECT_THAT(SubmitAndWait(p, list), testing::Each(kPage));
    EXPECT_LE(Stats("vda").max_in_flight, 2u);
    EXPECT_GT(Stats("vda").tag_waits, 0u);
  });
}

TEST(BlockDev, NullBlkEndsRequestsInItsThreeWays) {
  for (const int irqmode : {0, 1, 2}) {
    for (const unsigned queues : {1u, 2u}) {
      DeviceOptions null;
      null.path = "/dev/nullb0";
      null.driver = "null_blk";
      null.queues = queues;
      null.irqmode = irqmode;
      null.memory_backed = true;
      RunOnDisk(
          std::move(null),
          [](AioProgram& p) {
            p.Setup(64);
            user::Store<int>(p.buffer, 4711);
            EXPECT_THAT(SubmitAndWait(p, {user::PwriteIocb(p.fd, p.buffer, kPage, kPage)}),
                        testing::ElementsAre(kPage));
            std::vector<user::iocb> list;
            for (int64_t i = 0; i < 20; ++i) {
              list.push_back(ReadAt(p, p.buffer + static_cast<uint64_t>(i * kPage), kPage,
                                    i == 5 ? kPage : i * 65536));
            }
            EXPECT_THAT(SubmitAndWait(p, list), testing::Each(kPage));
            EXPECT_EQ(user::Load<int>(p.buffer + 5 * kPage), 4711);
          },
          Cpus(2));
    }
  }
}

TEST(BlockDev, WritesThatMustBeDurableFlushTheCache) {
  DeviceOptions vda = Vda();
  vda.write_cache = true;
  RunOnDisk(std::move(vda), [](AioProgram& p) {
    p.Setup(8);
    EXPECT_EQ(user::Syscall(NR_fsync, p.fd), 0);
    EXPECT_EQ(FailingDisk::commands, 1);
    user::iocb durable = user::PwriteIocb(p.fd, p.buffer, kPage, 0);
    durable.aio_rw_flags = RWF_DSYNC;
    EXPECT_THAT(SubmitAndWait(p, {durable}), testing::ElementsAre(kPage));
    // The write, and the flush behind it.
    EXPECT_EQ(FailingDisk::commands, 3);
  });
}

TEST(BlockDev, TheSameSeedIsTheSameRunAndAnySeedIsAGoodOne) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    DeviceOptions vda = Vda();
    vda.depth = 4;
    RunOnDisk(
        std::move(vda),
        [](AioProgram& p) {
          p.Setup(64);
          std::vector<user::iocb> list;
          for (int64_t i = 0; i < 30; ++i) {
            list.push_back(ReadAt(p, p.buffer + static_cast<uint64_t>(i) * kPage, kPage,
                                  (i % 3 == 0 ? i : i * 16) * kPage));
          }
          EXPECT_THAT(SubmitAndWait(p, list), testing::Each(kPage));
        },
        Cpus(2, seed));
  }
}

// Reads and writes from a random place on, each in a page of its own.
void MakeRequests(const AioProgram& p, const int (&fds)[2], uint32_t seed) {
  p.ctxp.Store(0);
  EXPECT_EQ(user::io_setup(256, p.ctxp), 0);
  const user::io_context_t ctx = p.ctxp.Load();
  std::minstd_rand random(seed + 1);
  int64_t submitted = 0, reaped = 0;
  std::vector<bool> ended(200);
  while (reaped < 200) {
    std::vector<user::iocb> list;
    const size_t count = 1 + random() % 12;
    for (size_t i = 0; i < count && submitted < 200; ++i, ++submitted) {
      const auto offset = static_cast<int64_t>(random() % 64) * kPage;
      const uint64_t buffer = p.buffer + random() % 64 * kPage;
      const int fd = fds[random() % 2];
      user::iocb cb = random() % 3 == 0 ? user::PwriteIocb(fd, buffer, kPage, offset)
                                        : user::PreadIocb(fd, buffer, kPage, offset);
      cb.aio_data = static_cast<uint64_t>(submitted) + 1;
      list.push_back(cb);
    }
    // In the process's own memory alone: the program's object is that of all of them.
    for (size_t i = 0; i < list.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      (p.places + at).Store(list[i]);
      (p.pointers + at).Store(p.places + at);
    }
    const auto made = static_cast<int64_t>(list.size());
    EXPECT_EQ(user::io_submit(ctx, made, p.pointers), made);
    const int64_t wanted = std::min<int64_t>(submitted - reaped, 1 + random() % 20);
    const int64_t got = user::io_getevents(ctx, wanted, submitted - reaped, p.events, {});
    EXPECT_GE(got, wanted);
    for (int64_t i = 0; i < got; ++i) {
      const auto res = static_cast<int64_t>(p.Event(i).res);
      EXPECT_TRUE(res == kPage || res == -EIO) << res;
      // Each once.
      const uint64_t request = p.Event(i).data;
      ASSERT_TRUE(request >= 1 && request <= 200) << request;
      EXPECT_FALSE(ended[request - 1]) << request;
      ended[request - 1] = true;
    }
    reaped += got;
  }
}

// Each request ends once, and all that was taken is given back (RunAio looks), in every order of
// events.
TEST(BlockDev, ManyTasksOnTwoDisks) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    DeviceOptions vda = Vda();
    vda.depth = 8;
    vda.irq_cpu = 2;
    FailingDisk::bad_sector = 80;
    DeviceOptions null;
    null.path = "/dev/nullb0";
    null.driver = "null_blk";
    null.queues = 2;
    null.depth = 4;
    null.irqmode = 2;
    SystemOptions options = Cpus(4, seed);
    options.devices = {null};
    RunOnDisk(
        std::move(vda),
        [](AioProgram& p) {
          const int fds[2] = {p.fd, static_cast<int>(user::open("/dev/nullb0", O_RDWR | O_DIRECT))};
          for (uint32_t child = 0; child < 3; ++child) {
            EXPECT_GT(user::fork([&p, &fds, child] {
                        MakeRequests(p, fds, child);
                        user::exit(0);
                      }),
                      0);
          }
          for (int child = 0; child < 3; ++child) {
            int status = -1;
            EXPECT_GT(user::waitpid(-1, &status, 0), 0);
            EXPECT_EQ(status, 0);
          }
        },
        options);
  }
}

// What a disk needs is kept back in pools, so that only io_submit's own requests fail.
TEST(BlockDev, EachAllocationFailsOnce) {
  int countdown = 1 << 30;
  for (int rank = 0, failed = 1; failed != 0; ++rank) {
    ASSERT_LT(rank, 100);
    RunOnDisk(Vda(), [&](AioProgram& p) {
      p.Setup(8);
      p.places.Store(ReadAt(p, p.buffer, 40 * kPage, 0));
      p.pointers.Store(p.places);
      p.events.Store({});  // so that its page is there
      countdown = rank;
      current->machine->SetChooser(std::make_unique<FailOneAllocation>(&countdown));
      const int64_t submitted = user::io_submit(p.ctx, 1, p.pointers);
      const int64_t events =
          submitted == 1 ? user::io_getevents(p.ctx, 1, 1, p.events, {}) : submitted;
      failed = countdown < 0 ? 1 : 0;
      countdown = 1 << 30;
      current->machine->SetChooser(std::make_unique<FirstChooser>());
      if (submitted == 1) {
        EXPECT_EQ(events, 1) << rank;
        const auto res = static_cast<int64_t>(p.Event(0).res);
        EXPECT_TRUE(res == 40 * kPage || (res > 0 && res % kPage == 0) || res == -EIO) << res;
      } else {
        EXPECT_EQ(submitted, -EAGAIN) << rank;
      }
    });
  }
}

}  // namespace
}  // namespace kpath
