// SPDX-License-Identifier: Apache-2.0
//
// Requests and the queues they wait in. v4.19 include/linux/blkdev.h
//
// A request is what a driver gets: one operation on consecutive sectors, made of one or more bios
// that were next to each other on the disk. A request_queue is a disk as the block layer sees it:
// what the device can take (queue_limits), whether it can be used at all (q_usage_counter), and
// its software and hardware queues (blk_mq.h).
//
// Contexts: a request belongs to the one that allocated it until it is handed on: to a plug, to a
// software or hardware queue, to the driver (blk_mq_start_request), to the completion.
//
// Invariants
//   1. A request is in at most one list (queuelist).
//   2. __data_len = the sum of bi_size of the bios from bio to biotail; they lie one behind the
//      other from __sector on.
//   3. MQ_RQ_IN_FLIGHT exactly from blk_mq_start_request until its completion or its timeout wins.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/block/bio.h"
#include "sim/block/genhd.h"
#include "sim/kernel/list.h"
#include "sim/kernel/percpu_ref.h"
#include "sim/kernel/smp.h"
#include "sim/kernel/timer.h"
#include "sim/kernel/wait.h"
#include "sim/kernel/workqueue.h"

namespace kpath {

struct blk_mq_ctx;
struct blk_mq_hw_ctx;
struct blk_mq_ops;
struct blk_mq_tag_set;

inline constexpr unsigned BLK_DEF_MAX_SECTORS = 2560;
inline constexpr unsigned BLK_SAFE_MAX_SECTORS = 255;
inline constexpr unsigned BLK_MAX_SEGMENTS = 128;
inline constexpr unsigned BLK_MAX_SEGMENT_SIZE = 65536;
inline constexpr unsigned long BLK_SEG_BOUNDARY_MASK = 0xffffffff;

// ---- request::rq_flags ----
inline constexpr unsigned RQF_SORTED = 1u << 0;
inline constexpr unsigned RQF_STARTED = 1u << 1;
inline constexpr unsigned RQF_SOFTBARRIER = 1u << 3;
inline constexpr unsigned RQF_FLUSH_SEQ = 1u << 4;
inline constexpr unsigned RQF_DONTPREP = 1u << 7;
inline constexpr unsigned RQF_FAILED = 1u << 10;
inline constexpr unsigned RQF_QUIET = 1u << 11;
inline constexpr unsigned RQF_IO_STAT = 1u << 13;  // counts in the disk's statistics
inline constexpr unsigned RQF_SPECIAL_PAYLOAD = 1u << 18;
inline constexpr unsigned RQF_TIMED_OUT = 1u << 21;
inline constexpr unsigned RQF_NOMERGE_FLAGS =
    RQF_STARTED | RQF_SOFTBARRIER | RQF_FLUSH_SEQ | RQF_SPECIAL_PAYLOAD;

enum mq_rq_state { MQ_RQ_IDLE = 0, MQ_RQ_IN_FLIGHT = 1, MQ_RQ_COMPLETE = 2 };

struct request {
  request_queue* q = nullptr;
  blk_mq_ctx* mq_ctx = nullptr;  // the software queue of the CPU that made it
  unsigned cmd_flags = 0;        // REQ_OP_* | REQ_*
  unsigned rq_flags = 0;         // RQF_*
  int tag = -1;                  // the driver's name for it; -1: it has none
  int internal_tag = -1;         // the scheduler's; always -1, there is none
  unsigned __data_len = 0;       // bytes
  sector_t __sector = 0;
  struct bio* bio = nullptr;
  struct bio* biotail = nullptr;
  list_head queuelist;
  gendisk* rq_disk = nullptr;
  hd_struct* part = nullptr;
  int64_t start_time_ns = 0;
  unsigned short nr_phys_segments = 0;
  unsigned short write_hint = 0;
  unsigned short ioprio = 0;
  mq_rq_state state = MQ_RQ_IDLE;
  int ref = 0;
  unsigned timeout = 0;        // jiffies; 0: the queue's
  unsigned long deadline = 0;  // jiffies
  void (*end_io)(request* rq, blk_status_t error) = nullptr;
  void* end_io_data = nullptr;
  call_single_data csd;  // to the CPU that made it
  struct {
    unsigned seq = 0;  // REQ_FSEQ_*: steps that are done
    list_head list;
    void (*saved_end_io)(request* rq, blk_status_t error) = nullptr;
  } flush;              // of one that is a flush, or has one before or behind it
  void* pdu = nullptr;  // the driver's own part, blk_mq_tag_set::cmd_size bytes; never moves
};

// Shows as its tag.
inline Value MakeValue(const request* rq) { return Value::Signed(rq == nullptr ? -1 : rq->tag); }

inline unsigned req_op(const request* rq) { return rq->cmd_flags & REQ_OP_MASK; }
inline bool rq_is_write(const request* rq) { return op_is_write(rq->cmd_flags); }
inline bool rq_is_sync(const request* rq) { return op_is_sync(rq->cmd_flags); }
inline bool blk_rq_is_passthrough(const request* rq) {
  return req_op(rq) == REQ_OP_DRV_IN || req_op(rq) == REQ_OP_DRV_OUT;
}
inline sector_t blk_rq_pos(const request* rq) { return rq->__sector; }
inline unsigned blk_rq_bytes(const request* rq) { return rq->__data_len; }
inline unsigned blk_rq_sectors(const request* rq) { return rq->__data_len >> SECTOR_SHIFT; }
inline request* list_entry_rq(list_head* entry) { return list_entry(entry, &request::queuelist); }

// What the device can take at once. v4.19 block/blk-settings.c: blk_set_default_limits
struct queue_limits {
  unsigned max_sectors = BLK_SAFE_MAX_SECTORS;  // of one request
  unsigned max_hw_sectors = BLK_SAFE_MAX_SECTORS;
  unsigned chunk_sectors = 0;  // a request does not cross multiples of it; 0: no such limit
  unsigned short max_segments = BLK_MAX_SEGMENTS;    // pieces of memory of one request
  unsigned max_segment_size = BLK_MAX_SEGMENT_SIZE;  // bytes of one piece
  unsigned long seg_boundary_mask = BLK_SEG_BOUNDARY_MASK;
  unsigned long virt_boundary_mask = 0;  // pieces but the first begin, but the last end there
  unsigned logical_block_size = 512;     // bytes: what addresses, lengths, sectors are multiples of
  unsigned physical_block_size = 512;
  unsigned io_min = 512;
  bool cluster = true;  // neighbouring pages are one piece
};

// ---- request_queue::queue_flags: bits ----
inline constexpr unsigned QUEUE_FLAG_DYING = 2;
inline constexpr unsigned QUEUE_FLAG_NOMERGES = 5;
inline constexpr unsigned QUEUE_FLAG_SAME_COMP = 6;  // end requests near the CPU that made them
inline constexpr unsigned QUEUE_FLAG_FAIL_IO = 7;
inline constexpr unsigned QUEUE_FLAG_NONROT = 9;  // no seeks: an SSD, or memory
inline constexpr unsigned QUEUE_FLAG_IO_STAT = 11;
inline constexpr unsigned QUEUE_FLAG_NOXMERGES = 13;
inline constexpr unsigned QUEUE_FLAG_SAME_FORCE = 15;  // on exactly that CPU
inline constexpr unsigned QUEUE_FLAG_WC = 20;          // the device has a volatile write cache
inline constexpr unsigned QUEUE_FLAG_FUA = 21;
inline constexpr unsigned QUEUE_FLAG_QUIESCED = 26;

// What a queue has done, for people: kpath shows it.
struct BlockStats {
  uint64_t bios = 0;          // submitted
  uint64_t requests = 0;      // allocated
  uint64_t plug_merges = 0;   // bios that joined a request in a plug
  uint64_t queue_merges = 0;  // bios that joined one in a software queue
  uint64_t splits = 0;
  uint64_t plug_flushes = 0;           // at blk_finish_plug, or because it was full
  uint64_t plug_schedule_flushes = 0;  // because the task went to sleep
  uint64_t tag_waits = 0;              // a submitter slept for a tag
  uint64_t issued_directly = 0;
  uint64_t dispatched = 0;  // by way of a software or dispatch queue
  uint64_t busy = 0;        // queue_rq had no room
  uint64_t completed = 0;
  uint64_t errors = 0;
  uint64_t timeouts = 0;
  unsigned in_flight = 0;  // between blk_mq_start_request and completion
  unsigned max_in_flight = 0;
};

struct request_queue {
  static constexpr const char* kSlabName = "request_queue";

  int id = 0;  // by order of making
  unsigned long queue_flags = 0;
  queue_limits limits;
  unsigned nr_requests = 0;
  unsigned nr_hw_queues = 0;
  const blk_mq_ops* mq_ops = nullptr;
  void (*make_request_fn)(request_queue* q, bio* bio) = nullptr;
  std::vector<blk_mq_hw_ctx*> queue_hw_ctx;  // by number
  std::vector<blk_mq_ctx*> queue_ctx;        // by CPU
  std::vector<unsigned> mq_map;              // by CPU: its hardware queue
  blk_mq_tag_set* tag_set = nullptr;
  void* queuedata = nullptr;   // the driver's
  percpu_ref q_usage_counter;  // who is inside of the queue, and each request
  int mq_freeze_depth = 0;     // guarded by nobody but the freezer
  wait_queue_head_t mq_freeze_wq;
  unsigned rq_timeout = 0;  // jiffies
  timer_list timeout;
  work_struct timeout_work;
  delayed_work requeue_work;
  list_head requeue_list;
  spinlock_t requeue_lock;
  bio_set bio_split;
  BlockStats stats;
};

inline Value MakeValue(const request_queue* q) { return Value::Signed(q->id); }

inline bool test_queue_flag(const request_queue* q, unsigned bit) {
  return (q->queue_flags >> bit & 1) != 0;
}
inline void blk_queue_flag_set(unsigned bit, request_queue* q) { q->queue_flags |= 1ul << bit; }
inline void blk_queue_flag_clear(unsigned bit, request_queue* q) {
  q->queue_flags &= ~(1ul << bit);
}
inline bool blk_queue_nomerges(const request_queue* q) {
  return test_queue_flag(q, QUEUE_FLAG_NOMERGES);
}
inline bool blk_queue_dying(const request_queue* q) { return test_queue_flag(q, QUEUE_FLAG_DYING); }
inline bool blk_queue_quiesced(const request_queue* q) {
  return test_queue_flag(q, QUEUE_FLAG_QUIESCED);
}

}  // namespace kpath
