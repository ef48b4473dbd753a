// SPDX-License-Identifier: Apache-2.0
//
// Plugs, and bios that join the requests in them. v4.19 block/blk-core.c
#include "sim/block/blk_plug.h"

#include "sim/block/blk_internal.h"

namespace kpath {

// v4.19 block/blk-core.c: blk_start_plug
void blk_start_plug(blk_plug* plug) {
  FUNCTION();
  if (current->plug != nullptr) {
    STEP("nested plug: nothing to do");
    return;
  }
  current->plug = plug;
}

// v4.19 block/blk-core.c: blk_flush_plug_list
void blk_flush_plug_list(blk_plug* plug, bool from_schedule) {
  FUNCTION(from_schedule);
  if (!list_empty(&plug->mq_list)) blk_mq_flush_plug_list(plug, from_schedule);
}

// v4.19 block/blk-core.c: blk_finish_plug
void blk_finish_plug(blk_plug* plug) {
  FUNCTION();
  if (plug != current->plug) return;
  blk_flush_plug_list(plug, false);
  current->plug = nullptr;
}

bool bio_attempt_back_merge(request_queue* q, request* req, bio* bio) {
  FUNCTION(req, bio);
  if (!ll_back_merge_fn(q, req, bio)) return fn.Return(false);
  req->biotail->bi_next = bio;
  req->biotail = bio;
  req->__data_len += bio->bi_iter.bi_size;
  req->ioprio = ioprio_best(req->ioprio, bio->bi_ioprio);
  STEP("the bio is the request's end now", req, blk_rq_pos(req), blk_rq_sectors(req));
  blk_account_io_start(req, false);
  return fn.Return(true);
}

bool bio_attempt_front_merge(request_queue* q, request* req, bio* bio) {
  FUNCTION(req, bio);
  if (!ll_front_merge_fn(q, req, bio)) return fn.Return(false);
  bio->bi_next = req->bio;
  req->bio = bio;
  req->__sector = bio->bi_iter.bi_sector;
  req->__data_len += bio->bi_iter.bi_size;
  req->ioprio = ioprio_best(req->ioprio, bio->bi_ioprio);
  STEP("the bio is the request's beginning now", req, blk_rq_pos(req), blk_rq_sectors(req));
  blk_account_io_start(req, false);
  return fn.Return(true);
}

namespace {

bool TryToJoin(request_queue* q, request* rq, bio* bio) {
  switch (blk_try_merge(rq, bio)) {
    case ELEVATOR_BACK_MERGE:
      return bio_attempt_back_merge(q, rq, bio);
    case ELEVATOR_FRONT_MERGE:
      return bio_attempt_front_merge(q, rq, bio);
    default:
      return false;
  }
}

}  // namespace

// v4.19 block/blk-core.c: blk_attempt_plug_merge
bool blk_attempt_plug_merge(request_queue* q, bio* bio, unsigned* request_count,
                            request** same_queue_rq) {
  FUNCTION(q, bio);
  blk_plug* plug = current->plug;
  if (plug == nullptr) return fn.Return(false);
  *request_count = 0;
  for (list_head* at = plug->mq_list.prev; at != &plug->mq_list; at = at->prev) {
    request* rq = list_entry_rq(at);
    if (rq->q == q) {
      ++*request_count;
      // Where there are several hardware queues, the plug has one request at most.
      *same_queue_rq = rq;
    }
    if (rq->q != q || !blk_rq_merge_ok(rq, bio)) continue;
    if (TryToJoin(q, rq, bio)) {
      ++q->stats.plug_merges;
      return fn.Return(true);
    }
  }
  return fn.Return(false);
}

unsigned blk_plug_queued_count(request_queue* q) {
  FUNCTION(q);
  const blk_plug* plug = current->plug;
  unsigned count = 0;
  if (plug == nullptr) return fn.Return(count);
  for (list_head* at = plug->mq_list.next; at != &plug->mq_list; at = at->next) {
    if (list_entry_rq(at)->q == q) ++count;
  }
  return fn.Return(count);
}

}  // namespace kpath
