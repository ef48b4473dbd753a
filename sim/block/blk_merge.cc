// SPDX-License-Identifier: Apache-2.0
//
// What may become one request, and pieces of memory. v4.19 block/blk-merge.c
#include <algorithm>

#include "sim/block/blk_internal.h"
#include "sim/machine/check.h"

namespace kpath {
namespace {

// v4.19 include/linux/blkdev.h: __bvec_gap_to_prev. Is there a gap between the two that the device
// cannot do?
bool bvec_gap_to_prev(const request_queue* q, const bio_vec& prev, unsigned offset) {
  const unsigned long mask = q->limits.virt_boundary_mask;
  return mask != 0 && ((offset & mask) != 0 || ((prev.bv_offset + prev.bv_len) & mask) != 0);
}

bio_vec FirstPiece(const bio* bio) { return bio_iter_iovec(bio, bio->bi_iter); }

bio_vec LastPiece(const bio* bio) {
  bio_vec last;
  bio_for_each_segment(bio, [&last](const bio_vec& bv) { last = bv; });
  return last;
}

bool HasData(const bio* bio) { return bio->bi_io_vec != nullptr && bio->bi_iter.bi_size != 0; }

// v4.19 include/linux/blkdev.h: bio_will_gap
bool bio_will_gap(const request_queue* q, const bio* prev, const bio* next) {
  if (q->limits.virt_boundary_mask == 0 || !HasData(prev) || !HasData(next)) return false;
  return bvec_gap_to_prev(q, LastPiece(prev), FirstPiece(next).bv_offset);
}

// Do the two lie one behind the other in memory, as one piece that the device can do?
// BIOVEC_PHYS_MERGEABLE and BIOVEC_SEG_BOUNDARY.
bool IsOnePiece(const request_queue* q, const bio_vec& prev, unsigned seg_size, const bio_vec& bv) {
  if (!q->limits.cluster || seg_size + bv.bv_len > q->limits.max_segment_size) return false;
  if (bvec_to_phys(prev) + prev.bv_len != bvec_to_phys(bv)) return false;
  const unsigned long boundary = q->limits.seg_boundary_mask;
  const uint64_t last = bvec_to_phys(bv) + bv.bv_len - 1;
  return (bvec_to_phys(prev) | boundary) == (last | boundary);
}

// v4.19 include/linux/blkdev.h: blk_max_size_offset
unsigned blk_max_size_offset(const request_queue* q, sector_t offset) {
  const unsigned chunk = q->limits.chunk_sectors;
  if (chunk == 0) return q->limits.max_sectors;
  return std::min(q->limits.max_sectors, chunk - static_cast<unsigned>(offset & (chunk - 1)));
}

// v4.19 include/linux/blkdev.h: blk_rq_get_max_sectors
unsigned blk_rq_get_max_sectors(const request* rq, sector_t offset) {
  const request_queue* q = rq->q;
  if (blk_rq_is_passthrough(rq)) return q->limits.max_hw_sectors;
  return std::min(blk_max_size_offset(q, offset), q->limits.max_sectors);
}

// v4.19 block/blk-merge.c: get_max_io_size. In whole blocks.
unsigned get_max_io_size(const request_queue* q, const bio* bio) {
  const unsigned mask = (q->limits.logical_block_size >> SECTOR_SHIFT) - 1;
  return blk_max_size_offset(q, bio->bi_iter.bi_sector) & ~mask;
}

// Walks a bio and counts what one request would be made of, up to the queue's limits.
struct SegmentCount {
  unsigned nsegs = 0;
  unsigned sectors = 0;  // that fit
  bool all = true;       // the whole bio fits
};

// v4.19 block/blk-merge.c: blk_bio_segment_split, up to where it splits
SegmentCount CountWhatFits(const request_queue* q, const bio* bio) {
  SegmentCount count;
  const unsigned max_sectors = get_max_io_size(q, bio);
  bio_vec prev;
  bool has_prev = false;
  unsigned seg_size = 0;
  bvec_iter iter = bio->bi_iter;
  while (iter.bi_size != 0) {
    const bio_vec bv = bio_iter_iovec(bio, iter);
    const unsigned sectors = bv.bv_len >> SECTOR_SHIFT;
    count.all = false;
    if (has_prev && bvec_gap_to_prev(q, prev, bv.bv_offset)) return count;
    if (count.sectors + sectors > max_sectors) {
      // The split may be in the middle of this piece.
      if (count.nsegs < q->limits.max_segments && count.sectors < max_sectors) {
        ++count.nsegs;
        count.sectors = max_sectors;
      }
      return count;
    }
    if (has_prev && IsOnePiece(q, prev, seg_size, bv)) {
      seg_size += bv.bv_len;
    } else {
      if (count.nsegs == q->limits.max_segments) return count;
      ++count.nsegs;
      seg_size = bv.bv_len;
    }
    prev = bv;
    has_prev = true;
    count.sectors += sectors;
    count.all = true;
    bio_advance_iter(bio, &iter, bv.bv_len);
  }
  return count;
}

// v4.19 block/blk-merge.c: __blk_recalc_rq_segments. Pieces of all bios from this one on, each by
// itself.
unsigned __blk_recalc_rq_segments(const request_queue* q, const bio* first) {
  unsigned nsegs = 0;
  bool has_prev = false;
  unsigned seg_size = 0;
  bio_vec prev;
  for (const bio* bio = first; bio != nullptr; bio = bio->bi_next) {
    if (!HasData(bio)) continue;
    bio_for_each_segment(bio, [&](const bio_vec& bv) {
      if (has_prev && IsOnePiece(q, prev, seg_size, bv)) {
        seg_size += bv.bv_len;
      } else {
        ++nsegs;
        seg_size = bv.bv_len;
      }
      prev = bv;
      has_prev = true;
    });
  }
  return nsegs;
}

// v4.19 block/blk-merge.c: req_set_nomerge. It is full: nobody looks at it again.
void req_set_nomerge(request* req) {
  req->cmd_flags |= REQ_NOMERGE;
  STEP("the request takes no more bios", req, blk_rq_sectors(req), req->nr_phys_segments);
}

// v4.19 block/blk-merge.c: ll_new_hw_segment
bool ll_new_hw_segment(request_queue* q, request* req, bio* bio) {
  const unsigned nr_phys_segs = bio_phys_segments(q, bio);
  if (req->nr_phys_segments + nr_phys_segs > q->limits.max_segments) {
    req_set_nomerge(req);
    return false;
  }
  req->nr_phys_segments = static_cast<unsigned short>(req->nr_phys_segments + nr_phys_segs);
  return true;
}

// v4.19 include/linux/blkdev.h: rq_mergeable
bool rq_mergeable(const request* rq) {
  if (blk_rq_is_passthrough(rq) || req_op(rq) == REQ_OP_FLUSH) return false;
  return (rq->cmd_flags & REQ_NOMERGE_FLAGS) == 0 && (rq->rq_flags & RQF_NOMERGE_FLAGS) == 0;
}

bool bio_mergeable(const bio* bio) { return (bio->bi_opf & REQ_NOMERGE_FLAGS) == 0; }

// v4.19 block/blk-merge.c: req_no_special_merge. Only drivers of single queues have such requests.
bool req_no_special_merge(request* req) { FUNCTION_RETURNS(false, req); }

elv_merge SideOf(const request* rq, const bio* bio) {
  const sector_t sector = bio->bi_iter.bi_sector;
  if (blk_rq_pos(rq) + blk_rq_sectors(rq) == sector) return ELEVATOR_BACK_MERGE;
  if (blk_rq_pos(rq) - bio_sectors(bio) == sector) return ELEVATOR_FRONT_MERGE;
  return ELEVATOR_NO_MERGE;
}

}  // namespace

void blk_recount_segments(request_queue* q, bio* bio) {
  FUNCTION(bio);
  bio->bi_phys_segments = __blk_recalc_rq_segments(q, bio);
  bio_set_flag(bio, BIO_SEG_VALID);
}

// v4.19 block/blk-merge.c: bio_phys_segments
unsigned bio_phys_segments(request_queue* q, bio* bio) {
  if (!bio_flagged(bio, BIO_SEG_VALID)) blk_recount_segments(q, bio);
  return bio->bi_phys_segments;
}

void blk_recalc_rq_segments(request* rq) {
  FUNCTION(rq);
  rq->nr_phys_segments = static_cast<unsigned short>(__blk_recalc_rq_segments(rq->q, rq->bio));
}

void blk_queue_split(request_queue* q, bio** bio) {
  FUNCTION(q, *bio);
  if (!HasData(*bio)) return;
  const SegmentCount fits = CountWhatFits(q, *bio);
  struct bio* split = nullptr;
  if (!fits.all) split = bio_split(*bio, fits.sectors, GFP_KERNEL, &q->bio_split);
  struct bio* res = split != nullptr ? split : *bio;
  res->bi_phys_segments = fits.nsegs;
  bio_set_flag(res, BIO_SEG_VALID);
  if (split == nullptr) return;
  ++q->stats.splits;
  STEP("too much at once: the rest follows", fits.sectors, fits.nsegs, bio_sectors(*bio));
  // What follows would not fit anyway.
  split->bi_opf |= REQ_NOMERGE;
  // The rest is in the queue already: it must not wait for the queue to be unfrozen.
  bio_set_flag(*bio, BIO_QUEUE_ENTERED);
  bio_chain(split, *bio);
  generic_make_request(*bio);
  *bio = split;
}

bool ll_back_merge_fn(request_queue* q, request* req, bio* bio) {
  FUNCTION(req, bio);
  if (bio_will_gap(q, req->biotail, bio)) {
    STEP("a gap in memory", req);
    return fn.Return(false);
  }
  if (blk_rq_sectors(req) + bio_sectors(bio) > blk_rq_get_max_sectors(req, blk_rq_pos(req))) {
    req_set_nomerge(req);
    return fn.Return(false);
  }
  if (!bio_flagged(req->biotail, BIO_SEG_VALID)) blk_recount_segments(q, req->biotail);
  if (!bio_flagged(bio, BIO_SEG_VALID)) blk_recount_segments(q, bio);
  return fn.Return(ll_new_hw_segment(q, req, bio));
}

bool ll_front_merge_fn(request_queue* q, request* req, bio* bio) {
  FUNCTION(req, bio);
  if (bio_will_gap(q, bio, req->bio)) {
    STEP("a gap in memory", req);
    return fn.Return(false);
  }
  const sector_t sector = bio->bi_iter.bi_sector;
  if (blk_rq_sectors(req) + bio_sectors(bio) > blk_rq_get_max_sectors(req, sector)) {
    req_set_nomerge(req);
    return fn.Return(false);
  }
  if (!bio_flagged(bio, BIO_SEG_VALID)) blk_recount_segments(q, bio);
  if (!bio_flagged(req->bio, BIO_SEG_VALID)) blk_recount_segments(q, req->bio);
  return fn.Return(ll_new_hw_segment(q, req, bio));
}

bool blk_rq_merge_ok(request* rq, bio* bio) {
  FUNCTION(rq, bio);
  if (!rq_mergeable(rq) || !bio_mergeable(bio)) return fn.Return(false);
  if (req_op(rq) != bio_op(bio)) return fn.Return(false);
  if (rq_is_write(rq) != bio_is_write(bio)) return fn.Return(false);
  if (rq->rq_disk != bio->bi_disk || req_no_special_merge(rq)) return fn.Return(false);
  // Lifetimes that the writer expects of the data.
  return fn.Return(rq->write_hint == bio->bi_write_hint);
}

elv_merge blk_try_merge(request* rq, bio* bio) { FUNCTION_RETURNS(SideOf(rq, bio), rq, bio); }

// v4.19 block/blk-merge.c: blk_rq_map_sg
int blk_rq_map_sg(request_queue* q, request* rq, scatterlist* sglist) {
  FUNCTION(rq, rq->nr_phys_segments);
  int nsegs = 0;
  bio_vec prev;
  rq_for_each_segment(rq, [&](const bio_vec& bv, sector_t) {
    if (nsegs != 0 && IsOnePiece(q, prev, sglist[nsegs - 1].length, bv)) {
      sglist[nsegs - 1].length += bv.bv_len;
    } else {
      KPATH_CHECK(nsegs < q->limits.max_segments, "more pieces than the device takes");
      sglist[nsegs++] = {.dma_address = bvec_to_phys(bv), .length = bv.bv_len};
    }
    prev = bv;
  });
  return fn.Return(nsegs);
}

}  // namespace kpath
