// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic of slots.
//
// io_setup(n) on C possible CPUs makes a ring for 2 * max(n, 4 * C) events, rounded up to whole
// pages: P = ceil((32 + 32 * (that + 2)) / 4096), N = 128 * P - 1 events. One event stays unused,
// so N - 1 requests can be in flight. Slots leave the global counter in batches of (N - 1) / (4 *
// C) only, so what is left of the division cannot be used.
#include "fs_aio/reqs_available.h"

#include <deque>
#include <random>

#include "fs_aio/aio_test_program.h"

namespace kpath {
namespace {

SystemOptions Cpus(int cpus) {
  SystemOptions options;
  options.cpus = cpus;
  return options;
}

TEST(Slots, OneCpuTakes124Of200) {
  // io_setup(1), C = 1: 8 events asked for, P = 1, N = 127, 126 slots, batches of 126 / 4 = 31:
  // 4 * 31 = 124 requests, 2 slots left over. A real 4.19.13 kernel takes 124, too.
  RunAio(Cpus(1), [](AioProgram& p) {
    ASSERT_EQ(p.Setup(1), 0);
    EXPECT_EQ(p.Kioctx()->nr_events, 127u);
    EXPECT_EQ(p.Kioctx()->req_batch, 31u);
    EXPECT_EQ(p.Submit(p.Reads(200)), 124);
    EXPECT_EQ(p.Kioctx()->reqs_available, 2u);
    EXPECT_EQ(p.Reap(124, 200), 124);
  });
}

TEST(Slots, OneOfTwoCpusTakes120) {
  // C = 2: 16 events asked for, P = 1, N = 127, batches of 126 / 8 = 15: 8 * 15 = 120, 6 left over.
  // A real 4.19.13 kernel takes 120, too.
  RunAio(Cpus(2), [](AioProgram& p) {
    ASSERT_EQ(p.Setup(1), 0);
    EXPECT_EQ(p.Kioctx()->req_batch, 15u);
    EXPECT_EQ(p.Submit(p.Reads(200)), 120);
    EXPECT_EQ(p.Kioctx()->reqs_available, 6u);
  });
}

TEST(Slots, OneOfFourCpusTakesAll126) {
  // C = 4: batches of 126 / 16 = 7, and 7 divides 126.
  RunAio(Cpus(4), [](AioProgram& p) {
    ASSERT_EQ(p.Setup(1), 0);
    EXPECT_EQ(p.Kioctx()->req_batch, 7u);
    EXPECT_EQ(p.Submit(p.Reads(200)), 126);
  });
}

TEST(Slots, ARingOfMoreThanEightPages) {
  // n = 1024, C = 1: 2048 events, P = ceil((32 + 32 * 2050) / 4096) = 17, N = 2175.
  RunAio(Cpus(1), [](AioProgram& p) {
    ASSERT_EQ(p.Setup(1024), 0);
    EXPECT_EQ(p.Kioctx()->ring_pages.size(), 17u);
    EXPECT_EQ(p.Kioctx()->nr_events, 2175u);
    EXPECT_EQ(p.Kioctx()->req_batch, 543u);
  });
}

TEST(Slots, ReadingAnEventGivesNothingBackBeforeSomebodyLooks) {
  RunAio(Cpus(1), [](AioProgram& p) {
    ASSERT_EQ(p.Setup(1), 0);
    ASSERT_EQ(p.Submit(p.Reads(124)), 124);
    EXPECT_EQ(p.Reap(124, 124), 124);
    EXPECT_EQ(p.Kioctx()->completed_events, 124u);  // the kernel has not noticed
    EXPECT_EQ(p.Submit(p.Reads(1)), 1);             // the submitter has run out, and looks
    EXPECT_LE(p.Kioctx()->completed_events, 1u);
    p.ExpectSlotsBalance();
  });
}

TEST(Slots, ACompletionNoticesWhatWasRead) {
  RunAio(Cpus(1), [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(5)), 5);
    EXPECT_EQ(p.Kioctx()->completed_events, 5u);
    EXPECT_EQ(p.Reap(3, 3), 3);
    EXPECT_EQ(p.Kioctx()->completed_events, 5u);
    ASSERT_EQ(p.Submit(p.Reads(1)), 1);
    EXPECT_EQ(p.Kioctx()->completed_events, 3u);
    p.ExpectSlotsBalance();
  });
}

// A ring as a list and a counter: what the real one must agree with.
class NaiveRing {
 public:
  explicit NaiveRing(unsigned slots) : slots_(slots) {}
  // How many of `asked` requests can be completed into the ring at most.
  unsigned Room() const { return slots_ - static_cast<unsigned>(unread_.size()); }
  void Complete(uint64_t data) { unread_.push_back(data); }
  std::vector<uint64_t> Read(size_t most) {
    std::vector<uint64_t> read;
    while (!unread_.empty() && read.size() < most) {
      read.push_back(unread_.front());
      unread_.pop_front();
    }
    return read;
  }
  size_t unread() const { return unread_.size(); }

 private:
  const unsigned slots_;
  std::deque<uint64_t> unread_;
};

TEST(Slots, RandomSubmittingAndReapingAgreesWithANaiveRing) {
  for (const int cpus : {1, 2, 3}) {
    RunAio(Cpus(cpus), [](AioProgram& p) {
      ASSERT_EQ(p.Setup(1), 0);
      NaiveRing naive(p.Kioctx()->nr_events - 1);
      std::mt19937 random(5);
      uint64_t next = 0;
      for (int round = 0; round < 300; ++round) {
        std::vector<user::iocb> list = p.Reads(random() % 40);
        for (user::iocb& cb : list) cb.aio_data = next++;
        const int64_t taken = p.Submit(list);
        ASSERT_TRUE(taken >= 0 || taken == -EAGAIN);
        ASSERT_LE(std::max<int64_t>(taken, 0), static_cast<int64_t>(naive.Room()));
        for (int64_t i = 0; i < taken; ++i) naive.Complete(list[static_cast<size_t>(i)].aio_data);
        const int64_t wanted = random() % 60;
        const std::vector<uint64_t> expected = naive.Read(static_cast<size_t>(wanted));
        ASSERT_EQ(p.Reap(0, wanted), static_cast<int64_t>(expected.size()));
        for (size_t i = 0; i < expected.size(); ++i) {
          ASSERT_EQ(p.Event(static_cast<int64_t>(i)).data, expected[i]);
        }
        p.ExpectSlotsBalance();
      }
    });
  }
}

}  // namespace
}  // namespace kpath
