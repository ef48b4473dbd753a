// SPDX-License-Identifier: Apache-2.0
//
// From user pages and blocks to bios. v4.19 fs/direct-io.c
#include <algorithm>

#include "sim/block/blk_plug.h"
#include "sim/mm/gup.h"
#include "sim/vfs/disk/direct_io_internal.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// v4.19 include/asm-generic: ZERO_PAGE
struct zero_page_globals {
  kptr<page> zero_page;
};
KernelGlobal<zero_page_globals> zero;

// v4.19 fs/direct-io.c: dio_refill_pages. 0 or a negative errno.
int dio_refill_pages(kptr<dio> dio, dio_submit* sdio) {
  FUNCTION(iov_iter_count(*sdio->iter));
  ssize_t ret = iov_iter_get_pages(sdio->iter, dio->pages, SIZE_MAX / 2, DIO_PAGES, &sdio->from);
  if (ret < 0 && sdio->blocks_available != 0 && dio->op == REQ_OP_WRITE) {
    // Blocks have been allocated that nothing is in: they become zero, not what was there before.
    STEP("a user page is missing: zeroes in its place", sdio->block_in_file);
    if (dio->page_errors == 0) dio->page_errors = static_cast<int>(ret);
    get_page(zero->zero_page);
    dio->pages[0] = zero->zero_page;
    sdio->head = 0;
    sdio->tail = 1;
    sdio->from = 0;
    sdio->to = PAGE_SIZE;
    return fn.Return(0);
  }
  if (ret < 0) return fn.Return(static_cast<int>(ret));
  iov_iter_advance(sdio->iter, static_cast<size_t>(ret));
  ret += static_cast<ssize_t>(sdio->from);
  sdio->head = 0;
  sdio->tail = static_cast<unsigned>((static_cast<size_t>(ret) + PAGE_SIZE - 1) / PAGE_SIZE);
  sdio->to = ((static_cast<size_t>(ret) - 1) & (PAGE_SIZE - 1)) + 1;
  return fn.Return(0);
}

// v4.19 fs/direct-io.c: dio_get_page. 0: the next pinned page, whose reference is the caller's.
int dio_get_page(kptr<dio> dio, dio_submit* sdio, kptr<page>* page) {
  if (sdio->tail == sdio->head) {
    const int ret = dio_refill_pages(dio, sdio);
    if (ret != 0) return ret;
  }
  *page = dio->pages[sdio->head];
  return 0;
}

// v4.19 fs/direct-io.c: dio_new_bio. Departs: bios that have ended are not looked at meanwhile
// (dio_bio_reap, after every 64), only when the submitter waits.
void dio_new_bio(kptr<dio> dio, dio_submit* sdio, sector_t start_sector,
                 const buffer_head& map_bh) {
  FUNCTION(start_sector);
  const auto nr_pages =
      std::min<unsigned>(static_cast<unsigned>(std::max(sdio->pages_in_io, 1)), BIO_MAX_PAGES);
  // v4.19 fs/direct-io.c: dio_bio_alloc
  bio* bio = bio_alloc(GFP_KERNEL, nr_pages);
  bio_set_dev(bio, map_bh.b_bdev);
  bio->bi_iter.bi_sector = start_sector << (sdio->blkbits - SECTOR_SHIFT);
  bio->bi_opf = static_cast<unsigned>(dio->op) | dio->op_flags;
  bio->bi_end_io = dio->is_async ? dio_bio_end_aio : dio_bio_end_io;
  bio->bi_write_hint = dio->iocb->ki_hint;
  sdio->bio = bio;
  sdio->logical_offset_in_bio = sdio->cur_page_fs_offset;
  sdio->boundary = false;
}

// v4.19 fs/direct-io.c: dio_bio_add_page. False: the bio is full.
bool dio_bio_add_page(dio_submit* sdio) {
  const int ret =
      bio_add_page(sdio->bio, sdio->cur_page, sdio->cur_page_len, sdio->cur_page_offset);
  if (ret == 0) return false;
  // A page that ends here will not be needed again.
  if (sdio->cur_page_len + sdio->cur_page_offset == PAGE_SIZE) --sdio->pages_in_io;
  get_page(sdio->cur_page);
  sdio->final_block_in_bio = sdio->cur_page_block + (sdio->cur_page_len >> sdio->blkbits);
  return true;
}

void PutCurPage(dio_submit* sdio) {
  put_page(sdio->cur_page);
  sdio->cur_page = nullptr;
}

// v4.19 fs/direct-io.c: submit_page_section. `len` bytes of a page go to or come from `blocknr`.
int submit_page_section(kptr<dio> dio, dio_submit* sdio, kptr<page> page, unsigned offset,
                        unsigned len, sector_t blocknr, const buffer_head& map_bh) {
  FUNCTION(page, offset, len, blocknr);
  int ret = 0;
  const bool grows = sdio->cur_page == page && sdio->cur_page &&
                     sdio->cur_page_offset + sdio->cur_page_len == offset &&
                     sdio->cur_page_block + (sdio->cur_page_len >> sdio->blkbits) == blocknr;
  if (grows) {
    sdio->cur_page_len += len;
  } else {
    if (sdio->cur_page) {
      ret = dio_send_cur_page(dio, sdio, map_bh);
      PutCurPage(sdio);
      if (ret != 0) return fn.Return(ret);
    }
    get_page(page);
    sdio->cur_page = page;
    sdio->cur_page_offset = offset;
    sdio->cur_page_len = len;
    sdio->cur_page_block = blocknr;
    sdio->cur_page_fs_offset = static_cast<loff_t>(sdio->block_in_file << sdio->blkbits);
  }
  if (sdio->boundary) {
    ret = dio_send_cur_page(dio, sdio, map_bh);
    if (sdio->bio != nullptr) dio_bio_submit(dio, sdio);
    PutCurPage(sdio);
  }
  return fn.Return(ret);
}

// v4.19 fs/direct-io.c: dio_set_defer_completion. 0 or -ENOMEM.
int dio_set_defer_completion(kptr<dio> dio) {
  if (dio->defer_completion) return 0;
  dio->defer_completion = true;
  return dio->inode->i_sb->s_dio_done_wq ? 0 : sb_init_dio_done_wq(dio->inode->i_sb);
}

// v4.19 fs/direct-io.c: get_more_blocks. Asks the file system where the next blocks are. Departs:
// of new ones, nothing is looked for in the device's own page cache (clean_bdev_aliases).
int get_more_blocks(kptr<dio> dio, dio_submit* sdio, buffer_head* map_bh) {
  FUNCTION(sdio->block_in_file);
  const unsigned i_blkbits = sdio->blkbits + sdio->blkfactor;
  // A fault on the way: it is told by dio_complete.
  if (dio->page_errors != 0) return fn.Return(dio->page_errors);
  const sector_t fs_startblk = sdio->block_in_file >> sdio->blkfactor;
  const sector_t fs_endblk = (sdio->final_block_in_request - 1) >> sdio->blkfactor;
  map_bh->b_state = 0;  // b_bdev stays, for a page that was held back before a hole
  map_bh->b_size = (fs_endblk - fs_startblk + 1) << i_blkbits;
  int create = dio->op == REQ_OP_WRITE ? 1 : 0;
  if ((dio->flags & DIO_SKIP_HOLES) != 0) {
    const auto i_size = static_cast<uint64_t>(i_size_read(dio->inode));
    if (i_size != 0 && fs_startblk <= (i_size - 1) >> i_blkbits) create = 0;
  }
  int ret = sdio->get_block(dio->inode, fs_startblk, map_bh, create);
  if (ret == 0 && (map_bh->b_state & BH_Defer_Completion) != 0) ret = dio_set_defer_completion(dio);
  return fn.Return(ret);
}

// get_more_blocks, and where in what it says the request goes on. 0 or a negative errno; a hole is
// a map_bh that is not mapped.
int FindBlocks(kptr<dio> dio, dio_submit* sdio, buffer_head* map_bh) {
  const int ret = get_more_blocks(dio, sdio, map_bh);
  if (ret != 0 || !buffer_mapped(*map_bh)) return ret;
  sdio->blocks_available = static_cast<unsigned>(map_bh->b_size >> sdio->blkbits);
  sdio->next_block_for_io = map_bh->b_blocknr << sdio->blkfactor;
  if (sdio->blkfactor == 0) return 0;
  // The request begins inside of a block; of a new one, what is before is zeroed first.
  const sector_t remainder = sdio->block_in_file & ((1u << sdio->blkfactor) - 1);
  if (!buffer_new(*map_bh)) sdio->next_block_for_io += remainder;
  sdio->blocks_available -= static_cast<unsigned>(remainder);
  return 0;
}

// What of [from, to) of a page do_direct_IO can do at once. Ends: where it is to leave its loop.
enum class Step : uint8_t { kGoOn, kEndOfFile };

// A block that is not there. -ENOTBLK for writes.
int FillFromHole(kptr<dio> dio, dio_submit* sdio, kptr<page> page, unsigned* from, Step* step) {
  if (dio->op == REQ_OP_WRITE) return -ENOTBLK;
  const unsigned block = 1u << sdio->blkbits;
  const auto i_size = static_cast<uint64_t>(i_size_read(dio->inode));
  if (sdio->block_in_file >= (i_size + block - 1) >> sdio->blkbits) {
    *step = Step::kEndOfFile;
    return 0;
  }
  zero_user_segment(page, *from, *from + block);
  ++sdio->block_in_file;
  *from += block;
  dio->result += block;
  return 0;
}

// A piece of a page that lies in one piece on the device.
int AddPiece(kptr<dio> dio, dio_submit* sdio, kptr<page> page, unsigned* from, unsigned to,
             const buffer_head& map_bh) {
  if (sdio->blkfactor != 0 && !sdio->start_zero_done) dio_zero_block(dio, sdio, false, map_bh);
  const sector_t left = sdio->final_block_in_request - sdio->block_in_file;
  const auto blocks = static_cast<unsigned>(
      std::min<sector_t>({sdio->blocks_available, sector_t{(to - *from) >> sdio->blkbits}, left}));
  const unsigned bytes = blocks << sdio->blkbits;
  if (blocks == sdio->blocks_available) sdio->boundary = buffer_boundary(map_bh);
  const int ret =
      submit_page_section(dio, sdio, page, *from, bytes, sdio->next_block_for_io, map_bh);
  if (ret != 0) return ret;
  sdio->next_block_for_io += blocks;
  sdio->block_in_file += blocks;
  *from += bytes;
  dio->result += bytes;
  sdio->blocks_available -= blocks;
  return 0;
}

// The inner loop of do_direct_IO: [from, to) of one page.
int DoPage(kptr<dio> dio, dio_submit* sdio, buffer_head* map_bh, kptr<page> page, unsigned from,
           unsigned to, Step* step) {
  while (from < to) {
    int ret = 0;
    if (sdio->blocks_available == 0) ret = FindBlocks(dio, sdio, map_bh);
    if (ret == 0) {
      ret = buffer_mapped(*map_bh) ? AddPiece(dio, sdio, page, &from, to, *map_bh)
                                   : FillFromHole(dio, sdio, page, &from, step);
    }
    if (ret != 0 || *step == Step::kEndOfFile) return ret;
    if (sdio->block_in_file == sdio->final_block_in_request) return 0;
  }
  return 0;
}

}  // namespace

void dio_init() {
  FUNCTION();
  zero->zero_page = alloc_page(GFP_KERNEL);
}

void dio_cleanup(kptr<dio> dio, dio_submit* sdio) {
  while (sdio->head < sdio->tail) put_page(dio->pages[sdio->head++]);
}

int dio_send_cur_page(kptr<dio> dio, dio_submit* sdio, const buffer_head& map_bh) {
  FUNCTION(sdio->cur_page_block, sdio->cur_page_len);
  if (sdio->bio != nullptr) {
    const loff_t bio_next_offset = sdio->logical_offset_in_bio + sdio->bio->bi_iter.bi_size;
    // Neighbours on the device and in the file, or a bio of its own.
    if (sdio->final_block_in_bio != sdio->cur_page_block ||
        sdio->cur_page_fs_offset != bio_next_offset) {
      dio_bio_submit(dio, sdio);
    }
  }
  if (sdio->bio == nullptr) dio_new_bio(dio, sdio, sdio->cur_page_block, map_bh);
  if (!dio_bio_add_page(sdio)) {
    dio_bio_submit(dio, sdio);
    dio_new_bio(dio, sdio, sdio->cur_page_block, map_bh);
    dio_bio_add_page(sdio);
  }
  return fn.Return(0);
}

void dio_zero_block(kptr<dio> dio, dio_submit* sdio, bool end, const buffer_head& map_bh) {
  sdio->start_zero_done = true;
  if (sdio->blkfactor == 0 || !buffer_new(map_bh)) return;
  const unsigned per_fs_block = 1u << sdio->blkfactor;
  auto blocks = static_cast<unsigned>(sdio->block_in_file & (per_fs_block - 1));
  if (blocks == 0) return;
  FUNCTION(sdio->block_in_file, end);
  if (end) blocks = per_fs_block - blocks;
  const int error = submit_page_section(dio, sdio, zero->zero_page, 0, blocks << sdio->blkbits,
                                        sdio->next_block_for_io, map_bh);
  if (error == 0) sdio->next_block_for_io += blocks;
}

int do_direct_IO(kptr<dio> dio, dio_submit* sdio, buffer_head* map_bh) {
  FUNCTION(sdio->block_in_file, sdio->final_block_in_request);
  while (sdio->block_in_file < sdio->final_block_in_request) {
    kptr<page> page;
    int ret = dio_get_page(dio, sdio, &page);
    if (ret != 0) return fn.Return(ret);
    const auto from = static_cast<unsigned>(sdio->head != 0 ? 0 : sdio->from);
    const auto to = static_cast<unsigned>(sdio->head == sdio->tail - 1 ? sdio->to : PAGE_SIZE);
    ++sdio->head;
    Step step = Step::kGoOn;
    ret = DoPage(dio, sdio, map_bh, page, from, to, &step);
    put_page(page);
    if (ret != 0 || step == Step::kEndOfFile) return fn.Return(ret);
  }
  return fn.Return(0);
}

}  // namespace kpath
