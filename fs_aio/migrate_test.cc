// SPDX-License-Identifier: Apache-2.0
//
// The pages of a ring move to other page frames while it is in use (aio_migratepage).
#include "sim/mm/migrate.h"

#include "entry/kernel_mode.h"
#include "fs_aio/aio_test_program.h"
#include "sim/mm/compaction.h"

namespace kpath {
namespace {

using ::testing::HasSubstr;

// Moves every page that can be moved. Returns how many could not.
int Compact() {
  int left = 0;
  InKernelMode([&left] { left = compact_nodes(); });
  return left;
}

std::vector<uint64_t> FramesOf(kptr<kioctx> ctx) {
  std::vector<uint64_t> frames;
  for (const kptr<page>& page : ctx->ring_pages) frames.push_back(page->pfn);
  return frames;
}

TEST(Migrate, TheRingMovesAndItsEventsWithIt) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(300), 0);
    ASSERT_GT(p.Kioctx()->ring_pages.size(), 2u);
    std::vector<user::iocb> reads = p.Reads(300);
    for (size_t i = 0; i < reads.size(); ++i) reads[i].aio_data = 1000 + i;
    ASSERT_EQ(p.Submit(reads), 300);
    const std::vector<uint64_t> before = FramesOf(p.Kioctx());
    EXPECT_EQ(Compact(), 0);
    const std::vector<uint64_t> after = FramesOf(p.Kioctx());
    for (size_t i = 0; i < before.size(); ++i) EXPECT_NE(before[i], after[i]) << i;
    // The program sees the new pages where the old ones were.
    const auto ring = user::Load<aio_ring>(p.ctx);
    EXPECT_EQ(ring.magic, AIO_RING_MAGIC);
    EXPECT_EQ(ring.tail - ring.head, 300u);
    ASSERT_EQ(p.Reap(300, 300), 300);
    for (int i = 0; i < 300; ++i) EXPECT_EQ(p.Event(i).data, 1000u + static_cast<unsigned>(i));
    EXPECT_EQ(user::Load<aio_ring>(p.ctx).head, ring.tail);
    EXPECT_EQ(p.Submit(p.Reads(1)), 1);
    EXPECT_EQ(p.Reap(1, 1), 1);
    p.ExpectSlotsBalance();
  });
}

TEST(Migrate, WhatTheProgramHasWrittenMovesToo) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(3)), 3);
    user::Store<uint32_t>(p.ctx + offsetof(aio_ring, head), 2);  // as libaio does
    EXPECT_EQ(Compact(), 0);
    EXPECT_EQ(user::Load<aio_ring>(p.ctx).head, 2u);
    EXPECT_EQ(p.Reap(0, 8), 1);
  });
}

TEST(Migrate, FilesMoveAsWell) {
  RunAio({}, [](AioProgram& p) {
    user::Store<uint64_t>(p.buffer, 0x1122334455667788);
    ASSERT_EQ(user::pwrite(p.fd, p.buffer, 8, 0), 8);
    EXPECT_EQ(Compact(), 0);
    user::Store<uint64_t>(p.buffer, 0);
    ASSERT_EQ(user::pread(p.fd, p.buffer, 8, 0), 8);
    EXPECT_EQ(user::Load<uint64_t>(p.buffer), 0x1122334455667788u);
  });
}

TEST(Migrate, WhileEventsAreReadTheRingStays) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const kptr<kioctx> ctx = p.Kioctx();
    const std::vector<uint64_t> before = FramesOf(ctx);
    InKernelMode([&] {
      mutex_lock(&ctx->ring_lock);
      EXPECT_EQ(compact_nodes(), static_cast<int>(before.size()));
      EXPECT_THAT(current->reason.ToString(), HasSubstr("somebody reads events of this ring"));
      mutex_unlock(&ctx->ring_lock);
    });
    EXPECT_EQ(FramesOf(ctx), before);
    EXPECT_EQ(Compact(), 0);
    EXPECT_NE(FramesOf(ctx), before);
  });
}

TEST(Migrate, APageThatSomebodyElseHoldsStays) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const kptr<page> held = p.Kioctx()->ring_pages[0];
    InKernelMode([&] {
      get_page(held);
      EXPECT_EQ(compact_nodes(), 1);
      EXPECT_THAT(current->reason.ToString(), HasSubstr("page 0 has 4 references, 3 expected"));
      put_page(held);
    });
    EXPECT_EQ(p.Kioctx()->ring_pages[0], held);
    ASSERT_EQ(p.Submit(p.Reads(1)), 1);
    EXPECT_EQ(p.Reap(1, 1), 1);
  });
}

TEST(Migrate, ACopyMadeByADeviceIsRefused) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const kptr<page> old = p.Kioctx()->ring_pages[0];
    InKernelMode([&] {
      EXPECT_EQ(old->mapping->a_ops->migratepage(old->mapping, old, old, MIGRATE_SYNC_NO_COPY),
                -EINVAL);
    });
  });
}

// Somebody moves pages all the time while others submit and reap.
TEST(Migrate, NoEventIsLostByMoving) {
  uint64_t moved = 0;
  for (int seed = 1; seed <= 10; ++seed) {
    SystemOptions options;
    options.cpus = 3;
    options.seed = seed;
    RunAio(options, [&moved](AioProgram& p) {
      ASSERT_EQ(p.Setup(64), 0);
      bool done = false;
      const auto compactor = [&] {
        while (!done) {
          const std::vector<uint64_t> before = FramesOf(p.Kioctx());
          Compact();
          moved += FramesOf(p.Kioctx()) != before;
          user::nanosleep(1000);
        }
      };
      const int64_t thread = Thread(compactor);
      std::vector<user::iocb> reads = p.Reads(8);
      uint64_t next = 0;
      for (int round = 0; round < 30; ++round) {
        for (size_t i = 0; i < reads.size(); ++i) reads[i].aio_data = 8u * round + i;
        ASSERT_EQ(p.Submit(reads), 8);
        ASSERT_EQ(p.Reap(8, 8), 8);
        for (int i = 0; i < 8; ++i) EXPECT_EQ(p.Event(i).data, next++);
      }
      done = true;
      Join(thread);
      p.ExpectSlotsBalance();
    });
  }
  EXPECT_GT(moved, 20u);
}

}  // namespace
}  // namespace kpath
