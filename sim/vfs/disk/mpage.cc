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
  submit_bio(bio);
  return nullptr;
}

// v4.19 fs/mpage.c: mpage_alloc
bio* mpage_alloc(block_device* bdev, sector_t first_sector, unsigned nr_vecs) {
  bio* bio = bio_alloc(GFP_KERNEL, nr_vecs);
  bio_set_dev(bio, bdev);
  bio->bi_iter.bi_sector = first_sector;
  return bio;
}

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

// Finds the block of args->page. 0: at *block, or (*hole) there is none; or a negative errno.
int FindBlock(mpage_readpage_args* args, sector_t* block, bool* hole) {
  const kptr<inode> inode = args->page->mapping->host;
  const unsigned blkbits = inode->i_blkbits;
  const sector_t block_in_file = args->page->index;
  buffer_head& bh = args->map_bh;
  const sector_t first = args->first_logical_block;
  if (buffer_mapped(bh) && block_in_file > first &&
      block_in_file < first + (bh.b_size >> blkbits)) {
    *block = bh.b_blocknr + (block_in_file - first);
    *hole = false;
    return 0;
  }
  const auto size = static_cast<uint64_t>(i_size_read(inode));
  const sector_t end_of_file = (size + (1ul << blkbits) - 1) >> blkbits;
  const sector_t last = std::min<sector_t>(block_in_file + args->nr_pages, end_of_file);
  bh = {};
  int error = 0;
  if (block_in_file < last) {
    bh.b_size = (last - block_in_file) << blkbits;
    error = args->get_block(inode, block_in_file, &bh, 0);
    args->first_logical_block = block_in_file;
  }
  *hole = !buffer_mapped(bh);
  *block = bh.b_blocknr;
  return error;
}

unsigned ReadOp(const mpage_readpage_args& args) {
  return args.is_readahead ? REQ_OP_READ | REQ_RAHEAD : REQ_OP_READ;
}

// v4.19 fs/mpage.c: do_mpage_readpage. Adds the page to args->bio, or to a new one.
void do_mpage_readpage(mpage_readpage_args* args) {
  const kptr<page> page = args->page;
  FUNCTION(page, args->nr_pages);
  sector_t block = 0;
  bool hole = false;
  if (FindBlock(args, &block, &hole) != 0) {
    if (args->bio != nullptr) args->bio = mpage_bio_submit(ReadOp(*args), args->bio);
    SetPageError(page);  // block_read_full_page
    unlock_page(page);
    return;
  }
  if (hole) {
    STEP("a hole: nothing to read", page->index);
    zero_user_segment(page, 0, PAGE_SIZE);
    SetPageUptodate(page);
    unlock_page(page);
    return;
  }
  // Not behind the last one on the device: what there is goes first.
  if (args->bio != nullptr && args->last_block_in_bio != block - 1) {
    args->bio = mpage_bio_submit(ReadOp(*args), args->bio);
  }
  while (true) {
    if (args->bio == nullptr) {
      const unsigned shift = page->mapping->host->i_blkbits - SECTOR_SHIFT;
      args->bio =
          mpage_alloc(args->map_bh.b_bdev, block << shift, std::min(args->nr_pages, BIO_MAX_PAGES));
    }
    if (bio_add_page(args->bio, page, PAGE_SIZE, 0) != 0) break;
    args->bio = mpage_bio_submit(ReadOp(*args), args->bio);
  }
  if (buffer_boundary(args->map_bh)) {
    args->bio = mpage_bio_submit(ReadOp(*args), args->bio);
  } else {
    args->last_block_in_bio = block;
  }
}

// v4.19 fs/mpage.c: struct mpage_data
struct mpage_data {
  struct bio* bio = nullptr;
  sector_t last_block_in_bio = 0;
  get_block_t get_block = nullptr;
};

// v4.19 include/linux/writeback.h: wbc_to_write_flags
unsigned WriteOp(const writeback_control& wbc) {
  return wbc.sync_mode == WB_SYNC_ALL ? REQ_OP_WRITE | REQ_SYNC : REQ_OP_WRITE;
}

// The end of __block_write_full_page for a page whose block cannot be allocated: it is lost, and
// whoever waits for the file's pages is told.
int GiveUp(kptr<page> page, int error) {
  SetPageError(page);
  mapping_set_error(page->mapping, error);
  set_page_writeback(page);
  unlock_page(page);
  end_page_writeback(page);
  return error;
}

// The page's part behind the end of the file is not to be seen on the device. False: all of it is.
bool ZeroBehindTheEnd(kptr<page> page) {
  const auto size = static_cast<unsigned long>(i_size_read(page->mapping->host));
  if (page->index < size >> PAGE_SHIFT) return true;
  const unsigned long offset = offset_in_page(size);
  if (page->index > size >> PAGE_SHIFT || offset == 0) return false;
  zero_user_segment(page, static_cast<unsigned>(offset), PAGE_SIZE);
  return true;
}

// v4.19 fs/mpage.c: __mpage_writepage
int __mpage_writepage(kptr<page> page, writeback_control* wbc, void* data) {
  FUNCTION(page);
  auto* mpd = static_cast<mpage_data*>(data);
  const kptr<inode> inode = page->mapping->host;
  if (!ZeroBehindTheEnd(page)) {
    unlock_page(page);  // a truncation is about to take it away
    return fn.Return(0);
  }
  buffer_head bh;
  bh.b_size = size_t{1} << inode->i_blkbits;
  const int error = mpd->get_block(inode, page->index, &bh, 1);
  if (error != 0) {
    if (mpd->bio != nullptr) mpd->bio = mpage_bio_submit(WriteOp(*wbc), mpd->bio);
    return fn.Return(GiveUp(page, error));
  }
  if (mpd->bio != nullptr && mpd->last_block_in_bio != bh.b_blocknr - 1) {
    mpd->bio = mpage_bio_submit(WriteOp(*wbc), mpd->bio);
  }
  while (true) {
    if (mpd->bio == nullptr) {
      mpd->bio =
          mpage_alloc(bh.b_bdev, bh.b_blocknr << (inode->i_blkbits - SECTOR_SHIFT), BIO_MAX_PAGES);
    }
    if (bio_add_page(mpd->bio, page, PAGE_SIZE, 0) != 0) break;
    mpd->bio = mpage_bio_submit(WriteOp(*wbc), mpd->bio);
  }
  set_page_writeback(page);
  unlock_page(page);
  mpd->last_block_in_bio = bh.b_blocknr;
  return fn.Return(0);
}

}  // namespace

int mpage_readpage(kptr<page> page, get_block_t get_block) {
  FUNCTION(page);
  mpage_readpage_args args;
  args.page = page;
  args.nr_pages = 1;
  args.get_block = get_block;
  do_mpage_readpage(&args);
  if (args.bio != nullptr) mpage_bio_submit(ReadOp(args), args.bio);
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
  if (args.bio != nullptr) mpage_bio_submit(ReadOp(args), args.bio);
  return fn.Return(0);
}

int mpage_writepages(address_space* mapping, writeback_control* wbc, get_block_t get_block) {
  FUNCTION(mapping->host, wbc->range_start, wbc->range_end);
  blk_plug plug;
  blk_start_plug(&plug);
  mpage_data mpd;
  mpd.get_block = get_block;
  const int ret = write_cache_pages(mapping, wbc, __mpage_writepage, &mpd);
  if (mpd.bio != nullptr) mpage_bio_submit(WriteOp(*wbc), mpd.bio);
  blk_finish_plug(&plug);
  return fn.Return(ret);
}

}  // namespace kpath
