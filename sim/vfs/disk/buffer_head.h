// SPDX-License-Identifier: Apache-2.0
//
// Blocks of a device in memory, and reading and writing files block by block through the page
// cache. v4.19 include/linux/buffer_head.h, fs/buffer.c
//
//   buffer_head map_bh;
//   map_bh.b_size = 4 << inode->i_blkbits;                     // four blocks are wanted
//   int error = ext2_get_block(inode, 7, &map_bh, /*create=*/0);
//   if (error == 0 && buffer_mapped(map_bh)) …                 // b_size >> i_blkbits of them lie
//                                                              // one behind the other at b_blocknr
//
// A page of a file has a buffer_head for each of its blocks once somebody had to know more of a
// block than of the page: where it is, that it alone is dirty, or up to date. They are a ring
// (b_this_page), which page::private begins; PG_private says that there is one, and it has a
// reference of the page. What is read and written in whole pages (mpage.h) needs none.
//
// Departs: buffers are found through their page only, not by a device's block number
// (__find_get_block, bh_lrus): our file systems keep nothing on the device but the files' data.
//
// Context: process, may sleep; the ends of I/O (end_buffer_…): any.
//
// Invariants
//   1. A buffer that is being read or written is locked (BH_Lock), and its page is locked or being
//      written back.
//   2. A page with buffers is dirty if one of them is. The other way round it may be that what was
//      dirty has been written block by block.
#pragma once

#include "sim/block/blk_core.h"
#include "sim/mm/filemap.h"
#include "sim/mm/writeback.h"

namespace kpath {

// buffer_head::b_state
inline constexpr unsigned BH_Uptodate = 1u << 0;           // as on the device, or newer
inline constexpr unsigned BH_Dirty = 1u << 1;              // newer than on the device
inline constexpr unsigned BH_Lock = 1u << 2;               // being read or written, or changed
inline constexpr unsigned BH_Req = 1u << 3;                // has been read or written once
inline constexpr unsigned BH_Uptodate_Lock = 1u << 4;      // in a page's first: guards their ends
inline constexpr unsigned BH_Mapped = 1u << 5;             // there is such a block
inline constexpr unsigned BH_New = 1u << 6;                // it was allocated right now
inline constexpr unsigned BH_Async_Read = 1u << 7;         // read by end_buffer_async_read
inline constexpr unsigned BH_Async_Write = 1u << 8;        // written by end_buffer_async_write
inline constexpr unsigned BH_Boundary = 1u << 10;          // the next one is elsewhere
inline constexpr unsigned BH_Write_EIO = 1u << 11;         // could not be written
inline constexpr unsigned BH_Defer_Completion = 1u << 16;  // direct writes end in a workqueue

struct buffer_head {
  static constexpr const char* kSlabName = "buffer_head";

  unsigned b_state = 0;           // BH_*
  kptr<buffer_head> b_this_page;  // the next one of the page, in a ring
  kptr<page> b_page;
  sector_t b_blocknr = 0;  // on the device, of 1 << i_blkbits bytes
  size_t b_size = 0;       // bytes: wanted before get_block, there after
  unsigned b_data = 0;     // bh_offset: where in the page
  block_device* b_bdev = nullptr;
  // Called when it has been read or written; in any context. The buffer is locked.
  void (*b_end_io)(kptr<buffer_head> bh, bool uptodate) = nullptr;
  int b_count = 0;  // users who want it to stay
};
inline bool buffer_uptodate(const buffer_head& bh) { return (bh.b_state & BH_Uptodate) != 0; }
inline bool buffer_dirty(const buffer_head& bh) { return (bh.b_state & BH_Dirty) != 0; }
inline bool buffer_locked(const buffer_head& bh) { return (bh.b_state & BH_Lock) != 0; }
inline bool buffer_mapped(const buffer_head& bh) { return (bh.b_state & BH_Mapped) != 0; }
inline bool buffer_new(const buffer_head& bh) { return (bh.b_state & BH_New) != 0; }
inline bool buffer_boundary(const buffer_head& bh) { return (bh.b_state & BH_Boundary) != 0; }
inline bool buffer_async_read(const buffer_head& bh) { return (bh.b_state & BH_Async_Read) != 0; }
inline bool buffer_async_write(const buffer_head& bh) { return (bh.b_state & BH_Async_Write) != 0; }
inline void set_buffer(kptr<buffer_head> bh, unsigned bits) { bh->b_state |= bits; }
inline void clear_buffer(kptr<buffer_head> bh, unsigned bits) { bh->b_state &= ~bits; }
inline void map_bh(buffer_head* bh, kptr<super_block> sb, sector_t block) {
  bh->b_state |= BH_Mapped;
  bh->b_bdev = sb->s_bdev;
  bh->b_blocknr = block;
  bh->b_size = sb->s_blocksize;
}

// A file system's function that finds block `iblock` of a file, and up to b_size bytes behind it;
// `create`: allocates what is not there. 0 (not mapped: a hole), or a negative errno.
using get_block_t = int (*)(kptr<inode> inode, sector_t iblock, buffer_head* bh_result, int create);

// ---- The buffers of a page ----
inline bool page_has_buffers(kptr<page> page) { return PagePrivate(page); }
// The first one. REQUIRES: it has some.
kptr<buffer_head> page_buffers(kptr<page> page);
// Calls fn(bh) for each, in the order of their places. fn may not take them off the page.
template <typename Fn>
void ForEachBuffer(kptr<page> page, Fn fn) {
  const kptr<buffer_head> head = page_buffers(page);
  kptr<buffer_head> bh = head;
  do {
    const kptr<buffer_head> next = bh->b_this_page;
    fn(bh);
    bh = next;
  } while (bh != head);
}
// v4.19 fs/buffer.c: create_page_buffers. Gives the page its buffers if it has none, each with
// `b_state`. Returns the first. Never fails: it is tried until there is memory. REQUIRES: locked.
kptr<buffer_head> create_page_buffers(kptr<page> page, kptr<inode> inode, unsigned b_state);
// v4.19 fs/buffer.c: try_to_free_buffers. Takes the buffers off the locked page, if none is dirty
// or in use. For a_ops->releasepage. Returns whether it did.
bool try_to_free_buffers(kptr<page> page);
// v4.19 fs/buffer.c: block_invalidatepage. The page's bytes [offset, offset + length) are gone;
// with all of them the buffers, too. For a_ops->invalidatepage.
void block_invalidatepage(kptr<page> page, unsigned offset, unsigned length);
// v4.19 fs/buffer.c: __set_page_dirty_buffers. For a_ops->set_page_dirty: all of the page's blocks.
int __set_page_dirty_buffers(kptr<page> page);
// v4.19 fs/buffer.c: mark_buffer_dirty. One block; its page, too.
void mark_buffer_dirty(kptr<buffer_head> bh);
// v4.19 fs/buffer.c: clean_bdev_bh_alias. The device's own page cache may hold an older life of a
// block that was allocated right now: that need not be written any more.
void clean_bdev_bh_alias(const buffer_head& bh);

// ---- One block ----
bool trylock_buffer(kptr<buffer_head> bh);
void lock_buffer(kptr<buffer_head> bh);
// v4.19 fs/buffer.c: unlock_buffer. Context: any.
void unlock_buffer(kptr<buffer_head> bh);
// v4.19 include/linux/buffer_head.h: wait_on_buffer. Sleeps until it is not locked.
void wait_on_buffer(kptr<buffer_head> bh);
// v4.19 fs/buffer.c: submit_bh. Reads or writes it; b_end_io is called. REQUIRES: locked, mapped.
void submit_bh(unsigned op, unsigned op_flags, kptr<buffer_head> bh);
// v4.19 fs/buffer.c: ll_rw_block, for one block that is read. Begins it, unless it is locked or up
// to date; wait_on_buffer waits for it.
void ll_rw_block(kptr<buffer_head> bh);
// v4.19 fs/buffer.c: guard_bio_eod. A bio of whole pages does not go beyond the end of the device.
void guard_bio_eod(const bio* bio);

// ---- Pages of a file ----
// v4.19 fs/buffer.c: block_read_full_page. For a_ops->readpage: block by block. 0: it will be
// unlocked.
int block_read_full_page(kptr<page> page, get_block_t get_block);
// v4.19 fs/buffer.c: block_write_full_page. For a_ops->writepage: those of its blocks that are
// dirty. 0, or what get_block says: the page is lost, and PG_error is set.
int block_write_full_page(kptr<page> page, get_block_t get_block, writeback_control* wbc);
// v4.19 fs/buffer.c: block_write_begin. For a_ops->write_begin: the locked page; blocks that the
// write covers a part of are read from the device, or zeroed if they are new. 0, -ENOMEM, -EIO, or
// what get_block says.
int block_write_begin(address_space* mapping, loff_t pos, unsigned len, kptr<page>* pagep,
                      get_block_t get_block);
// v4.19 fs/buffer.c: block_write_end. What was copied is dirty. Returns the bytes that count.
int block_write_end(loff_t pos, unsigned len, unsigned copied, kptr<page> page);
// v4.19 fs/buffer.c: generic_write_end. For a_ops->write_end: the same, and the file may have
// become longer; unlocks the page. Returns the bytes that count.
int generic_write_end(kptr<file> file, address_space* mapping, loff_t pos, unsigned len,
                      unsigned copied, kptr<page> page, void* fsdata);
// v4.19 fs/buffer.c: block_truncate_page. Zeroes the last block from byte `from` of the file on.
// 0 or a negative errno.
int block_truncate_page(address_space* mapping, loff_t from, get_block_t get_block);
// v4.19 fs/libfs.c: generic_file_fsync. Writes the file's pages and waits, then makes the device
// flush its cache. 0 or a negative errno.
int generic_file_fsync(kptr<file> file, loff_t start, loff_t end, int datasync);

// v4.19 include/linux/writeback.h: wbc_to_write_flags. Flags of the bios.
inline unsigned wbc_to_write_flags(const writeback_control& wbc) {
  return wbc.sync_mode == WB_SYNC_ALL ? static_cast<unsigned>(REQ_SYNC) : 0u;
}
// v4.19 fs/buffer.c: buffer_init. Called once per machine, before the first buffer is locked. Lets
// readahead and writeback hold their bios back in a plug, too.
void buffer_init();

}  // namespace kpath
