// SPDX-License-Identifier: Apache-2.0
//
// Splitting and ending bios, and the pages they leave dirty. v4.19 block/bio.c
#include "absl/strings/str_cat.h"
#include "sim/block/bio.h"
#include "sim/block/bio_internal.h"
#include "sim/block/blk_core.h"
#include "sim/block/rq_qos.h"
#include "sim/kernel/completion.h"
#include "sim/kernel/report.h"
#include "sim/mm/filemap.h"

namespace kpath {
namespace {

// Bios whose pages have to be made dirty again.
struct dirty_globals {
  spinlock_t bio_dirty_lock{"&bio_dirty_lock"};
  bio* bio_dirty_list = nullptr;  // linked by bi_private
  work_struct bio_dirty_work;
};
KernelGlobal<dirty_globals> dirty;

// v4.19 include/linux/bio.h: bio_for_each_segment_all. All pages, whatever has been done.
template <typename Fn>
void bio_for_each_segment_all(bio* bio, Fn fn) {
  for (unsigned i = 0; i < bio->bi_vcnt; ++i) fn(bio->bi_io_vec[i]);
}

// v4.19 block/bio.c: bio_release_pages
void bio_release_pages(bio* bio) {
  FUNCTION(bio);
  bio_for_each_segment_all(bio, [](const bio_vec& bv) { put_page(bv.bv_page); });
}

// v4.19 block/bio.c: bio_dirty_fn
void bio_dirty_fn(work_struct*) {
  FUNCTION();
  spin_lock_irq(&dirty->bio_dirty_lock);
  bio* next = dirty->bio_dirty_list;
  dirty->bio_dirty_list = nullptr;
  spin_unlock_irq(&dirty->bio_dirty_lock);
  while (next != nullptr) {
    bio* bio = next;
    next = static_cast<struct bio*>(bio->bi_private);
    bio_set_pages_dirty(bio);
    bio_release_pages(bio);
    bio_put(bio);
  }
}

// v4.19 block/bio.c: bio_remaining_done. False: bios that are chained to it are still on their way.
bool bio_remaining_done(bio* bio) {
  if (!bio_flagged(bio, BIO_CHAIN)) return true;
  if (bio->__bi_remaining <= 0) Report("kernel BUG at block/bio.c: a bio ends once too often");
  if (--bio->__bi_remaining != 0) return false;
  bio_clear_flag(bio, BIO_CHAIN);
  return true;
}

// v4.19 block/bio.c: bio_inc_remaining
void bio_inc_remaining(bio* bio) {
  bio_set_flag(bio, BIO_CHAIN);
  ++bio->__bi_remaining;
}

// v4.19 block/bio.c: __bio_chain_endio. Returns the bio that waits for this one.
bio* __bio_chain_endio(bio* bio) {
  auto* parent = static_cast<struct bio*>(bio->bi_private);
  if (parent->bi_status == BLK_STS_OK) parent->bi_status = bio->bi_status;
  bio_put(bio);
  return parent;
}

// v4.19 block/bio.c: bio_chain_endio
void bio_chain_endio(bio* bio) { bio_endio(__bio_chain_endio(bio)); }

// v4.19 block/bio.c: __bio_clone_fast
void __bio_clone_fast(bio* bio, struct bio* bio_src) {
  FUNCTION(bio_src);
  bio->bi_disk = bio_src->bi_disk;
  bio->bi_partno = bio_src->bi_partno;
  bio_set_flag(bio, BIO_CLONED);
  bio->bi_opf = bio_src->bi_opf;
  bio->bi_ioprio = bio_src->bi_ioprio;
  bio->bi_write_hint = bio_src->bi_write_hint;
  bio->bi_iter = bio_src->bi_iter;
  bio->bi_io_vec = bio_src->bi_io_vec;
}

// v4.19 block/bio.c: bio_clone_fast. A bio over the same pages.
bio* bio_clone_fast(bio* bio, gfp_t gfp_mask, bio_set* bs) {
  FUNCTION(bio);
  struct bio* made = bio_alloc_bioset(gfp_mask, 0, bs);
  if (made == nullptr) return nullptr;
  __bio_clone_fast(made, bio);
  return made;
}

// v4.19 block/bio.c: submit_bio_wait_endio
void submit_bio_wait_endio(bio* bio) {
  FUNCTION(bio);
  complete(static_cast<completion*>(bio->bi_private));
}

}  // namespace

// v4.19 block/bio.c: bio_set_pages_dirty
void bio_set_pages_dirty(bio* bio) {
  FUNCTION(bio);
  bio_for_each_segment_all(bio, [](const bio_vec& bv) { set_page_dirty_lock(bv.bv_page); });
}

// v4.19 block/bio.c: bio_check_pages_dirty
void bio_check_pages_dirty(bio* bio) {
  FUNCTION(bio);
  bool all_dirty = true;
  bio_for_each_segment_all(bio, [&](const bio_vec& bv) { all_dirty &= PageDirty(bv.bv_page); });
  if (all_dirty) {
    bio_for_each_segment_all(bio, [](const bio_vec& bv) { put_page(bv.bv_page); });
    bio_put(bio);
    return;
  }
  STEP("a page was written back meanwhile: to be made dirty again", bio);
  unsigned long flags;
  spin_lock_irqsave(&dirty->bio_dirty_lock, flags);
  bio->bi_private = dirty->bio_dirty_list;
  dirty->bio_dirty_list = bio;
  spin_unlock_irqrestore(&dirty->bio_dirty_lock, flags);
  if (dirty->bio_dirty_work.magic != work_struct::kMagic) {
    INIT_WORK(&dirty->bio_dirty_work, bio_dirty_fn);
  }
  schedule_work(&dirty->bio_dirty_work);
}

// v4.19 block/bio.c: bio_split
bio* bio_split(bio* bio, unsigned sectors, gfp_t gfp, bio_set* bs) {
  FUNCTION(bio, sectors);
  if (sectors == 0 || sectors >= bio_sectors(bio)) {
    Report("kernel BUG at block/bio.c: bio_split",
           {absl::StrCat(sectors, " of ", bio_sectors(bio), " sectors")});
  }
  struct bio* split = bio_clone_fast(bio, gfp, bs);
  if (split == nullptr) return nullptr;
  split->bi_iter.bi_size = sectors << SECTOR_SHIFT;
  bio_advance(bio, split->bi_iter.bi_size);
  return split;
}

// v4.19 block/bio.c: bio_chain
void bio_chain(bio* bio, struct bio* parent) {
  FUNCTION(bio);
  bio->bi_private = parent;
  bio->bi_end_io = bio_chain_endio;
  bio_inc_remaining(parent);
}

// v4.19 block/bio.c: bio_endio
void bio_endio(bio* bio) {
  FUNCTION(bio, bio->bi_status);
  while (true) {
    CheckBio(bio);
    if (!bio_remaining_done(bio)) {
      STEP("chained bios are on their way", bio->__bi_remaining);
      return;
    }
    if (bio->bi_disk != nullptr) rq_qos_done_bio(bio->bi_disk->queue, bio);
    if (bio->bi_end_io != bio_chain_endio) break;
    // Not by recursion: chains may be long.
    bio = __bio_chain_endio(bio);
  }
  if (bio->bi_end_io != nullptr) bio->bi_end_io(bio);
}

// v4.19 block/bio.c: submit_bio_wait
int submit_bio_wait(bio* bio) {
  FUNCTION(bio);
  completion done;
  init_completion(&done);
  bio->bi_private = &done;
  bio->bi_end_io = submit_bio_wait_endio;
  bio->bi_opf |= REQ_SYNC;
  submit_bio(bio);
  wait_for_completion(&done);  // wait_for_completion_io
  return fn.Return(blk_status_to_errno(bio->bi_status));
}

}  // namespace kpath
