// SPDX-License-Identifier: Apache-2.0
//
// From a bio to a request, and the flush of a plug. v4.19 block/blk-mq.c
#include "absl/strings/str_cat.h"
#include "sim/block/blk_internal.h"
#include "sim/block/rq_qos.h"
#include "sim/kernel/timekeeping.h"

namespace kpath {
namespace {

// v4.19 block/blk-mq.c: blk_mq_rq_ctx_init
request* blk_mq_rq_ctx_init(blk_mq_alloc_data* data, unsigned tag, unsigned op) {
  blk_mq_tags* tags = data->hctx->tags;
  request* rq = &tags->static_rqs[tag];
  rq->tag = static_cast<int>(tag);
  rq->internal_tag = -1;
  tags->rqs[tag] = rq;
  rq->q = data->q;
  rq->mq_ctx = data->ctx;
  rq->rq_flags = test_queue_flag(data->q, QUEUE_FLAG_IO_STAT) ? RQF_IO_STAT : 0;
  rq->cmd_flags = op;
  rq->rq_disk = nullptr;
  rq->part = nullptr;
  rq->bio = rq->biotail = nullptr;
  rq->__data_len = 0;
  rq->nr_phys_segments = 0;
  rq->timeout = 0;
  rq->end_io = nullptr;
  rq->end_io_data = nullptr;
  rq->start_time_ns = ktime_get();
  ++data->ctx->rq_dispatched[op_is_sync(op) ? 1 : 0];
  rq->ref = 1;
  return rq;
}

// v4.19 block/blk-mq.c: plug_ctx_cmp. By software queue, then by sector.
int plug_ctx_cmp(void*, list_head* a, list_head* b) {
  request* rqa = list_entry_rq(a);
  request* rqb = list_entry_rq(b);
  FUNCTION(rqa, rqb);
  const bool before = rqa->mq_ctx->address < rqb->mq_ctx->address ||
                      (rqa->mq_ctx == rqb->mq_ctx && blk_rq_pos(rqa) < blk_rq_pos(rqb));
  return fn.Return(before ? 0 : 1);
}

bool IsMergeable(const bio* bio) { return (bio->bi_opf & REQ_NOMERGE_FLAGS) == 0; }

// v4.19 block/blk-mq-sched.h: blk_mq_sched_bio_merge
bool blk_mq_sched_bio_merge(request_queue* q, bio* bio) {
  if (blk_queue_nomerges(q) || !IsMergeable(bio)) return false;
  return __blk_mq_sched_bio_merge(q, bio);
}

// What blk_mq_make_request does with a plug if there is one hardware queue: the request waits in
// it.
void AddToPlug(request_queue* q, blk_plug* plug, request* rq, unsigned request_count) {
  request* last = nullptr;
  // The plug may have been flushed while the request waited for its tag.
  if (list_empty(&plug->mq_list)) {
    request_count = 0;
  } else if (blk_queue_nomerges(q)) {
    request_count = blk_plug_queued_count(q);
  }
  if (request_count != 0) last = list_entry_rq(plug->mq_list.prev);
  if (request_count >= BLK_MAX_REQUEST_COUNT ||
      (last != nullptr && blk_rq_bytes(last) >= BLK_PLUG_FLUSH_SIZE)) {
    STEP("the plug is full", request_count);
    blk_flush_plug_list(plug, false);
  }
  list_add_tail(&rq->queuelist, &plug->mq_list);
  STEP("held back in the plug", rq, request_count);
}

// The same with several hardware queues: one request waits at most, for bios that may join it.
void ReplaceInPlug(request_queue* q, blk_plug* plug, request* rq, request* same_queue_rq,
                   const blk_mq_alloc_data& data) {
  if (list_empty(&plug->mq_list)) same_queue_rq = nullptr;
  if (same_queue_rq != nullptr) list_del_init(&same_queue_rq->queuelist);
  list_add_tail(&rq->queuelist, &plug->mq_list);
  STEP("held back in the plug", rq, same_queue_rq != nullptr);
  blk_mq_put_ctx(data.ctx);
  if (same_queue_rq == nullptr) return;
  blk_mq_try_issue_directly(blk_mq_map_queue(q, same_queue_rq->mq_ctx->cpu), same_queue_rq);
}

}  // namespace

blk_mq_ctx* blk_mq_get_ctx(request_queue* q) {
  preempt_disable();
  return q->queue_ctx[static_cast<size_t>(smp_processor_id())];
}

void blk_mq_put_ctx(blk_mq_ctx*) { preempt_enable(); }

request* blk_mq_get_request(request_queue* q, bio* bio, unsigned op, blk_mq_alloc_data* data) {
  FUNCTION(q, bio);
  blk_queue_enter_live(q);
  data->q = q;
  data->ctx = blk_mq_get_ctx(q);
  data->hctx = blk_mq_map_queue(q, data->ctx->cpu);
  if ((op & REQ_NOWAIT) != 0) data->flags |= BLK_MQ_REQ_NOWAIT;
  const unsigned tag = blk_mq_get_tag(data);
  if (tag == BLK_MQ_TAG_FAIL) {
    blk_mq_put_ctx(data->ctx);
    data->ctx = nullptr;
    blk_queue_exit(q);
    return fn.Return<request*>(nullptr);
  }
  request* rq = blk_mq_rq_ctx_init(data, tag, op);
  ++data->hctx->queued;
  ++q->stats.requests;
  return fn.Return(rq);
}

// v4.19 block/blk-mq.c: blk_mq_bio_to_request
void blk_mq_bio_to_request(request* rq, bio* bio) {
  FUNCTION(rq, bio);
  blk_init_request_from_bio(rq, bio);
  blk_account_io_start(rq, true);
}

// v4.19 block/blk-mq.c: blk_mq_make_request
void blk_mq_make_request(request_queue* q, bio* bio) {
  FUNCTION(q, bio);
  const bool is_sync = op_is_sync(bio->bi_opf);
  const bool is_flush_fua = op_is_flush(bio->bi_opf);
  unsigned request_count = 0;
  request* same_queue_rq = nullptr;
  blk_queue_split(q, &bio);
  if (!is_flush_fua && !blk_queue_nomerges(q) &&
      blk_attempt_plug_merge(q, bio, &request_count, &same_queue_rq)) {
    return;
  }
  if (blk_mq_sched_bio_merge(q, bio)) return;
  rq_qos_throttle(q, bio);
  blk_mq_alloc_data data;
  request* rq = blk_mq_get_request(q, bio, bio->bi_opf, &data);
  if (rq == nullptr) {
    rq_qos_cleanup(q, bio);
    if ((bio->bi_opf & REQ_NOWAIT) != 0) bio_wouldblock_error(bio);
    return;
  }
  rq_qos_track(q, rq, bio);
  blk_plug* plug = current->plug;
  const bool limited_plug = plug != nullptr && q->nr_hw_queues != 1 && !blk_queue_nomerges(q);
  if (!is_flush_fua && limited_plug) {
    blk_mq_bio_to_request(rq, bio);
    ReplaceInPlug(q, plug, rq, same_queue_rq, data);
    return;
  }
  blk_mq_put_ctx(data.ctx);
  blk_mq_bio_to_request(rq, bio);
  if (is_flush_fua) {
    blk_insert_flush(rq);
    blk_mq_run_hw_queue(data.hctx, true);
  } else if (plug != nullptr && q->nr_hw_queues == 1) {
    AddToPlug(q, plug, rq, request_count);
  } else if ((q->nr_hw_queues > 1 && is_sync) || data.hctx->dispatch_busy == 0) {
    blk_mq_try_issue_directly(data.hctx, rq);
  } else {
    blk_mq_sched_insert_request(rq, false, true, true);
  }
}

// v4.19 block/blk-mq.c: blk_mq_flush_plug_list
void blk_mq_flush_plug_list(blk_plug* plug, bool from_schedule) {
  FUNCTION(from_schedule);
  list_head list, ctx_list;
  list_splice_init(&plug->mq_list, &list);
  list_sort(nullptr, &list, plug_ctx_cmp);
  request_queue* this_q = nullptr;
  blk_mq_ctx* this_ctx = nullptr;
  while (!list_empty(&list)) {
    request* rq = first_request(&list);
    list_del_init(&rq->queuelist);
    if (rq->mq_ctx != this_ctx) {
      if (this_ctx != nullptr) {
        blk_mq_sched_insert_requests(this_q, this_ctx, &ctx_list, from_schedule);
      }
      this_ctx = rq->mq_ctx;
      this_q = rq->q;
      BlockStats& stats = this_q->stats;
      ++(from_schedule ? stats.plug_schedule_flushes : stats.plug_flushes);
    }
    list_add_tail(&rq->queuelist, &ctx_list);
  }
  if (this_ctx != nullptr) {
    blk_mq_sched_insert_requests(this_q, this_ctx, &ctx_list, from_schedule);
  }
}

}  // namespace kpath
