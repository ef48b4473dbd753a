// SPDX-License-Identifier: Apache-2.0
//
// A machine with a disk whose driver does what a test says, for unit tests.
//
//   TestBlock block;
//   block.Run([&] {
//     blk_plug plug;
//     blk_start_plug(&plug);
//     submit_bio(block.Make(REQ_OP_READ, /*sector=*/0, /*bytes=*/4096));
//     blk_finish_plug(&plug);
//     EXPECT_EQ(block.Issued(), "R0+8");      // the requests that the driver got, in order
//     block.CompleteAll();
//   });
//   EXPECT_EQ(block.Ended(), "0:0");           // the bios that ended: first sector, status
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "sim/block/blk_core.h"
#include "sim/block/blk_mq.h"
#include "sim/block/blk_plug.h"
#include "sim/mm/page.h"
#include "sim/mm/test_mm.h"

namespace kpath {

struct TestBlockOptions {
  int cpus = 1;
  unsigned queues = 1;
  unsigned depth = 64;
  unsigned timeout = 0;  // jiffies; 0: the default
  std::unique_ptr<Chooser> chooser = nullptr;
};

class TestBlock {
 public:
  explicit TestBlock(TestBlockOptions options = {})
      : mm(options.cpus, std::move(options.chooser)), machine(mm.machine) {
    EnterMachine enter(machine);
    blk_init();
    set.ops = &kOps;
    set.nr_hw_queues = options.queues;
    set.queue_depth = options.depth;
    set.timeout = options.timeout;
    set.flags = BLK_MQ_F_SHOULD_MERGE;
    set.driver_data = this;
    EXPECT_EQ(blk_mq_alloc_tag_set(&set), 0);
    q = blk_mq_init_queue(&set);
    q->queuedata = this;
    blk_queue_max_hw_sectors(q, ~0u);
    disk = alloc_disk(1);
    disk->queue = q;
    set_capacity(disk, 1 << 20);
    // The pools that blk_init made live as long as the machine; all else is a leak.
    at_boot_ = DescribeLeaks({});
  }

  // Runs `body` as a task to its end and returns the kernel's report, or what hangs.
  std::string Run(std::function<void()> body) {
    mm.kernel.Spawn("submitter", std::move(body));
    return mm.kernel.Run();
  }

  // A bio for `bytes` from `sector` on, a page for each 4096 bytes of it, the first at `offset`
  // into its page. Its end is noted, and its pages and itself are freed then.
  bio* Make(unsigned opf, sector_t sector, unsigned bytes, unsigned offset = 0) {
    const unsigned pages = (bytes + offset + PAGE_SIZE - 1) / PAGE_SIZE;
    bio* made = bio_alloc(GFP_KERNEL, pages);
    made->bi_disk = disk;
    made->bi_iter.bi_sector = sector;
    made->bi_opf = opf;
    made->bi_end_io = End;
    made->bi_private = new Tracked{this, sector};
    for (unsigned i = 0; i < pages; ++i) {
      const auto part =
          static_cast<unsigned>(std::min<unsigned long>(bytes, PAGE_SIZE - (i == 0 ? offset : 0)));
      bio_add_page(made, alloc_page(GFP_KERNEL), part, i == 0 ? offset : 0);
      bytes -= part;
    }
    return made;
  }

  // Ends what the driver has, oldest first.
  void CompleteAll(blk_status_t status = BLK_STS_OK) {
    while (!in_device.empty()) Complete(status);
  }
  void Complete(blk_status_t status = BLK_STS_OK) {
    request* rq = in_device.front();
    in_device.erase(in_device.begin());
    status_ = status;
    blk_mq_complete_request(rq);
  }

  // "R0+8 W64+16": direction, sector, sectors of the requests that the driver got; a '.' behind
  // those that it was told to tell the device of.
  std::string Issued() const { return issued_; }
  std::string Ended() const { return ended_; }
  void Forget() { issued_ = ended_ = ""; }

  // What is left that was not there when the queue was made.
  std::string Leaks() {
    EnterMachine enter(machine);
    const std::string now = DescribeLeaks({"worker"});
    std::string text;
    for (absl::string_view line : absl::StrSplit(now, '\n')) {
      if (!line.empty() && !absl::StrContains(at_boot_, line)) absl::StrAppend(&text, line, "\n");
    }
    return text;
  }

  TestMm mm;
  Machine& machine;
  blk_mq_tag_set set;
  request_queue* q = nullptr;
  gendisk* disk = nullptr;
  std::vector<request*> in_device;
  int room = 1 << 30;                           // requests that the driver takes before it is busy
  blk_status_t refusal = BLK_STS_DEV_RESOURCE;  // what it says then
  blk_eh_timer_return timeout_answer = BLK_EH_RESET_TIMER;
  int timeouts = 0;
  std::vector<int> completed_on;  // CPUs

 private:
  struct Tracked {
    TestBlock* test;
    sector_t sector;
  };

  static TestBlock& Of(request_queue* q) { return *static_cast<TestBlock*>(q->queuedata); }

  static blk_status_t QueueRq(blk_mq_hw_ctx* hctx, const blk_mq_queue_data* bd) {
    TestBlock& test = Of(hctx->queue);
    if (test.room == 0) return test.refusal;
    --test.room;
    blk_mq_start_request(bd->rq);
    absl::StrAppend(&test.issued_, test.issued_.empty() ? "" : " ", rq_is_write(bd->rq) ? "W" : "R",
                    blk_rq_pos(bd->rq), "+", blk_rq_sectors(bd->rq), bd->last ? "." : "");
    test.in_device.push_back(bd->rq);
    return BLK_STS_OK;
  }
  static void Done(request* rq) {
    TestBlock& test = Of(rq->q);
    test.completed_on.push_back(smp_processor_id());
    blk_mq_end_request(rq, test.status_);
  }
  static blk_eh_timer_return Timeout(request* rq, bool) {
    TestBlock& test = Of(rq->q);
    ++test.timeouts;
    if (test.timeout_answer == BLK_EH_DONE) {
      std::erase(test.in_device, rq);
      test.status_ = BLK_STS_TIMEOUT;
      blk_mq_complete_request(rq);
    }
    return test.timeout_answer;
  }
  static void End(bio* bio) {
    auto* tracked = static_cast<Tracked*>(bio->bi_private);
    TestBlock& test = *tracked->test;
    absl::StrAppend(&test.ended_, test.ended_.empty() ? "" : " ", tracked->sector, ":",
                    static_cast<int>(bio->bi_status));
    for (unsigned i = 0; i < bio->bi_vcnt; ++i) put_page(bio->bi_io_vec[i].bv_page);
    delete tracked;
    bio_put(bio);
  }

  static constexpr blk_mq_ops kOps = {
      .name = "test", .queue_rq = QueueRq, .timeout = Timeout, .complete = Done};

  blk_status_t status_ = BLK_STS_OK;
  std::string issued_, ended_, at_boot_;
};

}  // namespace kpath
