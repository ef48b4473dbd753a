// SPDX-License-Identifier: Apache-2.0
//
// Flushes of a device's volatile cache, by themselves and around a write. v4.19 block/blk-flush.c
//
// A request that asks for more than the device does by itself goes through up to three steps: a
// flush before it, its data, a flush behind it. Flushes that wait at the same time become one: two
// lists take turns, one of those that wait for the flush on its way, one of those that wait for the
// next.
#include "sim/block/blk_internal.h"
#include "sim/machine/check.h"

namespace kpath {

// v4.19 block/blk.h: struct blk_flush_queue
struct blk_flush_queue {
  static constexpr const char* kSlabName = "blk_flush_queue";
  ~blk_flush_queue() {
    if (unmake_pdu != nullptr) unmake_pdu(flush_rq.pdu);
  }

  int flush_pending_idx = 0;  // which of the lists takes new ones
  int flush_running_idx = 0;  // which the flush on its way is for; the same: none is
  list_head flush_queue[2];
  list_head flush_data_in_flight;
  request flush_rq;            // the flush on its way
  request* orig_rq = nullptr;  // whose tag it has borrowed
  spinlock_t mq_flush_lock;
  std::unique_ptr<std::byte[]> pdu;
  void (*unmake_pdu)(void* memory) = nullptr;
};

namespace {

constexpr unsigned REQ_FSEQ_PREFLUSH = 1 << 0;
constexpr unsigned REQ_FSEQ_DATA = 1 << 1;
constexpr unsigned REQ_FSEQ_POSTFLUSH = 1 << 2;
constexpr unsigned REQ_FSEQ_DONE = 1 << 3;
constexpr unsigned REQ_FSEQ_ACTIONS = REQ_FSEQ_PREFLUSH | REQ_FSEQ_DATA | REQ_FSEQ_POSTFLUSH;

blk_flush_queue* FlushQueueOf(const request* rq) {
  return blk_mq_map_queue(rq->q, rq->mq_ctx->cpu)->fq;
}

request* FlushEntry(list_head* entry) {
  return container_of(container_of(entry, &decltype(request::flush)::list), &request::flush);
}

void Move(request* rq, list_head* to) {
  list_del_init(&rq->flush.list);
  list_add_tail(&rq->flush.list, to);
}

// v4.19 block/blk-flush.c: blk_flush_policy. The steps that the device needs.
unsigned blk_flush_policy(const request_queue* q, const request* rq) {
  unsigned policy = 0;
  if (blk_rq_sectors(rq) != 0) policy |= REQ_FSEQ_DATA;
  if (!test_queue_flag(q, QUEUE_FLAG_WC)) return policy;
  if ((rq->cmd_flags & REQ_PREFLUSH) != 0) policy |= REQ_FSEQ_PREFLUSH;
  const bool fua = test_queue_flag(q, QUEUE_FLAG_FUA);
  if (!fua && (rq->cmd_flags & REQ_FUA) != 0) policy |= REQ_FSEQ_POSTFLUSH;
  return policy;
}

// v4.19 block/blk-flush.c: blk_flush_cur_seq. The first step that is not done.
unsigned blk_flush_cur_seq(const request* rq) { return 1u << __builtin_ctz(~rq->flush.seq); }

// v4.19 block/blk-flush.c: blk_flush_restore_request
void blk_flush_restore_request(request* rq) {
  // The data step has used up rq->bio; biotail is still there.
  rq->bio = rq->biotail;
  rq->rq_flags &= ~RQF_FLUSH_SEQ;
  rq->end_io = rq->flush.saved_end_io;
}

void flush_end_io(request* flush_rq, blk_status_t error);

// v4.19 block/blk-flush.c: blk_kick_flush. Starts the next flush, if none is on its way and
// somebody waits for one. REQUIRES: mq_flush_lock.
void blk_kick_flush(request_queue* q, blk_flush_queue* fq) {
  list_head* pending = &fq->flush_queue[fq->flush_pending_idx];
  if (fq->flush_pending_idx != fq->flush_running_idx || list_empty(pending)) return;
  request* first = FlushEntry(pending->next);
  request* flush_rq = &fq->flush_rq;
  fq->flush_pending_idx ^= 1;
  flush_rq->q = q;
  flush_rq->state = MQ_RQ_IDLE;
  flush_rq->ref = 1;
  flush_rq->timeout = 0;
  flush_rq->bio = flush_rq->biotail = nullptr;
  flush_rq->__data_len = 0;
  flush_rq->nr_phys_segments = 0;
  flush_rq->mq_ctx = first->mq_ctx;
  // The two are never with the device at the same time.
  fq->orig_rq = first;
  flush_rq->tag = first->tag;
  blk_mq_map_queue(q, first->mq_ctx->cpu)->tags->rqs[static_cast<size_t>(first->tag)] = flush_rq;
  flush_rq->cmd_flags = REQ_OP_FLUSH | REQ_PREFLUSH;
  flush_rq->rq_flags = RQF_FLUSH_SEQ;
  flush_rq->rq_disk = first->rq_disk;
  flush_rq->end_io = flush_end_io;
  STEP("a flush for those that wait", first);
  blk_mq_requeue_new(flush_rq, false);
}

// v4.19 block/blk-flush.c: blk_flush_complete_seq. Steps `seq` of the request are done: on to the
// next. REQUIRES: mq_flush_lock.
void blk_flush_complete_seq(request* rq, blk_flush_queue* fq, unsigned seq, blk_status_t error) {
  FUNCTION(rq, seq, error);
  rq->flush.seq |= seq;
  request_queue* q = rq->q;
  const unsigned next = error == BLK_STS_OK ? blk_flush_cur_seq(rq) : REQ_FSEQ_DONE;
  switch (next) {
    case REQ_FSEQ_PREFLUSH:
    case REQ_FSEQ_POSTFLUSH:
      Move(rq, &fq->flush_queue[fq->flush_pending_idx]);
      break;
    case REQ_FSEQ_DATA:
      Move(rq, &fq->flush_data_in_flight);
      blk_mq_requeue_new(rq, true);
      break;
    default:
      list_del_init(&rq->flush.list);
      blk_flush_restore_request(rq);
      blk_mq_end_request(rq, error);
  }
  blk_kick_flush(q, fq);
}

// v4.19 block/blk-flush.c: flush_end_io. The flush is done, for all that waited for it.
void flush_end_io(request* flush_rq, blk_status_t error) {
  FUNCTION(flush_rq, error);
  blk_flush_queue* fq = FlushQueueOf(flush_rq);
  unsigned long flags;
  spin_lock_irqsave(&fq->mq_flush_lock, flags);
  blk_mq_tags* tags = blk_mq_map_queue(flush_rq->q, flush_rq->mq_ctx->cpu)->tags;
  tags->rqs[static_cast<size_t>(flush_rq->tag)] = fq->orig_rq;
  flush_rq->tag = -1;
  flush_rq->state = MQ_RQ_IDLE;
  list_head running;
  list_splice_init(&fq->flush_queue[fq->flush_running_idx], &running);
  KPATH_CHECK(fq->flush_pending_idx != fq->flush_running_idx, "a flush ends that nobody began");
  fq->flush_running_idx ^= 1;
  while (!list_empty(&running)) {
    request* rq = FlushEntry(running.next);
    list_del_init(&rq->flush.list);
    blk_flush_complete_seq(rq, fq, blk_flush_cur_seq(rq), error);
  }
  spin_unlock_irqrestore(&fq->mq_flush_lock, flags);
}

// v4.19 block/blk-flush.c: mq_flush_data_end_io. The data are written.
void mq_flush_data_end_io(request* rq, blk_status_t error) {
  FUNCTION(rq, error);
  blk_mq_hw_ctx* hctx = blk_mq_map_queue(rq->q, rq->mq_ctx->cpu);
  blk_flush_queue* fq = hctx->fq;
  // It may be with the device once more.
  rq->state = MQ_RQ_IDLE;
  unsigned long flags;
  spin_lock_irqsave(&fq->mq_flush_lock, flags);
  blk_flush_complete_seq(rq, fq, REQ_FSEQ_DATA, error);
  spin_unlock_irqrestore(&fq->mq_flush_lock, flags);
  blk_mq_run_hw_queue(hctx, true);
}

}  // namespace

blk_flush_queue* blk_alloc_flush_queue(blk_mq_tag_set* set, unsigned hctx_idx) {
  FUNCTION(hctx_idx);
  const kptr<blk_flush_queue> made = kzalloc<blk_flush_queue>(GFP_KERNEL);
  if (!made) return nullptr;
  blk_flush_queue* fq = made.get();
  spin_lock_init(&fq->mq_flush_lock);
  fq->pdu = std::make_unique<std::byte[]>(set->cmd_size + 1);
  fq->unmake_pdu = set->unmake_pdu;
  fq->flush_rq.pdu = fq->pdu.get();
  if (set->make_pdu != nullptr) set->make_pdu(fq->flush_rq.pdu);
  if (set->ops->init_request != nullptr &&
      set->ops->init_request(set, &fq->flush_rq, hctx_idx) != 0) {
    blk_free_flush_queue(fq);
    return nullptr;
  }
  return fq;
}

void blk_free_flush_queue(blk_flush_queue* fq) {
  FUNCTION();
  kfree(kptr<blk_flush_queue>(fq));
}

void blk_insert_flush(request* rq) {
  FUNCTION(rq);
  request_queue* q = rq->q;
  const unsigned policy = blk_flush_policy(q, rq);
  rq->cmd_flags &= ~REQ_PREFLUSH;
  if (!test_queue_flag(q, QUEUE_FLAG_FUA)) rq->cmd_flags &= ~REQ_FUA;
  rq->cmd_flags |= REQ_SYNC;  // which these two imply
  if (policy == 0) {
    STEP("nothing to do", rq);
    blk_mq_end_request(rq, BLK_STS_OK);
    return;
  }
  if (policy == REQ_FSEQ_DATA) {
    blk_mq_request_bypass_insert(rq, false);
    return;
  }
  blk_flush_queue* fq = FlushQueueOf(rq);
  rq->flush.seq = 0;
  rq->rq_flags |= RQF_FLUSH_SEQ;
  rq->flush.saved_end_io = rq->end_io;
  rq->end_io = mq_flush_data_end_io;
  spin_lock_irq(&fq->mq_flush_lock);
  blk_flush_complete_seq(rq, fq, REQ_FSEQ_ACTIONS & ~policy, BLK_STS_OK);
  spin_unlock_irq(&fq->mq_flush_lock);
}

// v4.19 block/blk-flush.c: blkdev_issue_flush
int blkdev_issue_flush(block_device* bdev, gfp_t gfp_mask) {
  FUNCTION(bdev->bd_dev);
  if (bdev->bd_disk == nullptr) return fn.Return(Fail(ENXIO, "the device is gone"));
  bio* bio = bio_alloc(gfp_mask, 0);
  if (bio == nullptr) return fn.Return(Fail(ENOMEM, "no memory for a bio"));
  bio_set_dev(bio, bdev);
  bio->bi_opf = REQ_OP_WRITE | REQ_PREFLUSH;
  const int ret = submit_bio_wait(bio);
  bio_put(bio);
  return fn.Return(ret);
}

}  // namespace kpath
