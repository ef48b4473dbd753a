// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/disk/mpage.h"

#include <algorithm>

#include "sim/block/blk_plug.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// v4.19 fs/mpage.c: mpage_end_io
void mpage_end_io(bio* bio) {
  FUNCTION(bio, bio->bi_status);
  const bool is_write = bio_is_write(bio);
  const int err = blk_status_to_errno(bio->bi_status);
  for (unsigned i = 0; i < bio->bi_vcnt; ++i) page_endio(bio->bi_io_vec[i].bv_page, is_write, err);
  bio_put(bio);
}

// v4.19 fs/mpage.c: mpage_bio_submit
bio* mpage_bio_submit(unsigned op, bio* bio) {
  FUNCTION(bio, op);
  bio->bi_end_io = mpage_end_io;
  bio->bi_opf = op;
  guard_bio_eod(bio);
  submit_bio(bio);
  return nullptr;
}

// For devices that take a page without a bio (rw_page): zram and its like. No disk here does.
// v4.19 fs/block_dev.c: bdev_read_page
int bdev_read_page(sector_t sector, kptr<page> page) {
  FUNCTION(sector, page);
  return fn.Return(-EOPNOTSUPP);
}

// v4.19 fs/block_dev.c: bdev_write_page
int bdev_write_page(sector_t sector, kptr<page> page) {
  FUNCTION(sector, page);
  return fn.Return(-EOPNOTSUPP);
}

// v4.19 fs/mpage.c: mpage_alloc
bio* mpage_alloc(block_device* bdev, sector_t first_sector, unsigned nr_vecs) {
  FUNCTION(first_sector, nr_vecs);
  bio* bio = bio_alloc(GFP_KERNEL, nr_vecs);
  bio_set_dev(bio, bdev);
  bio->bi_iter.bi_sector = first_sector;
  return bio;
}

// Where a page's blocks are on the device: one behind the other, from its first one on.
struct PlaceOfPage {
  block_device* bdev = nullptr;
  sector_t first = 0;
  unsigned blocks = 0;  // of the page that are there; the others are a hole
  bool boundary = false;
};

// v4.19 fs/mpage.c: struct mpage_readpage_args
struct mpage_readpage_args {
  struct bio* bio = nullptr;  // that pages are being added to
  kptr<struct page> page;
  unsigned nr_pages = 0;  // from this one on
  bool is_readahead = false;
  sector_t last_block_in_bio = 0;
  buffer_head map_bh;                // what get_block said last
  sector_t first_logical_block = 0;  // and of which block
  get_block_t get_block = nullptr;
};

// Where block `block_in_file` is: by what get_block said last, or by asking it. 0 or a negative
// errno; *place: not mapped is a hole.
int FindBlock(mpage_readpage_args* args, sector_t block_in_file, sector_t last_block, bool* mapped,
              sector_t* place) {
  const kptr<inode> inode = args->page->mapping->host;
  const unsigned blkbits = inode->i_blkbits;
  buffer_head& bh = args->map_bh;
  const sector_t first = args->first_logical_block;
  const bool known =
      buffer_mapped(bh) && block_in_file >= first && block_in_file < first + (bh.b_size >> blkbits);
  if (!known) {
    bh = {};
    if (block_in_file < last_block) {
      bh.b_size = (last_block - block_in_file) << blkbits;
      const int error = args->get_block(inode, block_in_file, &bh, 0);
      if (error != 0) return error;
      args->first_logical_block = block_in_file;
    }
  }
  *mapped = buffer_mapped(bh);
  *place = bh.b_blocknr + (block_in_file - args->first_logical_block);
  return 0;
}

// The first half of do_mpage_readpage: finds the page's blocks. False: they are not one run with at
// most a hole behind it (there: confused).
bool FindPage(mpage_readpage_args* args, PlaceOfPage* place) {
  const kptr<page> page = args->page;
  if (page_has_buffers(page)) return false;
  const kptr<inode> inode = page->mapping->host;
  const unsigned blkbits = inode->i_blkbits;
  const unsigned blocks_per_page = PAGE_SIZE >> blkbits;
  const sector_t block_in_file = page->index << (PAGE_SHIFT - blkbits);
  const sector_t last_block_in_file =
      (static_cast<uint64_t>(i_size_read(inode)) + (1u << blkbits) - 1) >> blkbits;
  const sector_t last_block = std::min<sector_t>(
      block_in_file + sector_t{args->nr_pages} * blocks_per_page, last_block_in_file);
  bool hole = false;
  for (unsigned i = 0; i < blocks_per_page; ++i) {
    bool mapped = false;
    sector_t at = 0;
    if (FindBlock(args, block_in_file + i, last_block, &mapped, &at) != 0) return false;
    if (!mapped) {
      hole = true;
      continue;
    }
    if (hole || (i != 0 && at != place->first + i)) return false;
    if (i == 0) place->first = at;
    place->blocks = i + 1;
    place->bdev = args->map_bh.b_bdev;
  }
  const buffer_head& bh = args->map_bh;
  place->boundary = buffer_boundary(bh) && block_in_file + blocks_per_page ==
                                               args->first_logical_block + (bh.b_size >> blkbits);
  return true;
}

unsigned ReadOp(const mpage_readpage_args& args) {
  return args.is_readahead ? REQ_OP_READ | REQ_RAHEAD : REQ_OP_READ;
}

void SubmitRead(mpage_readpage_args* args) {
  if (args->bio != nullptr) args->bio = mpage_bio_submit(ReadOp(*args), args->bio);
}

// The second half of do_mpage_readpage: adds the page to args->bio, or to a new one.
void AddToBio(mpage_readpage_args* args, const PlaceOfPage& place) {
  const kptr<page> page = args->page;
  const unsigned blkbits = page->mapping->host->i_blkbits;
  const unsigned blocks_per_page = PAGE_SIZE >> blkbits;
  const unsigned length = place.blocks << blkbits;
  if (place.blocks < blocks_per_page) {
    zero_user_segment(page, length, PAGE_SIZE);
    if (place.blocks == 0) {
      STEP("a hole: nothing to read", page->index);
      SetPageUptodate(page);
      unlock_page(page);
      return;
    }
  }
  // Not behind the last one on the device: what there is goes first.
  if (args->bio != nullptr && args->last_block_in_bio != place.first - 1) SubmitRead(args);
  while (true) {
    if (args->bio == nullptr) {
      const sector_t sector = place.first << (blkbits - SECTOR_SHIFT);
      if (place.blocks == blocks_per_page && bdev_read_page(sector, page) == 0) return;
      args->bio = mpage_alloc(place.bdev, sector, std::min(args->nr_pages, BIO_MAX_PAGES));
    }
    if (bio_add_page(args->bio, page, length, 0) != 0) break;
    SubmitRead(args);
  }
  if (place.boundary || place.blocks < blocks_per_page) {
    SubmitRead(args);
  } else {
    args->last_block_in_bio = place.first + blocks_per_page - 1;
  }
}

// v4.19 fs/mpage.c: do_mpage_readpage
void do_mpage_readpage(mpage_readpage_args* args) {
  const kptr<page> page = args->page;
  FUNCTION(page, args->nr_pages);
  PlaceOfPage place;
  if (FindPage(args, &place)) {
    AddToBio(args, place);
    return;
  }
  STEP("block by block", page->index);
  SubmitRead(args);
  if (PageUptodate(page)) {
    unlock_page(page);
  } else {
    block_read_full_page(page, args->get_block);
  }
}

// v4.19 fs/mpage.c: struct mpage_data
struct mpage_data {
  struct bio* bio = nullptr;
  sector_t last_block_in_bio = 0;
  get_block_t get_block = nullptr;
};

void SubmitWrite(mpage_data* mpd, const writeback_control& wbc) {
  if (mpd->bio == nullptr) return;
  mpd->bio = mpage_bio_submit(REQ_OP_WRITE | wbc_to_write_flags(wbc), mpd->bio);
}

// The page's place, by its buffers. False: confused, not all of them are dirty and in one run.
bool FindByBuffers(kptr<page> page, PlaceOfPage* place) {
  bool fits = true;
  bool hole = false;
  ForEachBuffer(page, [&](kptr<buffer_head> bh) {
    if (!buffer_mapped(*bh)) {
      hole = true;
      if (buffer_dirty(*bh)) fits = false;
      return;
    }
    if (hole || !buffer_dirty(*bh) || !buffer_uptodate(*bh)) fits = false;
    if (place->blocks == 0) place->first = bh->b_blocknr;
    if (bh->b_blocknr != place->first + place->blocks) fits = false;
    ++place->blocks;
    place->boundary = buffer_boundary(*bh);
    place->bdev = bh->b_bdev;
  });
  return fits && place->blocks != 0;
}

// The place of a page without buffers, by get_block, which allocates it. False: confused.
bool FindByGetBlock(kptr<page> page, get_block_t get_block, PlaceOfPage* place) {
  const kptr<inode> inode = page->mapping->host;
  const unsigned blkbits = inode->i_blkbits;
  const sector_t block_in_file = page->index << (PAGE_SHIFT - blkbits);
  const sector_t last_block = static_cast<uint64_t>(i_size_read(inode) - 1) >> blkbits;
  for (unsigned i = 0; i < PAGE_SIZE >> blkbits && block_in_file + i <= last_block; ++i) {
    buffer_head bh;
    bh.b_size = size_t{1} << blkbits;
    if (get_block(inode, block_in_file + i, &bh, 1) != 0) return false;
    if (buffer_new(bh)) clean_bdev_bh_alias(bh);
    if (i == 0) place->first = bh.b_blocknr;
    if (bh.b_blocknr != place->first + i) return false;
    ++place->blocks;
    place->boundary = buffer_boundary(bh);
    place->bdev = bh.b_bdev;
  }
  return place->blocks != 0;
}

// The page's part behind the end of the file is not to be seen on the device. False: all of it is
// behind the end.
bool ZeroBehindTheEnd(kptr<page> page) {
  const auto size = static_cast<unsigned long>(i_size_read(page->mapping->host));
  if (page->index < size >> PAGE_SHIFT) return true;
  const unsigned long offset = offset_in_page(size);
  if (page->index > size >> PAGE_SHIFT || offset == 0) return false;
  zero_user_segment(page, static_cast<unsigned>(offset), PAGE_SIZE);
  return true;
}

// v4.19 fs/mpage.c: clean_buffers
void clean_buffers(kptr<page> page, unsigned first_unmapped) {
  if (!page_has_buffers(page)) return;
  FUNCTION(page, first_unmapped);
  unsigned counter = 0;
  ForEachBuffer(page, [&](kptr<buffer_head> bh) {
    if (counter++ < first_unmapped) clear_buffer(bh, BH_Dirty);
  });
}

// The end of __mpage_writepage: adds the page to mpd->bio, or to a new one.
void AddToBio(mpage_data* mpd, const writeback_control& wbc, kptr<page> page,
              const PlaceOfPage& place) {
  const unsigned blkbits = page->mapping->host->i_blkbits;
  const unsigned blocks_per_page = PAGE_SIZE >> blkbits;
  if (mpd->bio != nullptr && mpd->last_block_in_bio != place.first - 1) SubmitWrite(mpd, wbc);
  while (true) {
    if (mpd->bio == nullptr) {
      const sector_t sector = place.first << (blkbits - SECTOR_SHIFT);
      if (place.blocks == blocks_per_page && bdev_write_page(sector, page) == 0) return;
      mpd->bio = mpage_alloc(place.bdev, sector, BIO_MAX_PAGES);
    }
    if (bio_add_page(mpd->bio, page, place.blocks << blkbits, 0) != 0) break;
    SubmitWrite(mpd, wbc);
  }
  clean_buffers(page, place.blocks);
  set_page_writeback(page);
  unlock_page(page);
  if (place.boundary || place.blocks < blocks_per_page) {
    SubmitWrite(mpd, wbc);
  } else {
    mpd->last_block_in_bio = place.first + blocks_per_page - 1;
  }
}

// v4.19 fs/mpage.c: __mpage_writepage
int __mpage_writepage(kptr<page> page, writeback_control* wbc, void* data) {
  FUNCTION(page);
  auto* mpd = static_cast<mpage_data*>(data);
  address_space* mapping = page->mapping;
  PlaceOfPage place;
  const bool found = page_has_buffers(page) ? FindByBuffers(page, &place)
                                            : FindByGetBlock(page, mpd->get_block, &place);
  if (found && ZeroBehindTheEnd(page)) {
    AddToBio(mpd, *wbc, page, place);
    return fn.Return(0);
  }
  STEP("block by block", page->index);
  SubmitWrite(mpd, *wbc);
  const int ret = mapping->a_ops->writepage(page, wbc);
  mapping_set_error(mapping, ret);
  return fn.Return(ret);
}

}  // namespace

int mpage_readpage(kptr<page> page, get_block_t get_block) {
  FUNCTION(page);
  mpage_readpage_args args;
  args.page = page;
  args.nr_pages = 1;
  args.get_block = get_block;
  do_mpage_readpage(&args);
  SubmitRead(&args);
  return fn.Return(0);
}

int mpage_readpages(address_space* mapping, const std::vector<kptr<page>>& pages,
                    get_block_t get_block) {
  FUNCTION(mapping->host, pages.size());
  mpage_readpage_args args;
  args.is_readahead = true;
  args.get_block = get_block;
  for (size_t i = 0; i < pages.size(); ++i) {
    const kptr<page> page = pages[i];
    if (add_to_page_cache_lru(page, mapping, page->index, GFP_KERNEL) == 0) {
      args.page = page;
      args.nr_pages = static_cast<unsigned>(pages.size() - i);
      do_mpage_readpage(&args);
    }
    put_page(page);
  }
  SubmitRead(&args);
  return fn.Return(0);
}

int mpage_writepages(address_space* mapping, writeback_control* wbc, get_block_t get_block) {
  FUNCTION(mapping->host, wbc->range_start, wbc->range_end);
  blk_plug plug;
  blk_start_plug(&plug);
  mpage_data mpd;
  mpd.get_block = get_block;
  const int ret = write_cache_pages(mapping, wbc, __mpage_writepage, &mpd);
  SubmitWrite(&mpd, *wbc);
  blk_finish_plug(&plug);
  return fn.Return(ret);
}

}  // namespace kpath
