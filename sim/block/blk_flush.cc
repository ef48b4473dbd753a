// SPDX-License-Identifier: Apache-2.0
//
// Flushes of a device's volatile cache, by themselves and around a write. v4.19 block/blk-flush.c
#include "sim/block/blk_internal.h"

namespace kpath {

void blk_insert_flush(request* rq) {
  FUNCTION(rq);
  blk_mq_request_bypass_insert(rq, false);
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
