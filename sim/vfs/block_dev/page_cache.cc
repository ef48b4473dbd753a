// SPDX-License-Identifier: Apache-2.0
//
// A block device through its page cache. v4.19 fs/block_dev.c
#include "sim/vfs/block_dev/block_dev_internal.h"
#include "sim/vfs/disk/buffer_head.h"
#include "sim/vfs/disk/mpage.h"

namespace kpath {
namespace {

// v4.19 fs/block_dev.c: blkdev_get_block. A device's blocks are where they are.
int blkdev_get_block(kptr<inode> inode, sector_t iblock, buffer_head* bh, int create) {
  FUNCTION(inode, iblock, create);
  bh->b_bdev = I_BDEV(inode);
  bh->b_blocknr = iblock;
  bh->b_state |= BH_Mapped;
  return fn.Return(0);
}

}  // namespace

// v4.19 fs/block_dev.c: blkdev_readpage
int blkdev_readpage(kptr<file> file, kptr<page> page) {
  FUNCTION(file, page);
  return fn.Return(block_read_full_page(page, blkdev_get_block));
}

// v4.19 fs/block_dev.c: blkdev_readpages
int blkdev_readpages(kptr<file> file, address_space* mapping,
                     const std::vector<kptr<page>>& pages) {
  FUNCTION(file, pages.size());
  return fn.Return(mpage_readpages(mapping, pages, blkdev_get_block));
}

// v4.19 fs/block_dev.c: blkdev_writepage
int blkdev_writepage(kptr<page> page, writeback_control* wbc) {
  FUNCTION(page);
  return fn.Return(block_write_full_page(page, blkdev_get_block, wbc));
}

// v4.19 fs/block_dev.c: blkdev_writepages
int blkdev_writepages(address_space* mapping, writeback_control* wbc) {
  FUNCTION(mapping->host);
  return fn.Return(generic_writepages(mapping, wbc));
}

// v4.19 fs/block_dev.c: blkdev_write_begin
int blkdev_write_begin(kptr<file> file, address_space* mapping, loff_t pos, unsigned len, unsigned,
                       kptr<page>* pagep, void**) {
  FUNCTION(file, pos, len);
  return fn.Return(block_write_begin(mapping, pos, len, pagep, blkdev_get_block));
}

// v4.19 fs/block_dev.c: blkdev_write_end
int blkdev_write_end(kptr<file> file, address_space*, loff_t pos, unsigned len, unsigned copied,
                     kptr<page> page, void*) {
  FUNCTION(file, pos, len, copied);
  const int ret = block_write_end(pos, len, copied, page);
  unlock_page(page);
  put_page(page);
  return fn.Return(ret);
}

// v4.19 fs/block_dev.c: blkdev_releasepage
bool blkdev_releasepage(kptr<page> page) {
  FUNCTION(page);
  return fn.Return(try_to_free_buffers(page));
}

}  // namespace kpath
