// SPDX-License-Identifier: Apache-2.0
//
// Tags: a request has one, and there are only so many. v4.19 block/blk-mq-tag.c
#include "sim/block/blk_internal.h"

namespace kpath {
namespace {

sbitmap_queue* TagsFor(const blk_mq_alloc_data& data) {
  blk_mq_tags* tags = data.hctx->tags;
  return (data.flags & BLK_MQ_REQ_RESERVED) != 0 ? &tags->breserved_tags : &tags->bitmap_tags;
}

unsigned Offset(const blk_mq_alloc_data& data) {
  return (data.flags & BLK_MQ_REQ_RESERVED) != 0 ? 0 : data.hctx->tags->nr_reserved_tags;
}

// v4.19 block/blk-mq-tag.c: __blk_mq_get_tag. -1: none is free. Departs: sets of tags are not
// shared between queues, so nobody has to leave some to others (hctx_may_queue).
int __blk_mq_get_tag(const blk_mq_alloc_data& data, sbitmap_queue* bt) {
  FUNCTION(data.hctx, sbitmap_weight(&bt->sb), bt->sb.depth);
  return fn.Return(__sbitmap_queue_get(bt));
}

// v4.19 block/blk-mq-tag.c: the loop in blk_mq_get_tag, for who has to wait
int WaitForTag(blk_mq_alloc_data* data) {
  sbitmap_queue* bt = TagsFor(*data);
  sbq_wait_state* ws = sbq_wait_ptr(bt, &data->hctx->wait_index);
  wait_queue_entry wait;  // DEFINE_WAIT
  wait.task = current;
  wait.func = autoremove_wake_function;
  int tag;
  while (true) {
    // What this task has not issued yet may be what the tags are lost to.
    blk_mq_run_hw_queue(data->hctx, false);
    tag = __blk_mq_get_tag(*data, bt);
    if (tag != -1) break;
    prepare_to_wait_exclusive(&ws->wait, &wait, TASK_UNINTERRUPTIBLE);
    tag = __blk_mq_get_tag(*data, bt);
    if (tag != -1) break;
    const bool has_ctx = data->ctx != nullptr;
    if (has_ctx) blk_mq_put_ctx(data->ctx);
    ++data->q->stats.tag_waits;
    io_schedule();
    // Perhaps on another CPU.
    data->ctx = blk_mq_get_ctx(data->q);
    data->hctx = blk_mq_map_queue(data->q, data->ctx->cpu);
    sbitmap_queue* before = bt;
    bt = TagsFor(*data);
    finish_wait(&ws->wait, &wait);
    // The wake-up was for a tag of the queue that is left: hand it on.
    if (bt != before) sbitmap_queue_wake_up(before);
    ws = sbq_wait_ptr(bt, &data->hctx->wait_index);
  }
  finish_wait(&ws->wait, &wait);
  return tag;
}

struct IterData {
  blk_mq_hw_ctx* hctx;
  busy_iter_fn fn;
  void* priv;
  bool reserved;
};

// v4.19 block/blk-mq-tag.c: bt_iter. A tag may be taken before its request is there.
void bt_iter(unsigned bitnr, const IterData& iter) {
  FUNCTION(bitnr);
  blk_mq_tags* tags = iter.hctx->tags;
  request* rq = tags->rqs[bitnr + (iter.reserved ? 0 : tags->nr_reserved_tags)];
  if (rq != nullptr && rq->q == iter.hctx->queue) iter.fn(iter.hctx, rq, iter.priv, iter.reserved);
}

// v4.19 block/blk-mq-tag.c: bt_for_each
void bt_for_each(const sbitmap_queue& bt, const IterData& iter) {
  sbitmap_for_each_set(&bt.sb, [&iter](unsigned bit) {
    bt_iter(bit, iter);
    return true;
  });
}

}  // namespace

unsigned blk_mq_get_tag(blk_mq_alloc_data* data) {
  FUNCTION(data->hctx);
  int tag = __blk_mq_get_tag(*data, TagsFor(*data));
  if (tag == -1) {
    if ((data->flags & BLK_MQ_REQ_NOWAIT) != 0) return fn.Return(BLK_MQ_TAG_FAIL);
    STEP("no tag is free", data->hctx, data->hctx->tags->nr_tags);
    tag = WaitForTag(data);
  }
  return fn.Return(static_cast<unsigned>(tag) + Offset(*data));
}

// v4.19 block/blk-mq-tag.c: blk_mq_put_tag
void blk_mq_put_tag(blk_mq_hw_ctx* hctx, blk_mq_tags* tags, blk_mq_ctx* ctx, unsigned tag) {
  FUNCTION(hctx, tag);
  if (tag >= tags->nr_reserved_tags) {
    sbitmap_queue_clear(&tags->bitmap_tags, tag - tags->nr_reserved_tags, ctx->cpu);
  } else {
    sbitmap_queue_clear(&tags->breserved_tags, tag, ctx->cpu);
  }
}

void blk_mq_queue_tag_busy_iter(request_queue* q, busy_iter_fn fn_, void* priv) {
  FUNCTION(q);
  // Not blk_queue_enter: a queue that is being frozen waits for requests to time out.
  if (!percpu_ref_tryget(&q->q_usage_counter)) return;
  for (blk_mq_hw_ctx* hctx : q->queue_hw_ctx) {
    if (hctx->ctxs.empty()) continue;  // blk_mq_hw_queue_mapped
    blk_mq_tags* tags = hctx->tags;
    if (tags->nr_reserved_tags != 0) bt_for_each(tags->breserved_tags, {hctx, fn_, priv, true});
    bt_for_each(tags->bitmap_tags, {hctx, fn_, priv, false});
  }
  blk_queue_exit(q);
}

}  // namespace kpath
