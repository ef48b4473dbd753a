// SPDX-License-Identifier: Apache-2.0
//
// The interrupt that ends a read of a disk: the calls in it, as the sources of v4.19 and the build
// of the recordings have them. (The recordings themselves leave interrupts out.)
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/judges/replay_text.h"
#include "tools/compare/compare.h"

namespace kpath {
namespace {

// The visible calls in the K-th call of `name`, one a word, what is called inside in brackets.
std::string Shape(const Graph& graph, const std::string& name, size_t k) {
  const VisibleGraph visible(graph, DefaultRules());
  const std::vector<TreeRef> calls = FindCalls(visible, name);
  if (calls.size() <= k) return "";
  std::string text;
  bool just_entered = false;
  for (const VisibleStep& step : visible.streams[calls[k].stream].Steps(calls[k].call, true)) {
    if (step.is_enter) {
      text += just_entered ? "{" : text.empty() || text.back() == '{' ? "" : " ";
      text += std::string(step.name);
    } else if (!just_entered) {
      text += "}";
    }
    just_entered = step.is_enter;
  }
  return text;
}

TEST(Completion, TheInterruptOfADiskEndsTheReadAndPostsItsEvent) {
  const Graph graph = GraphOfScenario("tests/reference/scenarios/dev_vda_submit_completion.strace");
  const std::string unmap = "vring_unmap_one{vring_use_dma_api}";
  EXPECT_EQ(
      Shape(graph, "vp_interrupt", 1),
      "vp_interrupt{vp_vring_interrupt{_raw_spin_lock_irqsave vring_interrupt{virtblk_done{"
      "_raw_spin_lock_irqsave virtqueue_disable_cb "
      "virtqueue_get_buf{virtqueue_get_buf_ctx{detach_buf{" +
          unmap + " " + unmap + " " + unmap + " " + unmap +
          " kfree}}} "
          "blk_mq_complete_request{cpus_share_cache blk_mq_end_request{"
          "blk_update_request{blk_account_io_completion bio_advance bio_endio{rq_qos_done_bio "
          "blkdev_bio_end_io{aio_complete_rw{fput aio_complete{_raw_spin_lock_irqsave "
          "refill_reqs_available{put_reqs_available} _raw_spin_unlock_irqrestore "
          "kmem_cache_free}} bio_put bio_check_pages_dirty{bio_put{bio_free{bvec_free "
          "mempool_free{mempool_free_slab{kmem_cache_free}}}}}}}} ktime_get "
          "blk_account_io_done{part_round_stats part_dec_in_flight} "
          "blk_mq_free_request{rq_qos_done __blk_mq_free_request{blk_mq_put_tag "
          "blk_mq_sched_restart blk_queue_exit}}}} "
          "virtqueue_get_buf{virtqueue_get_buf_ctx} virtqueue_is_broken "
          "virtqueue_enable_cb{virtqueue_enable_cb_prepare virtqueue_poll} "
          "blk_mq_start_stopped_hw_queues{blk_mq_start_stopped_hw_queue} "
          "_raw_spin_unlock_irqrestore}} _raw_spin_unlock_irqrestore}}");
}

// In timer mode the request ends in the timer's interrupt, without blk_mq_complete_request.
TEST(Completion, TheTimerOfNullBlkEndsItsRequest) {
  const Graph graph =
      GraphOfScenario("tests/reference/scenarios/tags2_6x_pread_4096_scattered.strace");
  const std::string shape = Shape(graph, "null_cmd_timer_expired", 0);
  EXPECT_EQ(shape.substr(0, shape.find(" ")),
            "null_cmd_timer_expired{end_cmd{blk_mq_end_request{blk_update_request{"
            "blk_account_io_completion");
  EXPECT_NE(shape.find("__blk_mq_free_request{blk_mq_put_tag"), std::string::npos);
}

}  // namespace
}  // namespace kpath
