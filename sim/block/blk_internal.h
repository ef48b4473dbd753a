// SPDX-License-Identifier: Apache-2.0
//
// For the files of this folder alone. v4.19 block/blk.h, blk-mq.h, blk-mq-sched.h, blk-mq-tag.h
//
// Context: as blk_mq.h says.
#pragma once

#include "sim/block/blk_core.h"
#include "sim/block/blk_mq.h"
#include "sim/block/blk_plug.h"
#include "sim/block/ioprio.h"

namespace kpath {

inline request* first_request(list_head* list) { return list_entry_rq(list->next); }

// ---- blk-core.c ----
kptr<workqueue_struct> kblockd();
// v4.19 block/blk-core.c: kblockd_schedule_work
bool kblockd_schedule_work(work_struct* work);
// v4.19 block/blk-core.c: kblockd_mod_delayed_work_on. `delay` in jiffies.
bool kblockd_mod_delayed_work_on(int cpu, delayed_work* dwork, unsigned long delay);
// v4.19 block/blk-core.c: blk_attempt_plug_merge. True: the bio has joined a request of the plug.
// *request_count: requests of this queue that were looked at; *same_queue_rq: the oldest of them.
bool blk_attempt_plug_merge(request_queue* q, bio* bio, unsigned* request_count,
                            request** same_queue_rq);
// v4.19 block/blk-core.c: blk_plug_queued_count. Requests of this queue in the plug.
unsigned blk_plug_queued_count(request_queue* q);
// v4.19 block/blk-core.c: bio_attempt_back_merge, bio_attempt_front_merge. False: a limit forbids
// it.
bool bio_attempt_back_merge(request_queue* q, request* req, bio* bio);
bool bio_attempt_front_merge(request_queue* q, request* req, bio* bio);
// v4.19 block/blk-core.c: blk_init_request_from_bio
void blk_init_request_from_bio(request* req, bio* bio);
// v4.19 block/blk-core.c: blk_account_io_start, …_completion, …_done
void blk_account_io_start(request* rq, bool new_io);
void blk_account_io_completion(request* req, unsigned bytes);
void blk_account_io_done(request* req, int64_t now);

// ---- blk-merge.c ----
// v4.19 block/blk-merge.c: blk_queue_split. *bio becomes what the device can take at once; the rest
// is submitted again.
void blk_queue_split(request_queue* q, bio** bio);
enum elv_merge { ELEVATOR_NO_MERGE, ELEVATOR_FRONT_MERGE, ELEVATOR_BACK_MERGE };
// v4.19 block/blk-merge.c: blk_rq_merge_ok. Are the two of one kind?
bool blk_rq_merge_ok(request* rq, bio* bio);
// v4.19 block/blk-merge.c: blk_try_merge. On which side does the bio touch the request?
elv_merge blk_try_merge(request* rq, bio* bio);
// v4.19 block/blk-merge.c: ll_back_merge_fn, ll_front_merge_fn. False: the request would be too
// much for the device.
bool ll_back_merge_fn(request_queue* q, request* req, bio* bio);
bool ll_front_merge_fn(request_queue* q, request* req, bio* bio);
// v4.19 block/blk-merge.c: blk_recount_segments. Counts bi_phys_segments.
void blk_recount_segments(request_queue* q, bio* bio);
unsigned bio_phys_segments(request_queue* q, bio* bio);
// v4.19 block/blk-merge.c: blk_recalc_rq_segments
void blk_recalc_rq_segments(request* rq);

// ---- blk-mq.c ----
struct blk_mq_alloc_data {
  request_queue* q = nullptr;
  blk_mq_req_flags_t flags = 0;
  blk_mq_ctx* ctx = nullptr;
  blk_mq_hw_ctx* hctx = nullptr;
};
void blk_mq_make_request(request_queue* q, bio* bio);
// v4.19 block/blk-mq.c: blk_mq_get_request. Null: REQ_NOWAIT, and no tag is free.
request* blk_mq_get_request(request_queue* q, bio* bio, unsigned op, blk_mq_alloc_data* data);
// v4.19 block/blk-mq.h: blk_mq_get_ctx. Preemption is off until blk_mq_put_ctx.
blk_mq_ctx* blk_mq_get_ctx(request_queue* q);
void blk_mq_put_ctx(blk_mq_ctx* ctx);
void blk_mq_bio_to_request(request* rq, bio* bio);
void blk_mq_flush_plug_list(blk_plug* plug, bool from_schedule);
// ---- blk_mq_issue.cc ----
void hctx_lock(blk_mq_hw_ctx* hctx);
void hctx_unlock(blk_mq_hw_ctx* hctx);
void blk_mq_try_issue_directly(blk_mq_hw_ctx* hctx, request* rq);
void blk_mq_try_issue_list_directly(blk_mq_hw_ctx* hctx, list_head* list);
bool blk_mq_dispatch_rq_list(request_queue* q, list_head* list, bool got_budget);
void blk_mq_request_bypass_insert(request* rq, bool run_queue);
void blk_mq_insert_requests(blk_mq_hw_ctx* hctx, blk_mq_ctx* ctx, list_head* list);
void __blk_mq_insert_request(blk_mq_hw_ctx* hctx, request* rq, bool at_head);
void blk_mq_flush_busy_ctxs(blk_mq_hw_ctx* hctx, list_head* list);
request* blk_mq_dequeue_from_ctx(blk_mq_hw_ctx* hctx, blk_mq_ctx* start);
bool blk_mq_get_driver_tag(request* rq);
void blk_mq_run_work_fn(work_struct* work);
bool blk_mq_get_dispatch_budget(blk_mq_hw_ctx* hctx);
void blk_mq_put_dispatch_budget(blk_mq_hw_ctx* hctx);
// ---- blk_mq_end.cc ----
void blk_mq_in_flight(request_queue* q, hd_struct* part, unsigned inflight[2]);
void blk_mq_requeue_work(work_struct* work);
void __blk_mq_requeue_request(request* rq);
void __blk_mq_free_request(request* rq);
// To be issued by requeue_work: what a flush consists of.
void blk_mq_requeue_new(request* rq, bool at_head);

// ---- blk-mq-sched.c ----
void blk_mq_sched_insert_requests(request_queue* q, blk_mq_ctx* ctx, list_head* list,
                                  bool run_queue_async);
void blk_mq_sched_insert_request(request* rq, bool at_head, bool run_queue, bool async);
bool __blk_mq_sched_bio_merge(request_queue* q, bio* bio);
void blk_mq_sched_dispatch_requests(blk_mq_hw_ctx* hctx);
void blk_mq_sched_restart(blk_mq_hw_ctx* hctx);

// ---- blk-mq-tag.c ----
// v4.19 block/blk-mq-tag.c: blk_mq_get_tag. May sleep, and go to another CPU: data->ctx and
// data->hctx are those of the CPU it returns on. BLK_MQ_TAG_FAIL: BLK_MQ_REQ_NOWAIT, none is free.
unsigned blk_mq_get_tag(blk_mq_alloc_data* data);
void blk_mq_put_tag(blk_mq_hw_ctx* hctx, blk_mq_tags* tags, blk_mq_ctx* ctx, unsigned tag);
using busy_iter_fn = void (*)(blk_mq_hw_ctx* hctx, request* rq, void* priv, bool reserved);
// v4.19 block/blk-mq-tag.c: blk_mq_queue_tag_busy_iter. Calls fn for each request that has a tag.
void blk_mq_queue_tag_busy_iter(request_queue* q, busy_iter_fn fn, void* priv);

// ---- blk-timeout.c ----
// A queue's timer looks at its requests at least this often, while there are any.
inline constexpr unsigned long BLK_MAX_TIMEOUT = 5 * HZ;
void blk_add_timer(request* rq);
void blk_rq_timed_out_timer(timer_list* timer);
void blk_mq_timeout_work(work_struct* work);

// ---- blk-flush.c ----
// v4.19 block/blk-flush.c: blk_insert_flush
void blk_insert_flush(request* rq);
// v4.19 block/blk-flush.c: blk_alloc_flush_queue, blk_free_flush_queue. The flushes of one hardware
// queue. Null: no memory.
blk_flush_queue* blk_alloc_flush_queue(blk_mq_tag_set* set, unsigned hctx_idx);
void blk_free_flush_queue(blk_flush_queue* fq);

}  // namespace kpath
