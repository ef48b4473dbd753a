// SPDX-License-Identifier: Apache-2.0
//
// Bios that become one request, and bios that become several.
#include "gtest/gtest.h"
#include "sim/block/test_block.h"

namespace kpath {
namespace {

constexpr unsigned kPage = 4096;

// Submits the bios in one plug; what the driver gets.
std::string Submit(TestBlock& block, const std::function<void()>& submit) {
  const std::string report = block.Run([&] {
    blk_plug plug;
    blk_start_plug(&plug);
    submit();
    blk_finish_plug(&plug);
    block.CompleteAll();
  });
  EXPECT_EQ(report, "");
  EXPECT_EQ(block.Leaks(), "");
  return block.Issued();
}

TEST(BlkMerge, NeighboursBecomeOneRequest) {
  TestBlock block;
  EXPECT_EQ(Submit(block,
                   [&] {
                     for (const sector_t sector : {0, 8, 16}) {
                       submit_bio(block.Make(REQ_OP_READ, sector, kPage));
                     }
                   }),
            "R0+24.");
  EXPECT_EQ(block.Ended(), "0:0 8:0 16:0");
  EXPECT_EQ(block.q->stats.plug_merges, 2u);
  EXPECT_EQ(block.q->stats.requests, 1u);
  EXPECT_EQ(block.disk->part0.dkstats.merges[0], 2u);
  EXPECT_EQ(block.disk->part0.dkstats.ios[0], 1u);
  EXPECT_EQ(block.disk->part0.dkstats.sectors[0], 24u);
}

TEST(BlkMerge, ABioJoinsInFront) {
  TestBlock block;
  EXPECT_EQ(Submit(block,
                   [&] {
                     for (const sector_t sector : {16, 8, 0}) {
                       submit_bio(block.Make(REQ_OP_READ, sector, kPage));
                     }
                   }),
            "R0+24.");
  // In the order of the sectors.
  EXPECT_EQ(block.Ended(), "0:0 8:0 16:0");
}

TEST(BlkMerge, WhatDoesNotTouchStaysApartAndIsSortedBySector) {
  TestBlock block;
  EXPECT_EQ(Submit(block,
                   [&] {
                     for (const sector_t sector : {256, 0, 128}) {
                       submit_bio(block.Make(REQ_OP_READ, sector, kPage));
                     }
                   }),
            "R0+8. R128+8. R256+8.");
}

TEST(BlkMerge, ReadsAndWritesDoNotMix) {
  TestBlock block;
  EXPECT_EQ(Submit(block,
                   [&] {
                     submit_bio(block.Make(REQ_OP_READ, 0, kPage));
                     submit_bio(block.Make(REQ_OP_WRITE, 8, kPage));
                   }),
            "R0+8. W8+8.");
}

TEST(BlkMerge, FlagsAndTheQueueCanForbidIt) {
  for (const bool by_queue : {false, true}) {
    TestBlock block;
    if (by_queue) blk_queue_flag_set(QUEUE_FLAG_NOMERGES, block.q);
    const unsigned flags = by_queue ? 0 : REQ_NOMERGE;
    EXPECT_EQ(Submit(block,
                     [&] {
                       submit_bio(block.Make(REQ_OP_READ, 0, kPage));
                       submit_bio(block.Make(REQ_OP_READ | flags, 8, kPage));
                     }),
              "R0+8. R8+8.");
  }
}

TEST(BlkMerge, WriteHintsOfAnotherKindDoNotMix) {
  TestBlock block;
  EXPECT_EQ(Submit(block,
                   [&] {
                     submit_bio(block.Make(REQ_OP_WRITE, 0, kPage));
                     bio* other = block.Make(REQ_OP_WRITE, 8, kPage);
                     other->bi_write_hint = 3;
                     submit_bio(other);
                   }),
            "W0+8. W8+8.");
}

TEST(BlkMerge, ARequestGrowsUpToTheLimitsOfTheDevice) {
  {
    TestBlock block;
    block.q->limits.max_sectors = 16;
    EXPECT_EQ(Submit(block,
                     [&] {
                       for (const sector_t sector : {0, 8, 16, 24}) {
                         submit_bio(block.Make(REQ_OP_READ, sector, kPage));
                       }
                     }),
              "R0+16. R16+16.");
  }
  {
    TestBlock block;
    block.q->limits.max_segments = 3;
    block.q->limits.cluster = false;
    EXPECT_EQ(Submit(block,
                     [&] {
                       for (const sector_t sector : {0, 8, 16, 24}) {
                         submit_bio(block.Make(REQ_OP_READ, sector, kPage));
                       }
                     }),
              "R0+24. R24+8.");
  }
}

TEST(BlkMerge, AFullRequestIsNotTriedAgain) {
  TestBlock block;
  block.q->limits.max_sectors = 16;
  // The third bio finds the first request full; the fourth, which would fit in no more, does not
  // look at it again, though it touches it.
  EXPECT_EQ(Submit(block,
                   [&] {
                     submit_bio(block.Make(REQ_OP_READ, 0, kPage));
                     submit_bio(block.Make(REQ_OP_READ, 8, 2 * kPage));
                     submit_bio(block.Make(REQ_OP_READ, 8, kPage));
                   }),
            "R0+8. R8+8. R8+16.");
}

TEST(BlkMerge, AGapInMemoryForbidsIt) {
  TestBlock block;
  block.q->limits.virt_boundary_mask = kPage - 1;
  EXPECT_EQ(Submit(block,
                   [&] {
                     submit_bio(block.Make(REQ_OP_READ, 0, 512));
                     submit_bio(block.Make(REQ_OP_READ, 1, kPage));
                     // This one ends where its page does, the next begins where its page does.
                     submit_bio(block.Make(REQ_OP_READ, 100, kPage));
                     submit_bio(block.Make(REQ_OP_READ, 108, kPage));
                   }),
            "R0+1. R1+8. R100+16.");
}

TEST(BlkMerge, ABioThatIsTooLongIsSplit) {
  TestBlock block;
  block.q->limits.max_sectors = 16;
  EXPECT_EQ(Submit(block, [&] { submit_bio(block.Make(REQ_OP_READ, 0, 5 * kPage)); }),
            "R0+16. R16+16. R32+8.");
  // It ends once, when all of it has.
  EXPECT_EQ(block.Ended(), "0:0");
  EXPECT_EQ(block.q->stats.splits, 2u);
}

TEST(BlkMerge, ABioIsSplitInTheMiddleOfAPage) {
  TestBlock block;
  block.q->limits.max_sectors = 12;
  EXPECT_EQ(Submit(block, [&] { submit_bio(block.Make(REQ_OP_READ, 0, 2 * kPage)); }),
            "R0+12. R12+4.");
}

TEST(BlkMerge, ABioIsSplitWhereItHasTooManyPieces) {
  TestBlock block;
  block.q->limits.max_segments = 2;
  block.q->limits.cluster = false;
  EXPECT_EQ(Submit(block, [&] { submit_bio(block.Make(REQ_OP_READ, 0, 5 * kPage)); }),
            "R0+16. R16+16. R32+8.");
}

TEST(BlkMerge, ASplitDoesNotCrossChunks) {
  TestBlock block;
  block.q->limits.chunk_sectors = 16;
  EXPECT_EQ(Submit(block, [&] { submit_bio(block.Make(REQ_OP_READ, 8, 3 * kPage)); }),
            "R8+8. R16+16.");
}

TEST(BlkMerge, AnErrorOfAnyPieceIsTheWholeBios) {
  TestBlock block;
  block.q->limits.max_sectors = 8;
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, 0, 3 * kPage));
    block.Complete(BLK_STS_OK);
    block.Complete(BLK_STS_MEDIUM);
    EXPECT_EQ(block.Ended(), "");
    block.Complete(BLK_STS_OK);
  }),
            "");
  EXPECT_EQ(block.Ended(), "0:7");
  EXPECT_EQ(block.Leaks(), "");
}

TEST(BlkMerge, PiecesThatLieTogetherInMemoryAreOne) {
  TestBlock block;
  EXPECT_EQ(block.Run([&] {
    submit_bio(block.Make(REQ_OP_READ, 0, 3 * kPage));
    scatterlist sg[4];
    request* rq = block.in_device.at(0);
    const int pieces = blk_rq_map_sg(block.q, rq, sg);
    EXPECT_EQ(pieces, rq->nr_phys_segments);
    unsigned bytes = 0;
    for (int i = 0; i < pieces; ++i) bytes += sg[i].length;
    EXPECT_EQ(bytes, 3 * kPage);
    block.q->limits.cluster = false;
    EXPECT_EQ(blk_rq_map_sg(block.q, rq, sg), 3);
    block.CompleteAll();
  }),
            "");
}

}  // namespace
}  // namespace kpath
