// SPDX-License-Identifier: Apache-2.0
//
// Plugs, tags, busy drivers, completion, timeouts.
#include "gtest/gtest.h"
#include "sim/block/test_block.h"
#include "sim/machine/test_chooser.h"

namespace kpath {
namespace {

constexpr unsigned kPage = 4096;

TEST(BlkMq, WithoutAPlugARequestGoesToTheDriverAtOnce) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    EXPECT_EQ(block.Issued(), "R0+8.");
    block.CompleteAll();
  }),
            "");
  EXPECT_EQ(block.Ended(), "0:0");
  EXPECT_EQ(block.q->stats.issued_directly, 1u);
  EXPECT_EQ(block.q->stats.in_flight, 0u);
  EXPECT_EQ(block.Leaks(), "");
}

TEST(BlkMq, InnerPlugsHoldNothingBackAndFlushNothing) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    blk_plug outer, inner;
    blk_start_plug(&outer);
    blk_start_plug(&inner);
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    EXPECT_TRUE(list_empty(&inner.mq_list));
    blk_finish_plug(&inner);
    EXPECT_EQ(block.Issued(), "");
    blk_finish_plug(&outer);
    EXPECT_EQ(block.Issued(), "R0+8.");
    block.CompleteAll();
  }),
            "");
}

// A 17th request flushes the 16 before it.
TEST(BlkMq, APlugHoldsSixteenRequests) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    blk_plug plug;
    blk_start_plug(&plug);
    for (sector_t i = 0; i < 16; ++i) submit_bio(block.Make(REQ_OP_READ, i * 64, kPage));
    EXPECT_EQ(block.in_device.size(), 0u);
    submit_bio(block.Make(REQ_OP_READ, 16 * 64, kPage));
    EXPECT_EQ(block.in_device.size(), 16u);
    EXPECT_TRUE(list_is_singular(&plug.mq_list));
    blk_finish_plug(&plug);
    EXPECT_EQ(block.in_device.size(), 17u);
    block.CompleteAll();
  }),
            "");
}

// A last request of 128 KiB flushes the plug when the next one comes, not when it grows.
TEST(BlkMq, APlugIsFlushedBehindALargeRequest) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    blk_plug plug;
    blk_start_plug(&plug);
    submit_bio(block.Make(REQ_OP_READ, 0, 31 * kPage));
    submit_bio(block.Make(REQ_OP_READ, 31 * 8, kPage));
    EXPECT_EQ(block.Issued(), "");
    submit_bio(block.Make(REQ_OP_READ, 1000, kPage));
    EXPECT_EQ(block.Issued(), "R0+256.");
    blk_finish_plug(&plug);
    EXPECT_EQ(block.Issued(), "R0+256. R1000+8.");
    block.CompleteAll();
  }),
            "");
}

TEST(BlkMq, ASleepHandsThePlugToKblockd) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    blk_plug plug;
    blk_start_plug(&plug);
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    submit_bio(block.Make(REQ_OP_READ, 64, kPage));
    msleep(20);
    EXPECT_TRUE(list_empty(&plug.mq_list));
    // One batch: the device is told with the last of it.
    EXPECT_EQ(block.Issued(), "R0+8 R64+8.");
    blk_finish_plug(&plug);
    block.CompleteAll();
  }),
            "");
  EXPECT_EQ(block.q->stats.plug_schedule_flushes, 1u);
  EXPECT_EQ(block.q->stats.dispatched, 2u);
}

TEST(BlkMq, WithSeveralQueuesThePlugHoldsOneRequest) {
  TestBlock block({.cpus = 2, .queues = 2});
  EXPECT_EQ(block.Run([&] {
    blk_plug plug;
    blk_start_plug(&plug);
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    EXPECT_EQ(block.Issued(), "");
    submit_bio(block.Make(REQ_OP_READ, 8, kPage));  // joins it
    EXPECT_EQ(block.Issued(), "");
    submit_bio(block.Make(REQ_OP_READ, 64, kPage));
    EXPECT_EQ(block.Issued(), "R0+16.");
    blk_finish_plug(&plug);
    EXPECT_EQ(block.Issued(), "R0+16. R64+8.");
    block.CompleteAll();
  }),
            "");
}

TEST(BlkMq, ASubmitterSleepsForATagAndItsOwnRequestsAreIssuedMeanwhile) {
  TestBlock block({.depth = 2});
  int done = 0;
  block.mm.kernel.Spawn("submitter", [&] {
    blk_plug plug;
    blk_start_plug(&plug);
    for (sector_t i = 0; i < 6; ++i) submit_bio(block.Make(REQ_OP_READ, i * 64, kPage));
    blk_finish_plug(&plug);
    done = 1;
  });
  block.mm.kernel.Spawn("device", [&] {
    while (done == 0 || !block.in_device.empty()) {
      msleep(4);
      EXPECT_LE(block.in_device.size(), 2u);
      block.CompleteAll();
    }
  });
  EXPECT_EQ(block.mm.kernel.Run(), "");
  EXPECT_EQ(block.Issued(), "R0+8 R64+8. R128+8 R192+8. R256+8. R320+8.");
  EXPECT_GE(block.q->stats.tag_waits, 2u);
  EXPECT_EQ(block.q->stats.max_in_flight, 2u);
  EXPECT_EQ(block.Leaks(), "");
}

TEST(BlkMq, WhoMustNotWaitFailsWithoutATag) {
  TestBlock block({.depth = 1});
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    submit_bio(block.Make(REQ_OP_READ | REQ_NOWAIT, 64, kPage));
    EXPECT_EQ(block.Ended(), absl::StrCat("64:", static_cast<int>(BLK_STS_AGAIN)));
    block.CompleteAll();
  }),
            "");
}

TEST(BlkMq, WhatABusyDriverRefusesGoesFirstWhenARequestEnds) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    block.room = 1;
    blk_plug plug;
    blk_start_plug(&plug);
    for (sector_t i = 0; i < 3; ++i) submit_bio(block.Make(REQ_OP_READ, i * 64, kPage));
    blk_finish_plug(&plug);
    EXPECT_EQ(block.Issued(), "R0+8.");
    EXPECT_NE(block.q->queue_hw_ctx[0]->dispatch_busy, 0u);
    block.room = 8;
    block.Complete();
    msleep(20);
    EXPECT_EQ(block.Issued(), "R0+8. R64+8. R128+8.");
    block.CompleteAll();
  }),
            "");
  EXPECT_GE(block.q->stats.busy, 1u);
  EXPECT_EQ(block.Leaks(), "");
}

// BLK_STS_RESOURCE is not the device's: no request's end may bring the queue back, so time does.
TEST(BlkMq, AShortageOfMemoryIsTriedAgainLater) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    block.room = 0;
    block.refusal = BLK_STS_RESOURCE;
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    EXPECT_EQ(block.Issued(), "");
    block.room = 8;
    msleep(40);
    EXPECT_EQ(block.Issued(), "R0+8.");
    block.CompleteAll();
  }),
            "");
}

TEST(BlkMq, AStoppedQueueWaitsForItsDriver) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    blk_mq_stop_hw_queue(block.q->queue_hw_ctx[0]);
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    msleep(20);
    EXPECT_EQ(block.Issued(), "");
    blk_mq_start_stopped_hw_queues(block.q, true);
    msleep(20);
    EXPECT_EQ(block.Issued(), "R0+8.");
    block.CompleteAll();
  }),
            "");
}

TEST(BlkMq, ARequestEndsOnTheCpuThatMadeIt) {
  TestBlock block({.cpus = 2});
  task_struct* submitter = block.mm.kernel.Spawn("submitter", [&] {
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    msleep(40);
  });
  submitter->cpus_allowed = 1;
  task_struct* other = block.mm.kernel.Spawn("device", [&] {
    current->cpus_allowed = 2;
    msleep(8);
    EXPECT_EQ(smp_processor_id(), 1);
    block.CompleteAll();
  });
  other->cpus_allowed = 2;
  EXPECT_EQ(block.mm.kernel.Run(), "");
  EXPECT_EQ(block.completed_on, std::vector<int>{0});
  EXPECT_EQ(block.Ended(), "0:0");
}

TEST(BlkMq, ARequestIsCompleteOnce) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    request* rq = block.in_device.at(0);
    block.CompleteAll();
    blk_mq_complete_request(rq);
  }),
            "");
  EXPECT_EQ(block.completed_on.size(), 1u);
}

TEST(BlkMq, ARequestThatDoesNotEndTimesOut) {
  TestBlock block({.timeout = 5 * HZ});
  block.timeout_answer = BLK_EH_DONE;
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    msleep(4000);
    EXPECT_EQ(block.timeouts, 0);
    msleep(6000);
    EXPECT_EQ(block.timeouts, 1);
  }),
            "");
  EXPECT_EQ(block.Ended(), absl::StrCat("0:", static_cast<int>(BLK_STS_TIMEOUT)));
  EXPECT_EQ(block.q->stats.timeouts, 1u);
  EXPECT_EQ(block.Leaks(), "");
}

TEST(BlkMq, ADriverMayGiveItMoreTime) {
  TestBlock block({.timeout = HZ});
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    msleep(9000);
    EXPECT_GE(block.timeouts, 2);
    EXPECT_EQ(block.Ended(), "");
    block.CompleteAll();
  }),
            "");
  EXPECT_EQ(block.Ended(), "0:0");
}

TEST(BlkMq, BeyondTheEndAndReadOnlyFail) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, (1 << 20) - 4, kPage));
    set_disk_ro(block.disk, true);
    submit_bio(block.Make(REQ_OP_WRITE, 0, kPage));
  }),
            "");
  EXPECT_EQ(block.Ended(), absl::StrCat((1 << 20) - 4, ":10 0:10"));
  EXPECT_EQ(block.Issued(), "");
  EXPECT_EQ(block.Leaks(), "");
}

TEST(BlkMq, AFrozenQueueLetsNobodyIn) {
  TestBlock block;
  bool frozen = false;
  block.mm.kernel.Spawn("freezer", [&] {
    blk_mq_freeze_queue(block.q);
    frozen = true;
    msleep(40);
    EXPECT_EQ(block.Issued(), "");
    blk_mq_unfreeze_queue(block.q);
  });
  block.mm.kernel.Spawn("submitter", [&] {
    while (!frozen) msleep(4);
    submit_bio(block.Make(REQ_OP_READ | REQ_NOWAIT, 64, kPage));
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    EXPECT_EQ(block.Issued(), "R0+8.");
    block.CompleteAll();
  });
  EXPECT_EQ(block.mm.kernel.Run(), "");
  EXPECT_EQ(block.Ended(), "64:12 0:0");
}

TEST(BlkMq, ARequeuedRequestIsIssuedAgain) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    request* rq = block.in_device.at(0);
    block.in_device.clear();
    blk_mq_requeue_request(rq, true);
    msleep(20);
    EXPECT_EQ(block.Issued(), "R0+8. R0+8.");
    block.CompleteAll();
  }),
            "");
  EXPECT_EQ(block.Ended(), "0:0");
  EXPECT_EQ(block.Leaks(), "");
}

TEST(BlkMq, AQueueThatIsGoneRefusesBios) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    block.CompleteAll();
    blk_queue_flag_set(QUEUE_FLAG_DYING, block.q);
    blk_mq_freeze_queue(block.q);
    submit_bio(block.Make(REQ_OP_READ, 64, kPage));
  }),
            "");
  EXPECT_EQ(block.Ended(), "0:0 64:10");
}

// A queue is made or it is not; in both cases nothing is left when it is gone.
TEST(BlkMq, EachAllocationOfAQueueFailsOnce) {
  bool failed = true;
  for (int rank = 0; failed; ++rank) {
    ASSERT_LT(rank, 100);
    int countdown = 1 << 30;
    TestBlockOptions options;
    options.cpus = 2;
    options.queues = 2;
    options.chooser = std::make_unique<FailOneAllocation>(&countdown);
    TestBlock block(std::move(options));
    blk_mq_tag_set set;
    EXPECT_EQ(block.Run([&] {
      set.ops = block.set.ops;
      set.nr_hw_queues = 2;
      set.queue_depth = 4;
      countdown = rank;
      request_queue* q = nullptr;
      if (blk_mq_alloc_tag_set(&set) == 0) q = blk_mq_init_queue(&set);
      failed = countdown < 0;
      countdown = 1 << 30;
      EXPECT_EQ(q == nullptr, failed) << rank;
      if (q != nullptr) blk_cleanup_queue(q);
    }),
              "");
    EXPECT_EQ(block.Leaks(), "") << rank;
  }
}

TEST(BlkMq, ACleanupWaitsForWhatIsInFlight) {
  TestBlock block;
  bool gone = false;
  block.mm.kernel.Spawn("submitter", [&] {
    submit_bio(block.Make(REQ_OP_READ, 0, kPage));
    msleep(20);
    EXPECT_FALSE(gone);
    block.CompleteAll();
  });
  block.mm.kernel.Spawn("remover", [&] {
    while (block.in_device.empty()) msleep(4);
    blk_cleanup_queue(block.q);
    gone = true;
  });
  EXPECT_EQ(block.mm.kernel.Run(), "");
  EXPECT_TRUE(gone);
  EXPECT_EQ(block.Ended(), "0:0");
}

}  // namespace
}  // namespace kpath
