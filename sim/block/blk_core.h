// SPDX-License-Identifier: Apache-2.0
//
// The block layer's door: submit_bio, and what each queue is asked on the way.
// v4.19 block/blk-core.c, blk-settings.c, blk-flush.c
//
//   bio->bi_end_io = done;
//   submit_bio(bio);                  // done(bio) is called once, now or later
//   int error = submit_bio_wait(bio); // or so, from process context
//
// Context: process, may sleep, unless the bio says REQ_NOWAIT.
#pragma once

#include "sim/block/blkdev.h"

namespace kpath {

// v4.19 block/blk-core.c: submit_bio. What cannot be done ends with bi_status set: BLK_STS_IOERR
// beyond the end of the device, to a read-only one, or to one that is gone; BLK_STS_NOTSUPP;
// BLK_STS_AGAIN with REQ_NOWAIT.
void submit_bio(bio* bio);
// v4.19 block/bio.c: submit_bio_wait. 0 or a negative errno.
int submit_bio_wait(bio* bio);
// v4.19 block/blk-core.c: generic_make_request. Inside of a make_request_fn the bio waits until
// that function has returned.
void generic_make_request(bio* bio);

// v4.19 block/blk-core.c: blk_queue_enter. Takes a reference on the queue, waits while it is
// frozen. 0; -EBUSY: BLK_MQ_REQ_NOWAIT, and it is; -ENODEV: it is dying.
int blk_queue_enter(request_queue* q, unsigned flags);
void blk_queue_exit(request_queue* q);
inline void blk_queue_enter_live(request_queue* q) { percpu_ref_get(&q->q_usage_counter); }

// v4.19 block/blk-flush.c: blkdev_issue_flush. What was written is on stable storage when it
// returns. 0 or a negative errno.
int blkdev_issue_flush(block_device* bdev, gfp_t gfp_mask);

// ---- Limits; for drivers, before add_disk. v4.19 block/blk-settings.c ----
void blk_queue_max_hw_sectors(request_queue* q, unsigned max_hw_sectors);
void blk_queue_max_segments(request_queue* q, unsigned short max_segments);
void blk_queue_max_segment_size(request_queue* q, unsigned max_size);
void blk_queue_logical_block_size(request_queue* q, unsigned size);
void blk_queue_physical_block_size(request_queue* q, unsigned size);
void blk_queue_virt_boundary(request_queue* q, unsigned long mask);
void blk_queue_chunk_sectors(request_queue* q, unsigned chunk_sectors);
// `wc`: it has a volatile write cache; `fua`: it can write around it.
void blk_queue_write_cache(request_queue* q, bool wc, bool fua);

// ---- Pieces of memory. v4.19 block/blk-merge.c ----
struct scatterlist {
  uint64_t dma_address = 0;  // in the machine's memory
  unsigned length = 0;
};
// v4.19 block/blk-merge.c: blk_rq_map_sg. Writes the request's pieces, neighbours put together, to
// sglist[0 …]; returns how many there are, at most the queue's max_segments.
int blk_rq_map_sg(request_queue* q, request* rq, scatterlist* sglist);
// Calls fn(const bio_vec&, sector_t) for each piece of the request that is not done.
template <typename Fn>
void rq_for_each_segment(const request* rq, Fn fn) {
  sector_t sector = rq->__sector;
  for (const bio* bio = rq->bio; bio != nullptr; bio = bio->bi_next) {
    bio_for_each_segment(bio, [&](const bio_vec& bv) {
      fn(bv, sector);
      sector += bv.bv_len >> SECTOR_SHIFT;
    });
  }
}

}  // namespace kpath
