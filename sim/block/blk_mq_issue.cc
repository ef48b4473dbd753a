// SPDX-License-Identifier: Apache-2.0
//
// Handing requests to the driver: at once, or from the software and the dispatch queues. v4.19
// block/blk-mq.c
#include <algorithm>

#include "sim/block/blk_internal.h"

namespace kpath {
namespace {

bool IsBusy(blk_status_t status) {
  return status == BLK_STS_RESOURCE || status == BLK_STS_DEV_RESOURCE;
}

void CountBusy(request_queue* q, request* rq) {
  ++q->stats.busy;
  STEP("the driver has no room", rq);
}

// v4.19 block/blk-mq.c: blk_mq_update_dispatch_busy. A mean of how often the driver had no room,
// the last times counting most.
void blk_mq_update_dispatch_busy(blk_mq_hw_ctx* hctx, bool busy) {
  FUNCTION(hctx, busy);
  constexpr unsigned kWeight = 8, kFactor = 4;  // BLK_MQ_DISPATCH_BUSY_EWMA_WEIGHT, …_FACTOR
  unsigned ewma = hctx->dispatch_busy;
  if (ewma == 0 && !busy) return;
  ewma *= kWeight - 1;
  if (busy) ewma += 1u << kFactor;
  hctx->dispatch_busy = ewma / kWeight;
}

// v4.19 block/blk-mq.c: __blk_mq_issue_directly
blk_status_t __blk_mq_issue_directly(blk_mq_hw_ctx* hctx, request* rq) {
  request_queue* q = rq->q;
  const blk_mq_queue_data bd = {.rq = rq, .last = true};
  const blk_status_t ret = q->mq_ops->queue_rq(hctx, &bd);
  if (IsBusy(ret)) {
    CountBusy(q, rq);
    blk_mq_update_dispatch_busy(hctx, true);
    __blk_mq_requeue_request(rq);
  } else {
    blk_mq_update_dispatch_busy(hctx, false);
    if (ret == BLK_STS_OK) ++q->stats.issued_directly;
  }
  return ret;
}

// v4.19 block/blk-mq.c: __blk_mq_try_issue_directly. `bypass_insert`: the caller puts it into the
// dispatch list if it cannot be issued.
blk_status_t __blk_mq_try_issue_directly(blk_mq_hw_ctx* hctx, request* rq, bool bypass_insert) {
  FUNCTION(hctx, rq, bypass_insert);
  bool run_queue = true;
  if (blk_mq_hctx_stopped(hctx) || blk_queue_quiesced(rq->q)) {
    // Nobody may go on trying: it is started again by the driver.
    run_queue = false;
    bypass_insert = false;
  } else if (blk_mq_get_dispatch_budget(hctx)) {
    if (blk_mq_get_driver_tag(rq)) return fn.Return(__blk_mq_issue_directly(hctx, rq));
    blk_mq_put_dispatch_budget(hctx);
  }
  if (bypass_insert) return fn.Return(BLK_STS_RESOURCE);
  blk_mq_request_bypass_insert(rq, run_queue);
  return fn.Return(BLK_STS_OK);
}

// v4.19 block/blk-mq.c: blk_mq_request_issue_directly
blk_status_t blk_mq_request_issue_directly(request* rq) {
  FUNCTION(rq);
  blk_mq_hw_ctx* hctx = blk_mq_map_queue(rq->q, rq->mq_ctx->cpu);
  hctx_lock(hctx);
  const blk_status_t ret = __blk_mq_try_issue_directly(hctx, rq, true);
  hctx_unlock(hctx);
  return fn.Return(ret);
}

// v4.19 block/blk-mq.c: queued_to_index. In which of hctx->dispatched a run of so many counts.
unsigned queued_to_index(unsigned queued) {
  if (queued == 0) return 0;
  return std::min(6u, 32u - static_cast<unsigned>(__builtin_clz(queued)));
}

// v4.19 block/blk-mq.c: blk_mq_mark_tag_wait. Departs: tags are not shared between queues, and a
// request without a scheduler has its tag from the start: there is never one to wait for here.
bool blk_mq_mark_tag_wait(blk_mq_hw_ctx*, request* rq) { return blk_mq_get_driver_tag(rq); }

// Hands the first request of the list to the driver. False: it is busy, and the request is the
// list's first again.
bool DispatchFirst(request_queue* q, blk_mq_hw_ctx* hctx, list_head* list, blk_status_t* ret,
                   unsigned* queued) {
  request* rq = first_request(list);
  list_del_init(&rq->queuelist);
  blk_mq_queue_data bd = {.rq = rq, .last = true};
  // The next one must have its tag, or the device would wait for it in vain.
  if (!list_empty(list)) bd.last = !blk_mq_get_driver_tag(first_request(list));
  *ret = q->mq_ops->queue_rq(hctx, &bd);
  if (IsBusy(*ret)) {
    CountBusy(q, rq);
    list_add(&rq->queuelist, list);
    __blk_mq_requeue_request(rq);
    return false;
  }
  if (*ret != BLK_STS_OK) {
    blk_mq_end_request(rq, BLK_STS_IOERR);
    return true;
  }
  ++*queued;
  ++q->stats.dispatched;
  return true;
}

// What the driver did not take: it goes first when the queue is run next.
void KeepForLater(blk_mq_hw_ctx* hctx, list_head* list, blk_status_t ret) {
  spin_lock(&hctx->lock);
  list_splice_init(list, &hctx->dispatch);
  spin_unlock(&hctx->lock);
  const bool needs_restart = (hctx->state >> BLK_MQ_S_SCHED_RESTART & 1) != 0;
  if (!needs_restart) {
    blk_mq_run_hw_queue(hctx, true);
  } else if (ret == BLK_STS_RESOURCE) {
    // It is not the device that is full: no request's end may ever bring the queue back.
    blk_mq_delay_run_hw_queue(hctx, BLK_MQ_RESOURCE_DELAY);
  }
  blk_mq_update_dispatch_busy(hctx, true);
}

// v4.19 block/blk-mq.c: blk_mq_hctx_has_pending
bool blk_mq_hctx_has_pending(const blk_mq_hw_ctx* hctx) {
  return !list_empty(&hctx->dispatch) || sbitmap_any_bit_set(&hctx->ctx_map);
}

// v4.19 block/blk-mq.c: __blk_mq_run_hw_queue
void __blk_mq_run_hw_queue(blk_mq_hw_ctx* hctx) {
  FUNCTION(hctx);
  hctx_lock(hctx);
  blk_mq_sched_dispatch_requests(hctx);
  hctx_unlock(hctx);
}

bool ServesCpu(const blk_mq_hw_ctx* hctx, int cpu) { return (hctx->cpus & cpumask_of(cpu)) != 0; }

// v4.19 block/blk-mq.c: blk_mq_hctx_next_cpu. The CPUs of the queue in turn, a few runs each.
int blk_mq_hctx_next_cpu(blk_mq_hw_ctx* hctx) {
  if (hctx->queue->nr_hw_queues == 1) return WORK_CPU_UNBOUND;
  if (--hctx->next_cpu_batch <= 0) {
    const int cpus = current->machine->cpus();
    do {
      hctx->next_cpu = (hctx->next_cpu + 1) % cpus;
    } while (!ServesCpu(hctx, hctx->next_cpu));
    hctx->next_cpu_batch = BLK_MQ_CPU_WORK_BATCH;
  }
  return hctx->next_cpu;
}

// v4.19 block/blk-mq.c: __blk_mq_delay_run_hw_queue
void __blk_mq_delay_run_hw_queue(blk_mq_hw_ctx* hctx, bool async, unsigned long msecs) {
  FUNCTION(hctx, async, msecs);
  if (blk_mq_hctx_stopped(hctx)) return;
  if (!async && (hctx->flags & BLK_MQ_F_BLOCKING) == 0) {
    preempt_disable();
    const bool here = ServesCpu(hctx, smp_processor_id());
    if (here) __blk_mq_run_hw_queue(hctx);
    preempt_enable();
    if (here) return;
  }
  kblockd_mod_delayed_work_on(blk_mq_hctx_next_cpu(hctx), &hctx->run_work,
                              __msecs_to_jiffies(static_cast<unsigned>(msecs)));
}

// v4.19 block/blk-mq.c: blk_mq_hctx_mark_pending
void blk_mq_hctx_mark_pending(blk_mq_hw_ctx* hctx, blk_mq_ctx* ctx) {
  FUNCTION(hctx, ctx->cpu);
  if (!sbitmap_test_bit(&hctx->ctx_map, ctx->index_hw)) {
    sbitmap_set_bit(&hctx->ctx_map, ctx->index_hw);
  }
}

// v4.19 block/blk-mq.c: flush_busy_ctx
void flush_busy_ctx(blk_mq_hw_ctx* hctx, unsigned bitnr, list_head* list) {
  FUNCTION(bitnr);
  blk_mq_ctx* ctx = hctx->ctxs[bitnr];
  spin_lock(&ctx->lock);
  list_splice_tail_init(&ctx->rq_list, list);
  sbitmap_clear_bit(&hctx->ctx_map, bitnr);
  spin_unlock(&ctx->lock);
}

// v4.19 block/blk-mq.c: dispatch_rq_from_ctx
request* dispatch_rq_from_ctx(blk_mq_hw_ctx* hctx, unsigned bitnr) {
  FUNCTION(bitnr);
  blk_mq_ctx* ctx = hctx->ctxs[bitnr];
  request* rq = nullptr;
  spin_lock(&ctx->lock);
  if (!list_empty(&ctx->rq_list)) {
    rq = first_request(&ctx->rq_list);
    list_del_init(&rq->queuelist);
    if (list_empty(&ctx->rq_list)) sbitmap_clear_bit(&hctx->ctx_map, bitnr);
  }
  spin_unlock(&ctx->lock);
  return fn.Return(rq);
}

}  // namespace

// v4.19 block/blk-mq.c: hctx_lock. RCU, or SRCU where queue_rq may sleep.
void hctx_lock(blk_mq_hw_ctx* hctx) {
  FUNCTION(hctx);
  if ((hctx->flags & BLK_MQ_F_BLOCKING) == 0) rcu_read_lock();
}

// v4.19 block/blk-mq.c: hctx_unlock
void hctx_unlock(blk_mq_hw_ctx* hctx) {
  FUNCTION(hctx);
  if ((hctx->flags & BLK_MQ_F_BLOCKING) == 0) rcu_read_unlock();
}

// v4.19 block/blk-mq.h: blk_mq_get_dispatch_budget
bool blk_mq_get_dispatch_budget(blk_mq_hw_ctx* hctx) {
  const blk_mq_ops* ops = hctx->queue->mq_ops;
  return ops->get_budget == nullptr || ops->get_budget(hctx);
}

void blk_mq_put_dispatch_budget(blk_mq_hw_ctx* hctx) {
  const blk_mq_ops* ops = hctx->queue->mq_ops;
  if (ops->put_budget != nullptr) ops->put_budget(hctx);
}

// v4.19 block/blk-mq.c: blk_mq_get_driver_tag. Without a scheduler it has had it since it was made.
bool blk_mq_get_driver_tag(request* rq) { FUNCTION_RETURNS(rq->tag != -1, rq); }

// v4.19 block/blk-mq.c: blk_mq_try_issue_directly
void blk_mq_try_issue_directly(blk_mq_hw_ctx* hctx, request* rq) {
  FUNCTION(hctx, rq);
  hctx_lock(hctx);
  const blk_status_t ret = __blk_mq_try_issue_directly(hctx, rq, false);
  if (IsBusy(ret)) {
    blk_mq_request_bypass_insert(rq, true);
  } else if (ret != BLK_STS_OK) {
    blk_mq_end_request(rq, ret);
  }
  hctx_unlock(hctx);
}

// v4.19 block/blk-mq.c: blk_mq_try_issue_list_directly
void blk_mq_try_issue_list_directly(blk_mq_hw_ctx* hctx, list_head* list) {
  FUNCTION(hctx);
  while (!list_empty(list)) {
    request* rq = first_request(list);
    list_del_init(&rq->queuelist);
    const blk_status_t ret = blk_mq_request_issue_directly(rq);
    if (IsBusy(ret)) {
      blk_mq_request_bypass_insert(rq, list_empty(list));
      break;
    }
    if (ret != BLK_STS_OK) blk_mq_end_request(rq, ret);
  }
}

// v4.19 block/blk-mq.c: blk_mq_request_bypass_insert. Past the software queues.
void blk_mq_request_bypass_insert(request* rq, bool run_queue) {
  FUNCTION(rq, run_queue);
  blk_mq_hw_ctx* hctx = blk_mq_map_queue(rq->q, rq->mq_ctx->cpu);
  spin_lock(&hctx->lock);
  list_add_tail(&rq->queuelist, &hctx->dispatch);
  spin_unlock(&hctx->lock);
  if (run_queue) blk_mq_run_hw_queue(hctx, false);
}

// v4.19 block/blk-mq.c: __blk_mq_insert_request. REQUIRES: ctx->lock.
void __blk_mq_insert_request(blk_mq_hw_ctx* hctx, request* rq, bool at_head) {
  FUNCTION(hctx, rq, at_head);
  blk_mq_ctx* ctx = rq->mq_ctx;
  at_head ? list_add(&rq->queuelist, &ctx->rq_list) : list_add_tail(&rq->queuelist, &ctx->rq_list);
  blk_mq_hctx_mark_pending(hctx, ctx);
}

// v4.19 block/blk-mq.c: blk_mq_insert_requests
void blk_mq_insert_requests(blk_mq_hw_ctx* hctx, blk_mq_ctx* ctx, list_head* list) {
  FUNCTION(hctx, ctx->cpu);
  spin_lock(&ctx->lock);
  list_splice_tail_init(list, &ctx->rq_list);
  blk_mq_hctx_mark_pending(hctx, ctx);
  spin_unlock(&ctx->lock);
}

// v4.19 block/blk-mq.c: blk_mq_flush_busy_ctxs. All of the software queues.
void blk_mq_flush_busy_ctxs(blk_mq_hw_ctx* hctx, list_head* list) {
  FUNCTION(hctx);
  sbitmap_for_each_set(&hctx->ctx_map, [&](unsigned bit) {
    flush_busy_ctx(hctx, bit, list);
    return true;
  });
}

// v4.19 block/blk-mq.c: blk_mq_dequeue_from_ctx. The oldest request of the first software queue,
// from `start` on, that has one. Null: none has.
request* blk_mq_dequeue_from_ctx(blk_mq_hw_ctx* hctx, blk_mq_ctx* start) {
  FUNCTION(hctx, start->cpu);
  const size_t count = hctx->ctxs.size();
  for (size_t i = 0; i < count; ++i) {
    const size_t bitnr = (start->index_hw + i) % count;
    if (!sbitmap_test_bit(&hctx->ctx_map, static_cast<unsigned>(bitnr))) continue;
    request* rq = dispatch_rq_from_ctx(hctx, static_cast<unsigned>(bitnr));
    if (rq != nullptr) return fn.Return(rq);
  }
  return fn.Return<request*>(nullptr);
}

// v4.19 block/blk-mq.c: blk_mq_dispatch_rq_list. `got_budget`: the caller has it, for the one
// request of the list. True: the driver has room for more.
bool blk_mq_dispatch_rq_list(request_queue* q, list_head* list, bool got_budget) {
  FUNCTION(q, got_budget);
  if (list_empty(list)) return fn.Return(false);
  blk_status_t ret = BLK_STS_OK;
  blk_mq_hw_ctx* hctx = nullptr;
  unsigned queued = 0, taken = 0;
  do {
    request* rq = first_request(list);
    hctx = blk_mq_map_queue(rq->q, rq->mq_ctx->cpu);
    if (!got_budget && !blk_mq_get_dispatch_budget(hctx)) break;
    if (!blk_mq_get_driver_tag(rq) && !blk_mq_mark_tag_wait(hctx, rq)) {
      blk_mq_put_dispatch_budget(hctx);
      break;
    }
    if (!DispatchFirst(q, hctx, list, &ret, &queued)) break;
    ++taken;
  } while (!list_empty(list));
  ++hctx->dispatched[queued_to_index(queued)];
  if (!list_empty(list)) {
    KeepForLater(hctx, list, ret);
    return fn.Return(false);
  }
  blk_mq_update_dispatch_busy(hctx, false);
  return fn.Return(taken != 0);
}

// v4.19 block/blk-mq.c: blk_mq_run_hw_queue
bool blk_mq_run_hw_queue(blk_mq_hw_ctx* hctx, bool async) {
  FUNCTION(hctx, async);
  hctx_lock(hctx);
  const bool need_run = !blk_queue_quiesced(hctx->queue) && blk_mq_hctx_has_pending(hctx);
  hctx_unlock(hctx);
  if (need_run) __blk_mq_delay_run_hw_queue(hctx, async, 0);
  return fn.Return(need_run);
}

// v4.19 block/blk-mq.c: blk_mq_run_hw_queues
void blk_mq_run_hw_queues(request_queue* q, bool async) {
  FUNCTION(q, async);
  for (blk_mq_hw_ctx* hctx : q->queue_hw_ctx) {
    if (!blk_mq_hctx_stopped(hctx)) blk_mq_run_hw_queue(hctx, async);
  }
}

// v4.19 block/blk-mq.c: blk_mq_delay_run_hw_queue
void blk_mq_delay_run_hw_queue(blk_mq_hw_ctx* hctx, unsigned long msecs) {
  FUNCTION(hctx, msecs);
  __blk_mq_delay_run_hw_queue(hctx, true, msecs);
}

// v4.19 block/blk-mq.c: blk_mq_run_work_fn
void blk_mq_run_work_fn(work_struct* work) {
  blk_mq_hw_ctx* hctx = container_of(to_delayed_work(work), &blk_mq_hw_ctx::run_work);
  FUNCTION(hctx);
  if (blk_mq_hctx_stopped(hctx)) return;
  __blk_mq_run_hw_queue(hctx);
}

// v4.19 block/blk-mq.c: blk_mq_stop_hw_queue
void blk_mq_stop_hw_queue(blk_mq_hw_ctx* hctx) {
  FUNCTION(hctx);
  cancel_delayed_work(&hctx->run_work);
  hctx->state |= 1ul << BLK_MQ_S_STOPPED;
}

// v4.19 block/blk-mq.c: blk_mq_start_stopped_hw_queue
static void blk_mq_start_stopped_hw_queue(blk_mq_hw_ctx* hctx, bool async) {
  FUNCTION(hctx, async);
  if (!blk_mq_hctx_stopped(hctx)) return;
  hctx->state &= ~(1ul << BLK_MQ_S_STOPPED);
  blk_mq_run_hw_queue(hctx, async);
}

// v4.19 block/blk-mq.c: blk_mq_start_stopped_hw_queues
void blk_mq_start_stopped_hw_queues(request_queue* q, bool async) {
  FUNCTION(q, async);
  for (blk_mq_hw_ctx* hctx : q->queue_hw_ctx) blk_mq_start_stopped_hw_queue(hctx, async);
}

}  // namespace kpath
