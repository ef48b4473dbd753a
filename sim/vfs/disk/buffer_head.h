// SPDX-License-Identifier: Apache-2.0
//
// Where a block of a file is on its device, and writing files block by block through the page
// cache. v4.19 include/linux/buffer_head.h, fs/buffer.c
//
//   buffer_head map_bh;
//   map_bh.b_size = 4 << inode->i_blkbits;                     // four blocks are wanted
//   int error = ext2_get_block(inode, 7, &map_bh, /*create=*/0);
//   if (error == 0 && buffer_mapped(map_bh)) …                 // b_size >> i_blkbits of them lie
//                                                              // one behind the other at b_blocknr
//
// Departs: blocks are as large as pages, and a page has no buffer heads of its own: that it is up
// to date, dirty, being written, is told by the page, and where its block is, each time by the file
// system.
//
// Context: process, may sleep.
#pragma once

#include "sim/block/blk_core.h"
#include "sim/mm/filemap.h"

namespace kpath {

// buffer_head::b_state
inline constexpr unsigned BH_Mapped = 1u << 5;             // there is such a block
inline constexpr unsigned BH_New = 1u << 6;                // it was allocated right now
inline constexpr unsigned BH_Boundary = 1u << 11;          // the next one is elsewhere
inline constexpr unsigned BH_Defer_Completion = 1u << 14;  // direct writes end in a workqueue

struct buffer_head {
  unsigned b_state = 0;  // BH_*
  block_device* b_bdev = nullptr;
  sector_t b_blocknr = 0;  // of 1 << i_blkbits bytes
  size_t b_size = 0;       // bytes: wanted before, there after
  void* b_private = nullptr;
};
inline bool buffer_mapped(const buffer_head& bh) { return (bh.b_state & BH_Mapped) != 0; }
inline bool buffer_new(const buffer_head& bh) { return (bh.b_state & BH_New) != 0; }
inline bool buffer_boundary(const buffer_head& bh) { return (bh.b_state & BH_Boundary) != 0; }
inline void map_bh(buffer_head* bh, kptr<super_block> sb, sector_t block) {
  bh->b_state |= BH_Mapped;
  bh->b_bdev = sb->s_bdev;
  bh->b_blocknr = block;
  bh->b_size = sb->s_blocksize;
}

// A file system's function that finds block `iblock` of a file, and up to b_size bytes behind it;
// `create`: allocates what is not there. 0 (not mapped: a hole), or a negative errno.
using get_block_t = int (*)(kptr<inode> inode, sector_t iblock, buffer_head* bh_result, int create);

// v4.19 fs/buffer.c: block_write_begin. For a_ops->write_begin: the locked page, read from the
// device or zeroed where the write does not cover it. 0, -ENOMEM, -EIO, or what get_block says.
int block_write_begin(address_space* mapping, loff_t pos, unsigned len, kptr<page>* pagep,
                      void** fsdata, get_block_t get_block);
// v4.19 fs/buffer.c: generic_write_end. For a_ops->write_end. Returns the bytes that count.
int generic_write_end(kptr<file> file, address_space* mapping, loff_t pos, unsigned len,
                      unsigned copied, kptr<page> page, void* fsdata);
// v4.19 fs/buffer.c: block_truncate_page. Zeroes the last block from byte `from` of the file on.
// 0 or a negative errno.
int block_truncate_page(address_space* mapping, loff_t from, get_block_t get_block);
// v4.19 fs/libfs.c: generic_file_fsync. Writes the file's pages and waits, then makes the device
// flush its cache. 0 or a negative errno.
int generic_file_fsync(kptr<file> file, loff_t start, loff_t end, int datasync);

}  // namespace kpath
