// SPDX-License-Identifier: Apache-2.0
//
// Between the software queues and the driver, without a scheduler ("none"). v4.19
// block/blk-mq-sched.c
//
// Departs: there is no I/O scheduler: where v4.19 asks whether a queue has one (q->elevator), the
// answer is no.
#include "sim/block/blk_internal.h"

namespace kpath {
namespace {

// v4.19 block/blk-mq-sched.c: blk_mq_sched_mark_restart_hctx. The queue is run when a request ends.
void blk_mq_sched_mark_restart_hctx(blk_mq_hw_ctx* hctx) {
  FUNCTION(hctx);
  hctx->state |= 1ul << BLK_MQ_S_SCHED_RESTART;
}

// v4.19 block/blk-mq-sched.c: blk_mq_next_ctx
blk_mq_ctx* blk_mq_next_ctx(blk_mq_hw_ctx* hctx, blk_mq_ctx* ctx) {
  const size_t next = ctx->index_hw + 1;
  return hctx->ctxs[next == hctx->ctxs.size() ? 0 : next];
}

// v4.19 block/blk-mq-sched.c: blk_mq_do_dispatch_ctx. One request from each software queue in turn.
void blk_mq_do_dispatch_ctx(blk_mq_hw_ctx* hctx) {
  FUNCTION(hctx);
  request_queue* q = hctx->queue;
  blk_mq_ctx* ctx = hctx->dispatch_from == nullptr ? hctx->ctxs[0] : hctx->dispatch_from;
  list_head rq_list;
  do {
    if (!list_empty(&hctx->dispatch) || !sbitmap_any_bit_set(&hctx->ctx_map)) break;
    if (!blk_mq_get_dispatch_budget(hctx)) break;
    request* rq = blk_mq_dequeue_from_ctx(hctx, ctx);
    if (rq == nullptr) {
      blk_mq_put_dispatch_budget(hctx);
      break;
    }
    list_add(&rq->queuelist, &rq_list);
    ctx = blk_mq_next_ctx(hctx, rq->mq_ctx);
  } while (blk_mq_dispatch_rq_list(q, &rq_list, true));
  hctx->dispatch_from = ctx;
}

// v4.19 block/blk-mq.c: blk_mq_bio_list_merge. Looks at the last few requests only, newest first.
bool blk_mq_bio_list_merge(request_queue* q, list_head* list, bio* bio) {
  FUNCTION(q, bio);
  int checked = 8;
  for (list_head* at = list->prev; at != list; at = at->prev) {
    request* rq = list_entry_rq(at);
    if (checked-- == 0) break;
    if (!blk_rq_merge_ok(rq, bio)) continue;
    const elv_merge side = blk_try_merge(rq, bio);
    if (side == ELEVATOR_NO_MERGE) continue;
    return fn.Return(side == ELEVATOR_BACK_MERGE ? bio_attempt_back_merge(q, rq, bio)
                                                 : bio_attempt_front_merge(q, rq, bio));
  }
  return fn.Return(false);
}

// v4.19 block/blk-mq-sched.c: blk_mq_attempt_merge. REQUIRES: ctx->lock.
bool blk_mq_attempt_merge(request_queue* q, blk_mq_ctx* ctx, bio* bio) {
  if (!blk_mq_bio_list_merge(q, &ctx->rq_list, bio)) return false;
  ++ctx->rq_merged;
  return true;
}

}  // namespace

// v4.19 block/blk-mq-sched.c: blk_mq_sched_restart
void blk_mq_sched_restart(blk_mq_hw_ctx* hctx) {
  FUNCTION(hctx);
  if ((hctx->state >> BLK_MQ_S_SCHED_RESTART & 1) == 0) return;
  hctx->state &= ~(1ul << BLK_MQ_S_SCHED_RESTART);
  blk_mq_run_hw_queue(hctx, true);
}

// v4.19 block/blk-mq-sched.c: blk_mq_sched_dispatch_requests
void blk_mq_sched_dispatch_requests(blk_mq_hw_ctx* hctx) {
  FUNCTION(hctx);
  request_queue* q = hctx->queue;
  if (blk_mq_hctx_stopped(hctx) || blk_queue_quiesced(q)) return;
  ++hctx->run;
  list_head rq_list;
  if (!list_empty(&hctx->dispatch)) {
    spin_lock(&hctx->lock);
    list_splice_init(&hctx->dispatch, &rq_list);
    spin_unlock(&hctx->lock);
  }
  if (!list_empty(&rq_list)) {
    // First what was refused before. Should it be refused again, the end of a request brings the
    // queue back.
    blk_mq_sched_mark_restart_hctx(hctx);
    if (blk_mq_dispatch_rq_list(q, &rq_list, false)) blk_mq_do_dispatch_ctx(hctx);
  } else if (hctx->dispatch_busy != 0) {
    blk_mq_do_dispatch_ctx(hctx);
  } else {
    blk_mq_flush_busy_ctxs(hctx, &rq_list);
    blk_mq_dispatch_rq_list(q, &rq_list, false);
  }
}

// v4.19 block/blk-mq-sched.c: __blk_mq_sched_bio_merge
bool __blk_mq_sched_bio_merge(request_queue* q, bio* bio) {
  FUNCTION(q, bio);
  blk_mq_ctx* ctx = blk_mq_get_ctx(q);
  blk_mq_hw_ctx* hctx = blk_mq_map_queue(q, ctx->cpu);
  bool merged = false;
  if ((hctx->flags & BLK_MQ_F_SHOULD_MERGE) != 0 && !list_empty(&ctx->rq_list)) {
    spin_lock(&ctx->lock);
    merged = blk_mq_attempt_merge(q, ctx, bio);
    spin_unlock(&ctx->lock);
  }
  blk_mq_put_ctx(ctx);
  if (merged) ++q->stats.queue_merges;
  return fn.Return(merged);
}

// v4.19 block/blk-mq-sched.c: blk_mq_sched_insert_request
void blk_mq_sched_insert_request(request* rq, bool at_head, bool run_queue, bool async) {
  FUNCTION(rq, at_head, run_queue, async);
  blk_mq_ctx* ctx = rq->mq_ctx;
  blk_mq_hw_ctx* hctx = blk_mq_map_queue(rq->q, ctx->cpu);
  if ((rq->rq_flags & RQF_FLUSH_SEQ) == 0 &&
      (req_op(rq) == REQ_OP_FLUSH || op_is_flush(rq->cmd_flags))) {
    blk_insert_flush(rq);
  } else if ((rq->rq_flags & RQF_FLUSH_SEQ) != 0) {
    // blk_mq_sched_bypass_insert: a step of a flush does not wait behind others.
    spin_lock(&hctx->lock);
    list_add(&rq->queuelist, &hctx->dispatch);
    spin_unlock(&hctx->lock);
  } else {
    spin_lock(&ctx->lock);
    __blk_mq_insert_request(hctx, rq, at_head);
    spin_unlock(&ctx->lock);
  }
  if (run_queue) blk_mq_run_hw_queue(hctx, async);
}

// v4.19 block/blk-mq-sched.c: blk_mq_sched_insert_requests
void blk_mq_sched_insert_requests(request_queue* q, blk_mq_ctx* ctx, list_head* list,
                                  bool run_queue_async) {
  FUNCTION(q, ctx->cpu, run_queue_async);
  blk_mq_hw_ctx* hctx = blk_mq_map_queue(q, ctx->cpu);
  // A device that has room gets them at once, without the way through the software queue.
  if (hctx->dispatch_busy == 0 && !run_queue_async) {
    blk_mq_try_issue_list_directly(hctx, list);
    if (list_empty(list)) return;
  }
  blk_mq_insert_requests(hctx, ctx, list);
  blk_mq_run_hw_queue(hctx, run_queue_async);
}

}  // namespace kpath
