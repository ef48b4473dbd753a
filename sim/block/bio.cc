// SPDX-License-Identifier: Apache-2.0
//
// Making, filling and walking bios. v4.19 block/bio.c
#include "sim/block/bio.h"

#include "absl/container/fixed_array.h"
#include "absl/strings/str_cat.h"
#include "sim/block/bio_internal.h"
#include "sim/kernel/report.h"
#include "sim/machine/check.h"
#include "sim/mm/gup.h"

namespace kpath {
namespace {

// v4.19 include/linux/bio.h: BIO_POOL_SIZE
constexpr int BIO_POOL_SIZE = 2;

// A table of pages that is longer than a bio's own.
template <unsigned kEntries>
struct biovec {
  static constexpr const char* kSlabName = kEntries == 16    ? "biovec-16"
                                           : kEntries == 64  ? "biovec-64"
                                           : kEntries == 128 ? "biovec-128"
                                                             : "biovec-max";
  bio_vec entries[kEntries];
};

struct bio_object {
  static constexpr const char* kSlabName = "bio-0";
  struct bio bio;
};

// v4.19 block/bio.c: bvec_slabs, from the size up that is not in the bio itself.
struct biovec_slab {
  unsigned nr_vecs;
  kmem_cache_base* (*cache)();
  bio_vec* (*construct)(void* memory);
};

template <unsigned kEntries>
constexpr biovec_slab MakeBiovecSlab() {
  return {kEntries, []() -> kmem_cache_base* { return &*kmalloc_cache<biovec<kEntries>>; },
          [](void* memory) { return (new (memory) biovec<kEntries>{})->entries; }};
}

constexpr biovec_slab kBvecSlabs[] = {MakeBiovecSlab<16>(), MakeBiovecSlab<64>(),
                                      MakeBiovecSlab<128>(), MakeBiovecSlab<BIO_MAX_PAGES>()};
constexpr int BVEC_POOL_MAX = 3;

struct bio_globals {
  bio_set fs_bio_set;
};
KernelGlobal<bio_globals> bios;

SlabHeader* TableHeader(const bio_vec* table) { return HeaderOf(table); }

// v4.19 block/bio.c: bvec_alloc. A table for `nr` entries; its pool goes to *idx. Null: no memory.
bio_vec* bvec_alloc(gfp_t gfp_mask, unsigned nr, int* idx, mempool_t* pool) {
  FUNCTION(nr);
  *idx = 0;
  while (kBvecSlabs[*idx].nr_vecs < nr) ++*idx;
  const biovec_slab& slab = kBvecSlabs[*idx];
  if (*idx != BVEC_POOL_MAX) {
    // Without waiting: the largest tables are kept back for when there is no memory.
    SlabHeader* header = kmem_cache_alloc(*slab.cache(), GFP_ATOMIC);
    if (header != nullptr) return slab.construct(ObjectOf(header));
    if (gfp_mask != GFP_KERNEL) return nullptr;
    *idx = BVEC_POOL_MAX;
  }
  SlabHeader* header = mempool_alloc(pool, gfp_mask);
  if (header == nullptr) return nullptr;
  return kBvecSlabs[BVEC_POOL_MAX].construct(ObjectOf(header));
}

// v4.19 block/bio.c: bvec_free
void bvec_free(mempool_t* pool, bio_vec* table, int idx) {
  FUNCTION(idx);
  if (idx < 0) return;
  SlabHeader* header = TableHeader(table);
  if (idx == BVEC_POOL_MAX) {
    mempool_free(header, pool);
  } else {
    kmem_cache_free(header, header->generation);
  }
}

// v4.19 block/bio.c: bio_free
void bio_free(bio* bio) {
  FUNCTION(bio);
  bio_set* bs = bio->bi_pool;
  KPATH_CHECK(bs != nullptr, "a bio on the stack was put");
  bvec_free(&bs->bvec_pool, bio->bi_io_vec, bio->bvec_pool);
  SlabHeader* slab = bio->slab;
  bio->magic = 0;
  mempool_free(slab, &bs->bio_pool);
}

// v4.19 block/bio.c: __bio_iov_iter_get_pages. From the iter's first segment.
int __bio_iov_iter_get_pages(bio* bio, iov_iter* iter) {
  FUNCTION(bio, iov_iter_count(*iter));
  const unsigned room = bio->bi_max_vecs - bio->bi_vcnt;
  absl::FixedArray<kptr<page>, BIO_MAX_PAGES> pages(room);
  size_t offset = 0;
  const ssize_t size = iov_iter_get_pages(iter, pages.data(), SIZE_MAX, room, &offset);
  if (size <= 0) return fn.Return(size < 0 ? static_cast<int>(size) : -EFAULT);
  const auto bytes = static_cast<size_t>(size);
  const size_t nr_pages = (bytes + offset + PAGE_SIZE - 1) / PAGE_SIZE;
  bio_vec* bv = bio->bi_io_vec + bio->bi_vcnt;
  bio->bi_iter.bi_size += static_cast<unsigned>(bytes);
  bio->bi_vcnt = static_cast<uint16_t>(bio->bi_vcnt + nr_pages);
  for (size_t i = 0; i < nr_pages; ++i) bv[i] = {.bv_page = pages[i], .bv_len = PAGE_SIZE};
  bv[0].bv_offset += static_cast<unsigned>(offset);
  bv[0].bv_len -= static_cast<unsigned>(offset);
  bv[nr_pages - 1].bv_len -= static_cast<unsigned>(nr_pages * PAGE_SIZE - offset - bytes);
  STEP("pages pinned", nr_pages, bytes, offset);
  iov_iter_advance(iter, bytes);
  return fn.Return(0);
}

}  // namespace

void ReportBadBio(const bio* bio) {
  Report("BUG: a bio is used that is not initialised, or has been freed",
         {absl::StrCat("magic: 0x", absl::Hex(bio->magic))});
}

Value MakeValue(const bio* bio) {
  if (bio == nullptr) return Value::Address(0);
  return Value::Unsigned(bio->bi_iter.bi_sector);
}

int bioset_init(bio_set* bs, int pool_size, const BioLayout& layout) {
  FUNCTION(pool_size);
  bs->layout = layout;
  int error = mempool_init_slab_pool(&bs->bio_pool, pool_size, layout.cache);
  if (error == 0) {
    error = mempool_init_slab_pool(&bs->bvec_pool, pool_size, kBvecSlabs[BVEC_POOL_MAX].cache());
    if (error != 0) mempool_exit(&bs->bio_pool);
  }
  bs->ready = error == 0;
  return fn.Return(error);
}

bio_set* fs_bio_set() { return &bios->fs_bio_set; }

void init_bio() {
  FUNCTION();
  const int error =
      bioset_init(fs_bio_set(), BIO_POOL_SIZE, BioSetOf<bio_object, &bio_object::bio>());
  KPATH_CHECK(error == 0, "no memory at boot");
}

// v4.19 block/bio.c: bio_init
void bio_init(bio* bio, bio_vec* table, unsigned short max_vecs) {
  FUNCTION(max_vecs);
  *bio = {};
  bio->magic = bio::kMagic;
  bio->bi_max_vecs = max_vecs;
  bio->bi_io_vec = table;
}

// v4.19 block/bio.c: bio_alloc_bioset. Departs: Linux lets bios that wait inside of a
// make_request_fn go first when its pool is empty (bio_alloc_rescue); here only the pool's own
// waiters are.
bio* bio_alloc_bioset(gfp_t gfp_mask, unsigned nr_iovecs, bio_set* bs) {
  FUNCTION(nr_iovecs);
  KPATH_CHECK(nr_iovecs <= BIO_MAX_PAGES && bs->ready, nr_iovecs, " pages");
  SlabHeader* slab = mempool_alloc(&bs->bio_pool, gfp_mask);
  if (slab == nullptr) return nullptr;
  bio* bio = bs->layout.construct(ObjectOf(slab));
  bio_init(bio, nullptr, 0);
  int idx = -1;
  bio_vec* table = nr_iovecs == 0 ? nullptr : bio->bi_inline_vecs;
  if (nr_iovecs > BIO_INLINE_VECS) {
    table = bvec_alloc(gfp_mask, nr_iovecs, &idx, &bs->bvec_pool);
    if (table == nullptr) {
      mempool_free(slab, &bs->bio_pool);
      return nullptr;
    }
  }
  bio->bi_pool = bs;
  bio->bi_max_vecs = static_cast<uint16_t>(nr_iovecs);
  bio->bi_io_vec = table;
  bio->bvec_pool = idx;
  bio->slab = slab;
  return bio;
}

// v4.19 include/linux/bio.h: bio_get
void bio_get(bio* bio) {
  CheckBio(bio);
  bio_set_flag(bio, BIO_REFFED);
  ++bio->__bi_cnt;
}

// v4.19 block/bio.c: bio_put
void bio_put(bio* bio) {
  FUNCTION(bio);
  CheckBio(bio);
  if (!bio_flagged(bio, BIO_REFFED) || --bio->__bi_cnt == 0) bio_free(bio);
}

// v4.19 block/bio.c: bio_iov_iter_get_pages
int bio_iov_iter_get_pages(bio* bio, iov_iter* iter) {
  FUNCTION(bio, iov_iter_count(*iter));
  const uint16_t before = bio->bi_vcnt;
  do {
    const int ret = __bio_iov_iter_get_pages(bio, iter);
    if (ret != 0) return fn.Return(bio->bi_vcnt > before ? 0 : ret);
  } while (iov_iter_count(*iter) != 0 && !bio_full(bio));
  return fn.Return(0);
}

// v4.19 block/bio.c: bio_add_page. Departs: a page that goes on where the last one ends gets an
// entry of its own.
int bio_add_page(bio* bio, kptr<page> page, unsigned len, unsigned offset) {
  FUNCTION(bio, len, offset);
  if (bio_full(bio)) return fn.Return(0);
  bio->bi_io_vec[bio->bi_vcnt++] = {.bv_page = page, .bv_len = len, .bv_offset = offset};
  bio->bi_iter.bi_size += len;
  return fn.Return(static_cast<int>(len));
}

// v4.19 block/bio.c: bio_advance
void bio_advance(bio* bio, unsigned bytes) {
  FUNCTION(bio, bytes);
  if (bio->bi_io_vec == nullptr) {  // a flush has no data
    bio->bi_iter.bi_size -= bytes;
    return;
  }
  bio_advance_iter(bio, &bio->bi_iter, bytes);
}

void bio_list_add(bio_list* list, bio* bio) {
  bio->bi_next = nullptr;
  (list->tail != nullptr ? list->tail->bi_next : list->head) = bio;
  list->tail = bio;
}

void bio_list_merge(bio_list* list, const bio_list& behind) {
  if (behind.head == nullptr) return;
  (list->tail != nullptr ? list->tail->bi_next : list->head) = behind.head;
  list->tail = behind.tail;
}

bio* bio_list_pop(bio_list* list) {
  bio* first = list->head;
  if (first == nullptr) return nullptr;
  list->head = first->bi_next;
  if (list->head == nullptr) list->tail = nullptr;
  first->bi_next = nullptr;
  return first;
}

}  // namespace kpath
