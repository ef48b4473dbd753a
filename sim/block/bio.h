// SPDX-License-Identifier: Apache-2.0
//
// Making, filling, splitting and ending bios. v4.19 include/linux/bio.h, block/bio.c
//
//   bio* bio = bio_alloc_bioset(GFP_KERNEL, nr_pages, &fs_bio_set());
//   bio_set_dev(bio, bdev);
//   bio->bi_iter.bi_sector = pos >> SECTOR_SHIFT;
//   bio->bi_opf = REQ_OP_READ;
//   bio->bi_end_io = my_end_io;                 // ends with bio_put(bio)
//   int error = bio_iov_iter_get_pages(bio, iter);
//   submit_bio(bio);                            // blk_core.h
//
// A user that wants an object of its own around each bio has a bio_set for it:
//
//   struct blkdev_dio { static constexpr const char* kSlabName = "bio-1"; ...; struct bio bio; };
//   bioset_init(&pool, 4, BioSetOf(&blkdev_dio::bio));
//   blkdev_dio* dio = container_of(bio, &blkdev_dio::bio);
//
// Contexts: bio_alloc_bioset with GFP_KERNEL may sleep; bio_endio, bio_put, bio_check_pages_dirty:
// any; bio_set_pages_dirty and what pins pages: process.
#pragma once

#include <algorithm>
#include <cstddef>

#include "sim/block/blk_types.h"
#include "sim/machine/check.h"
#include "sim/mm/mempool.h"
#include "sim/vfs/iov_iter.h"

namespace kpath {

// The object that a bio_set allocates, with a bio in it.
struct BioLayout {
  kmem_cache_base* cache = nullptr;
  bio* (*construct)(void* memory) = nullptr;  // makes the object, returns the bio in it
};

// v4.19 include/linux/bio.h: struct bio_set
struct bio_set {
  mempool_t bio_pool;
  mempool_t bvec_pool;  // of the largest size, for when memory is short
  BioLayout layout;
  bool ready = false;
};

// The layout of objects T that have their bio at `kMember`.
template <typename T, bio T::*kMember>
BioLayout BioSetOf() {
  return {.cache = &*kmalloc_cache<T>,
          .construct = [](void* memory) { return &(new (memory) T{}->*kMember); }};
}

// v4.19 block/bio.c: bioset_init. `pool_size` objects are kept in reserve, so that an allocation
// that may sleep never fails. 0, or -ENOMEM. Context: process.
int bioset_init(bio_set* bs, int pool_size, const BioLayout& layout);
// v4.19 block/bio.c: fs_bio_set. For everybody who needs a bio and nothing around it.
bio_set* fs_bio_set();

// v4.19 block/bio.c: bio_init. For a bio that is not from a bio_set. `table` has `max_vecs` entries
// and outlives the bio.
void bio_init(bio* bio, bio_vec* table, unsigned short max_vecs);
// v4.19 block/bio.c: bio_alloc_bioset. A bio with room for `nr_iovecs` entries, 0 to BIO_MAX_PAGES,
// and one reference. Null: no memory, only without GFP_KERNEL.
bio* bio_alloc_bioset(gfp_t gfp_mask, unsigned nr_iovecs, bio_set* bs);
inline bio* bio_alloc(gfp_t gfp_mask, unsigned nr_iovecs) {
  return bio_alloc_bioset(gfp_mask, nr_iovecs, fs_bio_set());
}
// One more reference; it counts from now on.
void bio_get(bio* bio);
// v4.19 block/bio.c: bio_put. Puts a reference; the last one frees the bio.
void bio_put(bio* bio);

// ---- Filling ----
inline bool bio_full(const bio* bio) { return bio->bi_vcnt >= bio->bi_max_vecs; }
// v4.19 block/bio.c: bio_iov_iter_get_pages. Pins user pages of the iter's segments and adds them,
// as many as there is room for; moves the iter. 0, or what get_user_pages_fast says: nothing could
// be added.
int bio_iov_iter_get_pages(bio* bio, iov_iter* iter);
// v4.19 block/bio.c: bio_add_page. Returns len, or 0 if there is no room.
int bio_add_page(bio* bio, kptr<page> page, unsigned len, unsigned offset);

// ---- Pages that were read into by the device ----
// v4.19 block/bio.c: bio_set_pages_dirty. Before the read, from process context.
void bio_set_pages_dirty(bio* bio);
// v4.19 block/bio.c: bio_check_pages_dirty. After the read, in any context: unpins the pages and
// puts the bio, by way of a work if somebody has cleaned one of them meanwhile.
void bio_check_pages_dirty(bio* bio);

// ---- Splitting ----
// v4.19 block/bio.c: bio_advance. `bytes` of the bio are done.
void bio_advance(bio* bio, unsigned bytes);
// v4.19 block/bio.c: bio_split. A new bio for the first `sectors` of the bio, which is left with
// the rest. It shares the pages. Null: no memory.
bio* bio_split(bio* bio, unsigned sectors, gfp_t gfp, bio_set* bs);
// v4.19 block/bio.c: bio_chain. `parent` does not end before `bio` has.
void bio_chain(bio* bio, struct bio* parent);

// ---- Ending ----
// v4.19 block/bio.c: bio_endio. Calls bi_end_io, unless chained bios are still on their way.
void bio_endio(bio* bio);
inline void bio_io_error(bio* bio) {
  bio->bi_status = BLK_STS_IOERR;
  bio_endio(bio);
}
inline void bio_wouldblock_error(bio* bio) {
  bio->bi_status = BLK_STS_AGAIN;
  bio_endio(bio);
}

// ---- Walking ----
// v4.19 include/linux/bvec.h: bvec_iter_bvec. What is left of the bio's current page.
inline bio_vec bio_iter_iovec(const bio* bio, const bvec_iter& iter) {
  bio_vec bv = bio->bi_io_vec[iter.bi_idx];
  bv.bv_offset += iter.bi_bvec_done;
  bv.bv_len = std::min(iter.bi_size, bv.bv_len - iter.bi_bvec_done);
  return bv;
}
// v4.19 include/linux/bio.h: bio_advance_iter. `bytes` are done: on to what follows.
inline void bio_advance_iter(const bio* bio, bvec_iter* iter, unsigned bytes) {
  iter->bi_sector += bytes >> SECTOR_SHIFT;
  KPATH_CHECK(bytes <= iter->bi_size, "a bio is advanced beyond its end");
  while (bytes != 0) {
    const unsigned step = std::min(bytes, bio_iter_iovec(bio, *iter).bv_len);
    bytes -= step;
    iter->bi_size -= step;
    iter->bi_bvec_done += step;
    if (iter->bi_bvec_done == bio->bi_io_vec[iter->bi_idx].bv_len) {
      iter->bi_bvec_done = 0;
      ++iter->bi_idx;
    }
  }
}
// Calls fn(const bio_vec&) for each piece that is not done; the sectors are iter's.
template <typename Fn>
void bio_for_each_segment(const bio* bio, Fn fn) {
  for (bvec_iter iter = bio->bi_iter; iter.bi_size != 0;) {
    const bio_vec bv = bio_iter_iovec(bio, iter);
    fn(bv);
    bio_advance_iter(bio, &iter, bv.bv_len);
  }
}

// ---- Lists of bios, linked by bi_next ----
struct bio_list {
  bio* head = nullptr;
  bio* tail = nullptr;
};
void bio_list_add(bio_list* list, bio* bio);
void bio_list_merge(bio_list* list, const bio_list& behind);
// Null: empty.
bio* bio_list_pop(bio_list* list);

// v4.19 block/bio.c: init_bio. Called once per machine by blk_init.
void init_bio();

}  // namespace kpath
