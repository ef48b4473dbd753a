// SPDX-License-Identifier: Apache-2.0
//
// Multi-queue block layer: from a bio to the driver and back. v4.19 include/linux/blk-mq.h,
// block/blk-mq.h, block/blk-mq.c
//
// A driver gives its operations and the shape of its queues, gets a request_queue for them, and is
// called with requests that have a tag:
//
//   blk_status_t my_queue_rq(blk_mq_hw_ctx* hctx, const blk_mq_queue_data* bd) {
//     blk_mq_start_request(bd->rq);            // from here on its timeout runs
//     if (no_room) return BLK_STS_DEV_RESOURCE;
//     … tell the device; if (bd->last) ring the doorbell …
//     return BLK_STS_OK;
//   }
//   const blk_mq_ops my_ops = {.queue_rq = my_queue_rq, .complete = my_request_done};
//
//   blk_mq_tag_set set;                        // lives as long as the queue
//   set.ops = &my_ops;
//   set.nr_hw_queues = 1;
//   set.queue_depth = 128;
//   set.flags = BLK_MQ_F_SHOULD_MERGE;
//   BlkMqPdu<my_cmd>(&set);                    // each request has a my_cmd
//   blk_mq_alloc_tag_set(&set);
//   request_queue* q = blk_mq_init_queue(&set);
//
//   // In the device's interrupt:
//   blk_mq_complete_request(rq);               // -> my_request_done, on the right CPU
//   void my_request_done(request* rq) { blk_mq_end_request(rq, status); }
//
// The way of a request: blk_mq_make_request gets it a tag and puts it in the plug, hands it to the
// driver at once, or puts it in the software queue (blk_mq_ctx) of its CPU; blk_mq_run_hw_queue
// takes it from there to the driver. What a driver has no room for waits in the hardware queue's
// dispatch list, and the queue is run again when a request ends (BLK_MQ_S_SCHED_RESTART), when the
// driver says so, or after BLK_MQ_RESOURCE_DELAY.
//
// Contexts: queue_rq in process context with preemption off or in a kworker, interrupts on or off;
// complete and end in any, often a hard interrupt. What allocates a request may sleep, unless it is
// told not to (BLK_MQ_REQ_NOWAIT).
//
// Invariants
//   1. A request with a tag is what tags->rqs[tag] shows, from its allocation on; the tag is free
//      again before anybody else can get it, and after blk_mq_free_request.
//   2. A request that queue_rq has refused with BLK_STS_RESOURCE or _DEV_RESOURCE is in
//      hctx->dispatch, and something runs the queue later.
//   3. ctx_map has a bit for each software queue that is not empty.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "sim/block/blkdev.h"
#include "sim/kernel/sbitmap.h"
#include "sim/kernel/smp.h"

namespace kpath {

struct blk_flush_queue;
struct blk_mq_tags;

struct blk_mq_queue_data {
  request* rq = nullptr;
  bool last = false;  // no other follows at once: tell the device now
};

enum blk_eh_timer_return { BLK_EH_DONE, BLK_EH_RESET_TIMER };

struct blk_mq_ops {
  const char* name = "";
  // Hands a request to the device. BLK_STS_OK; BLK_STS_RESOURCE, BLK_STS_DEV_RESOURCE: not now; any
  // other: the request ends with an error. Must not sleep.
  blk_status_t (*queue_rq)(blk_mq_hw_ctx* hctx, const blk_mq_queue_data* bd) = nullptr;
  // Asked before queue_rq: may one more be issued? Null: yes.
  bool (*get_budget)(blk_mq_hw_ctx* hctx) = nullptr;
  void (*put_budget)(blk_mq_hw_ctx* hctx) = nullptr;
  // The request has not ended in time. BLK_EH_DONE: the driver has seen to it. Null: wait on.
  blk_eh_timer_return (*timeout)(request* rq, bool reserved) = nullptr;
  // Called by blk_mq_complete_request, on the CPU where the request is to end.
  void (*complete)(request* rq) = nullptr;
  // When the queue, or the set of tags, is made and unmade. 0 or a negative errno.
  int (*init_hctx)(blk_mq_hw_ctx* hctx, void* driver_data, unsigned hctx_idx) = nullptr;
  void (*exit_hctx)(blk_mq_hw_ctx* hctx, unsigned hctx_idx) = nullptr;
  int (*init_request)(blk_mq_tag_set* set, request* rq, unsigned hctx_idx) = nullptr;
  void (*exit_request)(blk_mq_tag_set* set, request* rq, unsigned hctx_idx) = nullptr;
};

// ---- blk_mq_tag_set::flags, blk_mq_hw_ctx::flags ----
inline constexpr unsigned BLK_MQ_F_SHOULD_MERGE = 1 << 0;  // bios join requests in software queues
inline constexpr unsigned BLK_MQ_F_TAG_SHARED = 1 << 1;
inline constexpr unsigned BLK_MQ_F_BLOCKING = 1 << 5;  // queue_rq may sleep

// ---- blk_mq_hw_ctx::state: bits ----
inline constexpr unsigned BLK_MQ_S_STOPPED = 0;  // the driver has no room
inline constexpr unsigned BLK_MQ_S_TAG_ACTIVE = 1;
inline constexpr unsigned BLK_MQ_S_SCHED_RESTART = 2;  // run it again when a request ends

// ---- How a request is allocated ----
using blk_mq_req_flags_t = unsigned;
inline constexpr blk_mq_req_flags_t BLK_MQ_REQ_NOWAIT = 1 << 0;
inline constexpr blk_mq_req_flags_t BLK_MQ_REQ_RESERVED = 1 << 1;
inline constexpr blk_mq_req_flags_t BLK_MQ_REQ_PREEMPT = 1 << 3;

inline constexpr unsigned BLK_MQ_TAG_FAIL = ~0u;
inline constexpr unsigned BLK_MQ_MAX_DEPTH = 10240;
inline constexpr unsigned BLK_MQ_RESOURCE_DELAY = 3;  // ms
inline constexpr unsigned BLK_MQ_CPU_WORK_BATCH = 8;

// A software queue: one for each CPU. v4.19 block/blk-mq.h: struct blk_mq_ctx
struct blk_mq_ctx {
  spinlock_t lock;
  list_head rq_list;  // requests that wait to be dispatched, oldest first
  int cpu = 0;
  unsigned index_hw = 0;           // its bit in hctx->ctx_map
  uint64_t address = 0;            // simulated: what a plug is sorted by
  uint64_t rq_dispatched[2] = {};  // [1]: sync
  uint64_t rq_merged = 0;
  uint64_t rq_completed[2] = {};
  request_queue* queue = nullptr;
};

// A hardware queue. v4.19 include/linux/blk-mq.h: struct blk_mq_hw_ctx
struct blk_mq_hw_ctx {
  spinlock_t lock;
  list_head dispatch;       // what was to be issued and could not; goes first. Guarded by lock
  unsigned long state = 0;  // bits BLK_MQ_S_*
  delayed_work run_work;    // blk_mq_run_work_fn, on kblockd
  cpumask cpus = 0;         // those whose software queues it serves
  int next_cpu = 0;         // where its work runs next
  int next_cpu_batch = BLK_MQ_CPU_WORK_BATCH;
  unsigned flags = 0;  // BLK_MQ_F_*
  void* driver_data = nullptr;
  request_queue* queue = nullptr;
  blk_mq_ctx* dispatch_from = nullptr;  // whose turn it is, while it is busy
  unsigned dispatch_busy = 0;           // how often the driver had no room of late; 0: it has
  std::vector<blk_mq_ctx*> ctxs;
  sbitmap ctx_map;     // by blk_mq_ctx::index_hw: has requests
  int wait_index = 0;  // into the tags' wait queues
  blk_mq_tags* tags = nullptr;
  blk_flush_queue* fq = nullptr;
  unsigned queue_num = 0;
  uint64_t queued = 0, run = 0;
  uint64_t dispatched[7] = {};  // runs by how many they issued: 0, 1, 2-3, 4-7 …
};

inline Value MakeValue(const blk_mq_hw_ctx* hctx) { return Value::Unsigned(hctx->queue_num); }

// The tags of one hardware queue and the requests that go with them. block/blk-mq-tag.h
struct blk_mq_tags {
  unsigned nr_tags = 0;
  unsigned nr_reserved_tags = 0;
  sbitmap_queue bitmap_tags;
  sbitmap_queue breserved_tags;
  std::vector<request*> rqs;  // by tag: the last request that had it
  std::unique_ptr<request[]> static_rqs;
  std::unique_ptr<std::byte[]> pdus;
};

// v4.19 include/linux/blk-mq.h: struct blk_mq_tag_set. Filled in by the driver, which owns it.
struct blk_mq_tag_set {
  std::vector<unsigned> mq_map;  // by CPU: its hardware queue
  const blk_mq_ops* ops = nullptr;
  unsigned nr_hw_queues = 0;  // 1 or more
  unsigned queue_depth = 0;   // tags of each: 1 … BLK_MQ_MAX_DEPTH
  unsigned reserved_tags = 0;
  size_t cmd_size = 0;  // of the driver's part of a request, bytes: BlkMqPdu
  void (*make_pdu)(void* memory) = nullptr;
  void (*unmake_pdu)(void* memory) = nullptr;
  unsigned timeout = 0;  // jiffies; 0: 30 s
  unsigned flags = 0;    // BLK_MQ_F_*
  void* driver_data = nullptr;
  std::vector<std::unique_ptr<blk_mq_tags>> tags;  // by hardware queue
  ~blk_mq_tag_set();
};

// Each request of the set has a T of the driver's, made with it: blk_mq_rq_to_pdu<T>(rq).
template <typename T>
void BlkMqPdu(blk_mq_tag_set* set) {
  static_assert(alignof(T) <= alignof(std::max_align_t));
  set->cmd_size = sizeof(T);
  set->make_pdu = [](void* memory) { new (memory) T{}; };
  set->unmake_pdu = [](void* memory) { static_cast<T*>(memory)->~T(); };
}
template <typename T>
T* blk_mq_rq_to_pdu(const request* rq) {
  return static_cast<T*>(rq->pdu);
}

// ---- Set-up. Context: process, or while the machine is set up ----
// 0; -EINVAL: no queues, no tags, too many; -ENOMEM.
int blk_mq_alloc_tag_set(blk_mq_tag_set* set);
// Null: no memory, or init_hctx failed.
request_queue* blk_mq_init_queue(blk_mq_tag_set* set);
// v4.19 block/blk-core.c: blk_cleanup_queue. New bios fail; waits until all requests have ended.
void blk_cleanup_queue(request_queue* q);
inline blk_mq_hw_ctx* blk_mq_map_queue(const request_queue* q, int cpu) {
  return q->queue_hw_ctx[q->mq_map[static_cast<size_t>(cpu)]];
}

// ---- For drivers ----
// v4.19 block/blk-mq.c: blk_mq_start_request. The device is about to get it: starts its timeout.
void blk_mq_start_request(request* rq);
// The device is done with it: complete() is called, here or on the CPU that made the request; at
// most once for each time it was started.
void blk_mq_complete_request(request* rq);
// All of it has ended: its bios end with `error`, its tag is free.
void blk_mq_end_request(request* rq, blk_status_t error);
// The first bytes of it have ended. True: some are left.
bool blk_update_request(request* rq, blk_status_t error, unsigned nr_bytes);
void blk_mq_free_request(request* rq);
// Back to where it was before blk_mq_start_request; it is issued again, at once if `kick`.
void blk_mq_requeue_request(request* rq, bool kick_requeue_list);
// The queue is not run until it is started again.
void blk_mq_stop_hw_queue(blk_mq_hw_ctx* hctx);
// `async`: from kblockd.
void blk_mq_start_stopped_hw_queues(request_queue* q, bool async);
inline bool blk_mq_request_started(const request* rq) { return rq->state != MQ_RQ_IDLE; }
inline bool blk_mq_hctx_stopped(const blk_mq_hw_ctx* hctx) {
  return (hctx->state >> BLK_MQ_S_STOPPED & 1) != 0;
}

// ---- Running ----
// v4.19 block/blk-mq.c: blk_mq_run_hw_queue. Issues what waits, here or (`async`, or this CPU does
// not belong to it) from kblockd. False: nothing waits.
bool blk_mq_run_hw_queue(blk_mq_hw_ctx* hctx, bool async);
void blk_mq_run_hw_queues(request_queue* q, bool async);
// The same in `msecs` milliseconds, from kblockd.
void blk_mq_delay_run_hw_queue(blk_mq_hw_ctx* hctx, unsigned long msecs);
// New bios wait from now on until it is unfrozen; waits until all requests have ended.
void blk_mq_freeze_queue(request_queue* q);
void blk_mq_unfreeze_queue(request_queue* q);
// queue_rq is not called until it is unquiesced.
void blk_mq_quiesce_queue(request_queue* q);
void blk_mq_unquiesce_queue(request_queue* q);

}  // namespace kpath
