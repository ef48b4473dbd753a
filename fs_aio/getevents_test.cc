// SPDX-License-Identifier: Apache-2.0
#include <sys/mman.h>

#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kMillisecond = 1'000'000;

int64_t GetEvents(AioProgram& p, int64_t min_nr, int64_t nr, int64_t timeout_ns) {
  const auto timeout =
      p.arena.Put(user::timespec{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000});
  return user::io_getevents(p.ctx, min_nr, nr, p.events, timeout);
}

TEST(IoGetevents, PollsOnceWithATimeoutOfZero) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int64_t before = current->machine->now_ns();
    EXPECT_EQ(GetEvents(p, 1, 8, 0), 0);
    EXPECT_LT(current->machine->now_ns() - before, kMillisecond);
  });
}

TEST(IoGetevents, WaitsForTheTimeoutAndNoLonger) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int64_t before = current->machine->now_ns();
    EXPECT_EQ(GetEvents(p, 1, 8, 2 * kMillisecond), 0);
    const int64_t waited = current->machine->now_ns() - before;
    EXPECT_GE(waited, 2 * kMillisecond);
    EXPECT_LT(waited, 3 * kMillisecond);
  });
}

TEST(IoGetevents, AFewEventsAreReturnedWhenTheTimeIsOver) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(2)), 2);
    EXPECT_EQ(GetEvents(p, 3, 8, 2 * kMillisecond), 2);
  });
}

TEST(IoGetevents, MinNrOfZeroNeverWaits) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(user::io_getevents(p.ctx, 0, 8, p.events, {}), 0);
  });
}

TEST(IoGetevents, ReturnsAtMostNr) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(5)), 5);
    EXPECT_EQ(p.Reap(1, 3), 3);
    EXPECT_EQ(p.Reap(1, 3), 2);
    EXPECT_EQ(p.Reap(0, 3), 0);
  });
}

TEST(IoGetevents, EventsCrossPagesAndTheRingsEnd) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(100), 0);  // two pages: 255 events
    ASSERT_EQ(p.Kioctx()->ring_pages.size(), 2u);
    uint64_t next = 0, expected = 0;
    for (int round = 0; round < 9; ++round) {
      std::vector<user::iocb> list = p.Reads(100);
      for (user::iocb& cb : list) cb.aio_data = next++;
      ASSERT_EQ(p.Submit(list), 100);
      ASSERT_EQ(p.Reap(100, 100), 100);
      for (int i = 0; i < 100; ++i) ASSERT_EQ(p.Event(i).data, expected++);
    }
  });
}

TEST(IoGetevents, AnyNumberOfNanosecondsIsTaken) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const auto timeout = p.arena.Put(user::timespec{-1, 1'000'000'000 + 3 * kMillisecond});
    const int64_t before = current->machine->now_ns();
    EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, timeout), 0);
    EXPECT_GE(current->machine->now_ns() - before, 3 * kMillisecond);
    EXPECT_LT(current->machine->now_ns() - before, 4 * kMillisecond);
  });
}

TEST(IoGetevents, NegativeAndHugeTimesAreForEver) {
  for (const user::timespec time :
       {user::timespec{-1, 0}, user::timespec{0, -1}, user::timespec{9'223'372'036, 0},
        user::timespec{INT64_MAX, 0}}) {
    System system;
    bool returned = false;
    system.Start("aio", [&] {
      AioProgram p;
      p.Setup(8);
      user::io_getevents(p.ctx, 1, 1, p.events, p.arena.Put(time));
      returned = true;
    });
    system.Run();  // tells of a task that waits for ever
    EXPECT_FALSE(returned) << time.tv_sec << " " << time.tv_nsec;
  }
}

TEST(IoGetevents, AFaultInTheMiddleLeavesAllEventsInTheRing) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(100), 0);  // two pages: 255 events
    ASSERT_EQ(p.Submit(p.Reads(200)), 200);
    // Room for the 127 events of the first page and some, then nothing is mapped.
    const int64_t pages =
        user::mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_EQ(user::munmap(static_cast<uint64_t>(pages) + 2 * 4096, 4096), 0);
    const auto events = p.events;
    p.events = user::Pointer<user::io_event>(static_cast<uint64_t>(pages) + 2 * 4096 - 130 * 32);
    EXPECT_EQ(p.Reap(1, 200), -EFAULT);
    EXPECT_EQ(user::Load<uint32_t>(p.ctx + offsetof(aio_ring, head)), 0u);
    p.events = events;
    EXPECT_EQ(p.Reap(1, 200), 200);
    p.ExpectSlotsBalance();
  });
}

TEST(IoGetevents, MinNrBeyondNr) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Reap(2, 1), -EINVAL);
    EXPECT_EQ(p.Reason(), "EINVAL: min_nr=2 must be between 0 and nr=1");
    EXPECT_EQ(p.Reap(-1, 1), -EINVAL);
  });
}

TEST(IoGetevents, BadContextComesBeforeBadCounts) {
  RunAio({}, [](AioProgram& p) {
    EXPECT_EQ(p.Reap(2, 1), -EINVAL);
    EXPECT_THAT(p.Reason(), StartsWith("EINVAL: no context NULL"));
  });
}

TEST(IoGetevents, UnreadableTimeoutComesFirst) {
  RunAio({}, [](AioProgram& p) {
    EXPECT_EQ(user::io_getevents(0, 1, 1, p.events, user::Pointer<user::timespec>(8)), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("the timeout at 0x8 cannot be read"));
  });
}

TEST(IoGetevents, EventsThatCannotBeWrittenStayInTheRing) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(2)), 2);
    const auto events = p.events;
    p.events = user::Pointer<user::io_event>(0x10000);
    EXPECT_EQ(p.Reap(1, 8), -EFAULT);
    EXPECT_THAT(p.Reason(), HasSubstr("they stay in the ring"));
    p.events = events;
    EXPECT_EQ(p.Reap(1, 8), 2);
  });
}

TEST(IoGetevents, AForgedHeadIsTrustedModuloTheRing) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(3)), 3);
    const unsigned nr = user::Load<uint32_t>(p.ctx + offsetof(aio_ring, nr));
    user::Store<uint32_t>(p.ctx + offsetof(aio_ring, head), 2 + 5 * nr);
    EXPECT_EQ(p.Reap(0, 8), 1);
    user::Store<uint32_t>(p.ctx + offsetof(aio_ring, head), 0);
    EXPECT_EQ(p.Reap(0, 8), 3);  // the same events once more
  });
}

TEST(IoGetevents, TheRingIsReadByUserModeAsWell) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    user::iocb cb = p.Read(512);
    cb.aio_data = 99;
    ASSERT_EQ(p.Submit({cb}), 1);
    const aio_ring ring = user::Load<aio_ring>(p.ctx);
    EXPECT_EQ(ring.magic, AIO_RING_MAGIC);
    EXPECT_EQ(ring.nr, 127u);
    EXPECT_EQ(ring.head, 0u);
    EXPECT_EQ(ring.tail, 1u);
    EXPECT_EQ(user::Load<io_event>(p.ctx + sizeof(aio_ring)).data, 99u);
    user::Store<uint32_t>(p.ctx + offsetof(aio_ring, head), 1);
    EXPECT_EQ(p.Reap(0, 8), 0);
    p.ExpectSlotsBalance();
  });
}

}  // namespace
}  // namespace kpath
