// SPDX-License-Identifier: Apache-2.0
//
// Starting, ending and requeueing requests. v4.19 block/blk-mq.c, block/blk-core.c
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/block/blk_internal.h"
#include "sim/block/rq_qos.h"
#include "sim/kernel/report.h"
#include "sim/kernel/timekeeping.h"

namespace kpath {
namespace {

struct mq_inflight {
  hd_struct* part;
  unsigned* inflight;
};

// v4.19 block/blk-mq.c: blk_mq_check_inflight
void blk_mq_check_inflight(blk_mq_hw_ctx*, request* rq, void* priv, bool) {
  FUNCTION(rq);
  auto* mi = static_cast<mq_inflight*>(priv);
  if (rq->part == mi->part) ++mi->inflight[0];
  if (mi->part->partno != 0) ++mi->inflight[1];
}

// v4.19 block/blk-core.c: req_bio_endio
void req_bio_endio(request* rq, bio* bio, unsigned nbytes, blk_status_t error) {
  if (error != BLK_STS_OK) bio->bi_status = error;
  if ((rq->rq_flags & RQF_QUIET) != 0) bio_set_flag(bio, BIO_QUIET);
  bio_advance(bio, nbytes);
  // A step of a flush ends nothing.
  if (bio->bi_iter.bi_size == 0 && (rq->rq_flags & RQF_FLUSH_SEQ) == 0) bio_endio(bio);
}

// v4.19 block/blk-core.c: print_req_error. Shows as an error in the kernel's log.
void print_req_error(request* req, blk_status_t status) {
  STEP("I/O error", blk_rq_pos(req), status);
}

// v4.19 block/blk-mq.c: blk_mq_complete_request, on the CPU that made the request
void __blk_mq_complete_request_remote(void* data) {
  auto* rq = static_cast<request*>(data);
  FUNCTION(rq);
  rq->q->mq_ops->complete(rq);
}

// v4.19 block/blk-mq.c: blk_mq_mark_complete. False: it is complete already, or was never started.
bool blk_mq_mark_complete(request* rq) {
  if (rq->state != MQ_RQ_IN_FLIGHT) return false;
  rq->state = MQ_RQ_COMPLETE;
  return true;
}

// v4.19 block/blk-mq.c: blk_mq_add_to_requeue_list
void blk_mq_add_to_requeue_list(request* rq, bool at_head, bool kick) {
  FUNCTION(rq, at_head, kick);
  request_queue* q = rq->q;
  unsigned long flags;
  spin_lock_irqsave(&q->requeue_lock, flags);
  if (at_head) {
    rq->rq_flags |= RQF_SOFTBARRIER;
    list_add(&rq->queuelist, &q->requeue_list);
  } else {
    list_add_tail(&rq->queuelist, &q->requeue_list);
  }
  spin_unlock_irqrestore(&q->requeue_lock, flags);
  if (kick) kblockd_mod_delayed_work_on(WORK_CPU_UNBOUND, &q->requeue_work, 0);
}

[[noreturn, gnu::noinline]] void ReportStartedTwice(const request* rq) {
  Report("WARNING: a request is started that is with the device already",
         {absl::StrCat("tag ", rq->tag)});
}

}  // namespace

// v4.19 block/blk-mq.c: blk_mq_in_flight
void blk_mq_in_flight(request_queue* q, hd_struct* part, unsigned inflight[2]) {
  FUNCTION(q);
  inflight[0] = inflight[1] = 0;
  mq_inflight mi = {part, inflight};
  blk_mq_queue_tag_busy_iter(q, blk_mq_check_inflight, &mi);
}

void blk_mq_start_request(request* rq) {
  FUNCTION(rq);
  if (rq->state != MQ_RQ_IDLE) ReportStartedTwice(rq);
  blk_add_timer(rq);
  rq->state = MQ_RQ_IN_FLIGHT;
  BlockStats& stats = rq->q->stats;
  stats.max_in_flight = std::max(stats.max_in_flight, ++stats.in_flight);
}

void blk_mq_complete_request(request* rq) {
  FUNCTION(rq);
  if (!blk_mq_mark_complete(rq)) {
    STEP("it is complete already", rq);
    return;
  }
  request_queue* q = rq->q;
  const int submitter = rq->mq_ctx->cpu;
  if (!test_queue_flag(q, QUEUE_FLAG_SAME_COMP)) return q->mq_ops->complete(rq);
  preempt_disable();
  const int cpu = smp_processor_id();
  bool shared = false;
  if (!test_queue_flag(q, QUEUE_FLAG_SAME_FORCE)) shared = cpus_share_cache(cpu, submitter);
  if (cpu != submitter && !shared) {
    STEP("to the CPU that made it", rq, cpu, submitter);
    rq->csd.func = __blk_mq_complete_request_remote;
    rq->csd.info = rq;
    smp_call_function_single_async(submitter, &rq->csd);
  } else {
    q->mq_ops->complete(rq);
  }
  preempt_enable();
}

// v4.19 block/blk-core.c: blk_update_request
bool blk_update_request(request* req, blk_status_t error, unsigned nr_bytes) {
  FUNCTION(req, error, nr_bytes);
  if (req->bio == nullptr) return fn.Return(false);
  if (error != BLK_STS_OK && (req->rq_flags & RQF_QUIET) == 0) print_req_error(req, error);
  blk_account_io_completion(req, nr_bytes);
  unsigned total_bytes = 0;
  while (req->bio != nullptr) {
    bio* bio = req->bio;
    const unsigned bio_bytes = std::min(bio->bi_iter.bi_size, nr_bytes);
    if (bio_bytes == bio->bi_iter.bi_size) req->bio = bio->bi_next;
    req_bio_endio(req, bio, bio_bytes, error);
    total_bytes += bio_bytes;
    nr_bytes -= bio_bytes;
    if (nr_bytes == 0) break;
  }
  if (req->bio == nullptr) {
    req->__data_len = 0;
    return fn.Return(false);
  }
  req->__data_len -= total_bytes;
  if (!blk_rq_is_passthrough(req)) req->__sector += total_bytes >> SECTOR_SHIFT;
  blk_recalc_rq_segments(req);
  return fn.Return(true);
}

void blk_mq_end_request(request* rq, blk_status_t error) {
  FUNCTION(rq, error);
  if (blk_update_request(rq, error, blk_rq_bytes(rq))) {
    Report("kernel BUG at block/blk-mq.c: bytes are left of a request that has ended");
  }
  // __blk_mq_end_request
  blk_account_io_done(rq, ktime_get());
  BlockStats& stats = rq->q->stats;
  if (blk_mq_request_started(rq)) --stats.in_flight;
  ++stats.completed;
  if (error != BLK_STS_OK) ++stats.errors;
  if (rq->end_io != nullptr) {
    rq_qos_done(rq->q, rq);
    rq->end_io(rq, error);
  } else {
    blk_mq_free_request(rq);
  }
}

// v4.19 block/blk-mq.c: __blk_mq_free_request
void __blk_mq_free_request(request* rq) {
  FUNCTION(rq);
  request_queue* q = rq->q;
  blk_mq_ctx* ctx = rq->mq_ctx;
  blk_mq_hw_ctx* hctx = blk_mq_map_queue(q, ctx->cpu);
  if (rq->tag != -1) blk_mq_put_tag(hctx, hctx->tags, ctx, static_cast<unsigned>(rq->tag));
  blk_mq_sched_restart(hctx);
  blk_queue_exit(q);
}

// v4.19 block/blk-mq.c: blk_mq_free_request
void blk_mq_free_request(request* rq) {
  FUNCTION(rq);
  if (rq->ref <= 0) Report("refcount_t: underflow; a request is freed twice");
  ++rq->mq_ctx->rq_completed[rq_is_sync(rq) ? 1 : 0];
  rq_qos_done(rq->q, rq);
  rq->state = MQ_RQ_IDLE;
  if (--rq->ref == 0) __blk_mq_free_request(rq);
}

// ---- Again ----

// v4.19 block/blk-mq.c: __blk_mq_requeue_request
void __blk_mq_requeue_request(request* rq) {
  FUNCTION(rq);
  rq_qos_requeue(rq->q, rq);
  if (!blk_mq_request_started(rq)) return;
  --rq->q->stats.in_flight;
  rq->state = MQ_RQ_IDLE;
  rq->rq_flags &= ~RQF_TIMED_OUT;
}

// v4.19 block/blk-mq.c: blk_mq_requeue_request
void blk_mq_requeue_request(request* rq, bool kick_requeue_list) {
  FUNCTION(rq, kick_requeue_list);
  __blk_mq_requeue_request(rq);
  blk_mq_add_to_requeue_list(rq, true, kick_requeue_list);
}

void blk_mq_requeue_new(request* rq, bool at_head) {
  blk_mq_add_to_requeue_list(rq, at_head, true);
}

// v4.19 block/blk-mq.c: blk_mq_requeue_work
void blk_mq_requeue_work(work_struct* work) {
  request_queue* q = container_of(to_delayed_work(work), &request_queue::requeue_work);
  FUNCTION(q);
  list_head rq_list, others;
  spin_lock_irq(&q->requeue_lock);
  list_splice_init(&q->requeue_list, &rq_list);
  spin_unlock_irq(&q->requeue_lock);
  // Those that were here before go first.
  while (!list_empty(&rq_list)) {
    request* rq = first_request(&rq_list);
    list_del_init(&rq->queuelist);
    if ((rq->rq_flags & RQF_SOFTBARRIER) == 0) {
      list_add_tail(&rq->queuelist, &others);
      continue;
    }
    rq->rq_flags &= ~RQF_SOFTBARRIER;
    blk_mq_sched_insert_request(rq, true, false, false);
  }
  while (!list_empty(&others)) {
    request* rq = first_request(&others);
    list_del_init(&rq->queuelist);
    blk_mq_sched_insert_request(rq, false, false, false);
  }
  blk_mq_run_hw_queues(q, false);
}

}  // namespace kpath
