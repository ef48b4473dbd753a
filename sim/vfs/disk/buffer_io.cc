// SPDX-License-Identifier: Apache-2.0
//
// Pages of files to and from the device, block by block. v4.19 fs/buffer.c
#include <array>

#include "sim/block/bio.h"
#include "sim/machine/check.h"
#include "sim/mm/truncate.h"
#include "sim/vfs/disk/buffer_head.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

constexpr unsigned kMaxBlocksPerPage = PAGE_SIZE >> SECTOR_SHIFT;

// v4.19 include/linux/bit_spinlock.h: bit_spin_lock, bit_spin_unlock
void bit_spin_lock(unsigned bit, unsigned* word) {
  preempt_disable();
  while ((*word & bit) != 0) KPATH_CHECK(current->machine->Relax(), "nobody releases the bit");
  *word |= bit;
}
void bit_spin_unlock(unsigned bit, unsigned* word) {
  *word &= ~bit;
  preempt_enable();
}

// The end of I/O of a buffer that is one of several of a page: clears `bit` and unlocks it. True:
// it was the last one on its way. *all_uptodate: so are all of them.
bool IsLastToEnd(kptr<buffer_head> bh, unsigned bit, bool* all_uptodate) {
  const kptr<buffer_head> first = page_buffers(bh->b_page);
  const unsigned long flags = local_irq_save();
  bit_spin_lock(BH_Uptodate_Lock, &first->b_state);
  clear_buffer(bh, bit);
  unlock_buffer(bh);
  bool busy = false;
  *all_uptodate = true;
  ForEachBuffer(bh->b_page, [&](kptr<buffer_head> each) {
    if ((each->b_state & bit) != 0) busy = true;
    if (!buffer_uptodate(*each)) *all_uptodate = false;
  });
  bit_spin_unlock(BH_Uptodate_Lock, &first->b_state);
  local_irq_restore(flags);
  return !busy;
}

// v4.19 fs/buffer.c: end_buffer_async_read
void end_buffer_async_read(kptr<buffer_head> bh, bool uptodate) {
  FUNCTION(bh, uptodate);
  const kptr<page> page = bh->b_page;
  if (uptodate) {
    set_buffer(bh, BH_Uptodate);
  } else {
    clear_buffer(bh, BH_Uptodate);
    STEP("Buffer I/O error, async page read", bh->b_blocknr);  // buffer_io_error
    SetPageError(page);
  }
  bool all_uptodate;
  if (!IsLastToEnd(bh, BH_Async_Read, &all_uptodate)) return;
  if (all_uptodate && !PageError(page)) SetPageUptodate(page);
  unlock_page(page);
}

// v4.19 fs/buffer.c: mark_buffer_write_io_error
void mark_buffer_write_io_error(kptr<buffer_head> bh) {
  FUNCTION(bh);
  set_buffer(bh, BH_Write_EIO);
  if (bh->b_page->mapping != nullptr) mapping_set_error(bh->b_page->mapping, -EIO);
}

// v4.19 fs/buffer.c: end_buffer_async_write
void end_buffer_async_write(kptr<buffer_head> bh, bool uptodate) {
  FUNCTION(bh, uptodate);
  const kptr<page> page = bh->b_page;
  if (uptodate) {
    set_buffer(bh, BH_Uptodate);
  } else {
    STEP("Buffer I/O error, lost async page write", bh->b_blocknr);
    mark_buffer_write_io_error(bh);
    clear_buffer(bh, BH_Uptodate);
    SetPageError(page);
  }
  bool all_uptodate;
  if (IsLastToEnd(bh, BH_Async_Write, &all_uptodate)) end_page_writeback(page);
}

// v4.19 fs/buffer.c: end_buffer_read_sync, __end_buffer_read_notouch
void end_buffer_read_sync(kptr<buffer_head> bh, bool uptodate) {
  FUNCTION(bh, uptodate);
  if (uptodate) {
    set_buffer(bh, BH_Uptodate);
  } else {
    clear_buffer(bh, BH_Uptodate);
  }
  unlock_buffer(bh);
  --bh->b_count;
}

// v4.19 fs/buffer.c: end_bio_bh_io_sync
void end_bio_bh_io_sync(bio* bio) {
  FUNCTION(bio, bio->bi_status);
  const kptr<buffer_head> bh(static_cast<buffer_head*>(bio->bi_private));
  bh->b_end_io(bh, bio->bi_status == BLK_STS_OK);
  bio_put(bio);
}

// v4.19 fs/buffer.c: submit_bh_wbc
void submit_bh_wbc(unsigned op, unsigned op_flags, kptr<buffer_head> bh) {
  FUNCTION(op, op_flags, bh);
  KPATH_CHECK(buffer_locked(*bh) && buffer_mapped(*bh) && bh->b_end_io != nullptr, "submit_bh");
  if (op == REQ_OP_WRITE && (bh->b_state & BH_Req) != 0) clear_buffer(bh, BH_Write_EIO);
  set_buffer(bh, BH_Req);
  bio* bio = bio_alloc(GFP_KERNEL, 1);
  bio->bi_iter.bi_sector = bh->b_blocknr * (bh->b_size >> SECTOR_SHIFT);
  bio_set_dev(bio, bh->b_bdev);
  bio_add_page(bio, bh->b_page, static_cast<unsigned>(bh->b_size), bh->b_data);
  bio->bi_end_io = end_bio_bh_io_sync;
  bio->bi_private = bh.get();
  guard_bio_eod(bio);
  bio->bi_opf = op | op_flags;
  submit_bio(bio);
}

sector_t FirstBlock(kptr<page> page, unsigned blkbits) {
  return page->index << (PAGE_SHIFT - blkbits);
}

// The first loop of block_read_full_page: finds out what has to be read. Returns how many.
unsigned FindBlocksToRead(kptr<page> page, get_block_t get_block,
                          std::array<kptr<buffer_head>, kMaxBlocksPerPage>* arr) {
  const kptr<inode> inode = page->mapping->host;
  const unsigned bbits = inode->i_blkbits;
  sector_t iblock = FirstBlock(page, bbits);
  const sector_t lblock = (static_cast<uint64_t>(i_size_read(inode)) + (1u << bbits) - 1) >> bbits;
  unsigned nr = 0;
  ForEachBuffer(page, [&](kptr<buffer_head> bh) {
    const sector_t block = iblock++;
    if (buffer_uptodate(*bh)) return;
    if (!buffer_mapped(*bh)) {
      int err = 0;
      if (block < lblock) err = get_block(inode, block, &*bh, 0);
      if (err != 0) SetPageError(page);
      if (!buffer_mapped(*bh)) {
        zero_user_segment(page, bh->b_data, bh->b_data + static_cast<unsigned>(bh->b_size));
        if (err == 0) set_buffer(bh, BH_Uptodate);
        return;
      }
      if (buffer_uptodate(*bh)) return;
    }
    (*arr)[nr++] = bh;
  });
  return nr;
}

// The first loop of __block_write_full_page: every dirty block gets a place on the device. 0, or
// what get_block says.
int MapDirtyBlocks(kptr<page> page, kptr<inode> inode, get_block_t get_block) {
  const unsigned bbits = inode->i_blkbits;
  sector_t next = FirstBlock(page, bbits);
  const sector_t last_block = static_cast<uint64_t>(i_size_read(inode) - 1) >> bbits;
  int err = 0;
  ForEachBuffer(page, [&](kptr<buffer_head> bh) {
    const sector_t block = next++;
    if (err != 0) return;
    if (block > last_block) {
      clear_buffer(bh, BH_Dirty);
      set_buffer(bh, BH_Uptodate);
    } else if (!buffer_mapped(*bh) && buffer_dirty(*bh)) {
      err = get_block(inode, block, &*bh, 1);
      if (err == 0 && buffer_new(*bh)) {
        clear_buffer(bh, BH_New);
        clean_bdev_bh_alias(*bh);
      }
    }
  });
  return err;
}

void mark_buffer_async_write(kptr<buffer_head> bh) {
  bh->b_end_io = end_buffer_async_write;
  set_buffer(bh, BH_Async_Write);
}

// The end of __block_write_full_page: writes the blocks that are marked for it. The page is
// unlocked.
void WriteMarkedBlocks(kptr<page> page, unsigned write_flags) {
  set_page_writeback(page);
  unsigned nr_underway = 0;
  ForEachBuffer(page, [&](kptr<buffer_head> bh) {
    if (!buffer_async_write(*bh)) return;
    submit_bh_wbc(REQ_OP_WRITE, write_flags, bh);
    ++nr_underway;
  });
  unlock_page(page);
  if (nr_underway == 0) end_page_writeback(page);
}

// Its label recover: no place for a block. What has one is written, the rest is lost.
void WriteWhatHasAPlace(kptr<page> page, unsigned write_flags, int err) {
  ForEachBuffer(page, [](kptr<buffer_head> bh) {
    if (buffer_mapped(*bh) && buffer_dirty(*bh)) {
      lock_buffer(bh);
      mark_buffer_async_write(bh);
    }
    clear_buffer(bh, BH_Dirty);
  });
  SetPageError(page);
  mapping_set_error(page->mapping, err);
  WriteMarkedBlocks(page, write_flags);
}

// v4.19 fs/buffer.c: __block_write_full_page
int __block_write_full_page(kptr<inode> inode, kptr<page> page, get_block_t get_block,
                            writeback_control* wbc) {
  FUNCTION(inode, page);
  const unsigned write_flags = wbc_to_write_flags(*wbc);
  create_page_buffers(page, inode, BH_Dirty | BH_Uptodate);
  const int err = MapDirtyBlocks(page, inode, get_block);
  if (err != 0) {
    WriteWhatHasAPlace(page, write_flags, err);
    return fn.Return(err);
  }
  ForEachBuffer(page, [&](kptr<buffer_head> bh) {
    if (!buffer_mapped(*bh)) return;
    if (wbc->sync_mode != WB_SYNC_NONE) {
      lock_buffer(bh);
    } else if (!trylock_buffer(bh)) {
      redirty_page_for_writepage(wbc, page);
      return;
    }
    if (buffer_dirty(*bh)) {
      clear_buffer(bh, BH_Dirty);
      mark_buffer_async_write(bh);
    } else {
      unlock_buffer(bh);
    }
  });
  WriteMarkedBlocks(page, write_flags);
  return fn.Return(0);
}

}  // namespace

void submit_bh(unsigned op, unsigned op_flags, kptr<buffer_head> bh) {
  FUNCTION(op, op_flags, bh);
  submit_bh_wbc(op, op_flags, bh);
}

void ll_rw_block(kptr<buffer_head> bh) {
  FUNCTION(bh);
  if (!trylock_buffer(bh)) return;
  if (buffer_uptodate(*bh)) {
    unlock_buffer(bh);
    return;
  }
  bh->b_end_io = end_buffer_read_sync;
  ++bh->b_count;
  submit_bh(REQ_OP_READ, 0, bh);
}

// Departs: nothing is cut off: a device's blocks are such that none begins before its end and ends
// behind it (bd_set_size), and a page's blocks behind the end are never submitted.
void guard_bio_eod(const bio* bio) {
  FUNCTION(bio);
  const sector_t maxsector = get_capacity(bio->bi_disk);
  KPATH_CHECK(bio->bi_iter.bi_sector >= maxsector || bio_end_sector(bio) <= maxsector,
              "a bio goes beyond the end of the device");
}

int block_read_full_page(kptr<page> page, get_block_t get_block) {
  FUNCTION(page);
  create_page_buffers(page, page->mapping->host, 0);
  std::array<kptr<buffer_head>, kMaxBlocksPerPage> arr;
  const unsigned nr = FindBlocksToRead(page, get_block, &arr);
  if (nr == 0) {
    if (!PageError(page)) SetPageUptodate(page);
    unlock_page(page);
    return fn.Return(0);
  }
  for (unsigned i = 0; i < nr; ++i) {
    lock_buffer(arr[i]);
    arr[i]->b_end_io = end_buffer_async_read;  // mark_buffer_async_read
    set_buffer(arr[i], BH_Async_Read);
  }
  for (unsigned i = 0; i < nr; ++i) {
    if (buffer_uptodate(*arr[i])) {
      end_buffer_async_read(arr[i], true);
    } else {
      submit_bh(REQ_OP_READ, 0, arr[i]);
    }
  }
  return fn.Return(0);
}

int block_write_full_page(kptr<page> page, get_block_t get_block, writeback_control* wbc) {
  FUNCTION(page);
  const kptr<inode> inode = page->mapping->host;
  const auto size = static_cast<unsigned long>(i_size_read(inode));
  const pgoff_t end_index = size >> PAGE_SHIFT;
  if (page->index >= end_index) {
    const auto offset = static_cast<unsigned>(offset_in_page(size));
    if (page->index > end_index || offset == 0) {
      do_invalidatepage(page, 0, PAGE_SIZE);
      unlock_page(page);
      return fn.Return(0);
    }
    zero_user_segment(page, offset, PAGE_SIZE);
  }
  return fn.Return(__block_write_full_page(inode, page, get_block, wbc));
}

}  // namespace kpath
