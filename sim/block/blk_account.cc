// SPDX-License-Identifier: Apache-2.0
//
// A request's beginning and end, as the disk's statistics count them. v4.19 block/blk-core.c
#include "sim/block/blk_internal.h"

namespace kpath {
namespace {

// v4.19 block/blk.h: blk_do_io_stat
bool blk_do_io_stat(const request* rq) {
  return rq->rq_disk != nullptr && (rq->rq_flags & RQF_IO_STAT) != 0 && !blk_rq_is_passthrough(rq);
}

int Direction(const request* rq) { return rq_is_write(rq) ? 1 : 0; }

// v4.19 block/blk-core.c: blk_rq_bio_prep
void blk_rq_bio_prep(request_queue* q, request* rq, bio* bio) {
  FUNCTION(rq, bio);
  if (bio->bi_io_vec != nullptr) {  // bio_has_data
    rq->nr_phys_segments = static_cast<unsigned short>(bio_phys_segments(q, bio));
  }
  rq->__data_len = bio->bi_iter.bi_size;
  rq->bio = rq->biotail = bio;
  if (bio->bi_disk != nullptr) rq->rq_disk = bio->bi_disk;
}

}  // namespace

void blk_init_request_from_bio(request* req, bio* bio) {
  FUNCTION(req, bio);
  if ((bio->bi_opf & REQ_RAHEAD) != 0) req->cmd_flags |= REQ_FAILFAST_MASK;
  req->__sector = bio->bi_iter.bi_sector;
  req->ioprio = bio->bi_ioprio;  // or the io_context's, which is none
  req->write_hint = bio->bi_write_hint;
  blk_rq_bio_prep(req->q, req, bio);
}

void blk_account_io_start(request* rq, bool new_io) {
  FUNCTION(rq, new_io);
  if (!blk_do_io_stat(rq)) return;
  preempt_disable();  // part_stat_lock
  if (!new_io) {
    ++rq->part->dkstats.merges[Direction(rq)];
  } else {
    hd_struct* part = disk_map_sector_rcu(rq->rq_disk, blk_rq_pos(rq));
    part_round_stats(rq->q, part);
    part_inc_in_flight(rq->q, part, Direction(rq));
    rq->part = part;
  }
  preempt_enable();
}

void blk_account_io_completion(request* req, unsigned bytes) {
  FUNCTION(req, bytes);
  if (blk_do_io_stat(req)) req->part->dkstats.sectors[Direction(req)] += bytes >> SECTOR_SHIFT;
}

void blk_account_io_done(request* req, int64_t now) {
  FUNCTION(req, now);
  // What a flush consists of is not counted by itself.
  if (!blk_do_io_stat(req) || (req->rq_flags & RQF_FLUSH_SEQ) != 0) return;
  preempt_disable();
  hd_struct* part = req->part;
  ++part->dkstats.ios[Direction(req)];
  part->dkstats.nsecs[Direction(req)] += static_cast<uint64_t>(now - req->start_time_ns);
  part_round_stats(req->q, part);
  part_dec_in_flight(req->q, part, Direction(req));
  preempt_enable();
}

}  // namespace kpath
