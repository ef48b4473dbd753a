// SPDX-License-Identifier: Apache-2.0
//
// Writing into pages of files on devices. v4.19 fs/buffer.c
#include <algorithm>

#include "sim/mm/truncate.h"
#include "sim/vfs/disk/buffer_head.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

unsigned End(const buffer_head& bh) { return bh.b_data + static_cast<unsigned>(bh.b_size); }

// v4.19 fs/buffer.c: page_zero_new_buffers. Of the bytes [from, to), those in new blocks were not
// written after all: they are zero.
void page_zero_new_buffers(kptr<page> page, unsigned from, unsigned to) {
  FUNCTION(page, from, to);
  if (!page_has_buffers(page)) return;
  ForEachBuffer(page, [=](kptr<buffer_head> bh) {
    if (!buffer_new(*bh) || End(*bh) <= from || bh->b_data >= to) return;
    if (!PageUptodate(page)) {
      zero_user_segment(page, std::max(from, bh->b_data), std::min(to, End(*bh)));
      set_buffer(bh, BH_Uptodate);
    }
    clear_buffer(bh, BH_New);
    mark_buffer_dirty(bh);
  });
}

// What __block_write_begin_int does with a block that get_block has just allocated. True: no more
// is to be done with it.
bool PrepareNewBlock(kptr<page> page, kptr<buffer_head> bh, unsigned from, unsigned to) {
  clean_bdev_bh_alias(*bh);
  if (PageUptodate(page)) {
    clear_buffer(bh, BH_New);
    set_buffer(bh, BH_Uptodate);
    mark_buffer_dirty(bh);
    return true;
  }
  if (End(*bh) > to) zero_user_segment(page, to, End(*bh));
  if (bh->b_data < from) zero_user_segment(page, bh->b_data, from);
  return true;
}

// The loop of __block_write_begin_int, for one block of which [from, to) will be written. 0;
// *wait: it is being read; or what get_block says.
int PrepareBlock(kptr<page> page, kptr<buffer_head> bh, sector_t block, unsigned from, unsigned to,
                 get_block_t get_block, bool* wait) {
  if (End(*bh) <= from || bh->b_data >= to) {
    if (PageUptodate(page)) set_buffer(bh, BH_Uptodate);
    return 0;
  }
  clear_buffer(bh, BH_New);
  if (!buffer_mapped(*bh)) {
    const int err = get_block(page->mapping->host, block, &*bh, 1);
    if (err != 0) return err;
    if (buffer_new(*bh) && PrepareNewBlock(page, bh, from, to)) return 0;
  }
  if (PageUptodate(page)) {
    set_buffer(bh, BH_Uptodate);
    return 0;
  }
  if (buffer_uptodate(*bh) || (bh->b_data >= from && End(*bh) <= to)) return 0;
  STEP("a part of a block: the block is read first", bh->b_blocknr, from, to);
  ll_rw_block(bh);
  *wait = true;
  return 0;
}

// v4.19 fs/buffer.c: __block_write_begin_int
int __block_write_begin_int(kptr<page> page, loff_t pos, unsigned len, get_block_t get_block) {
  FUNCTION(page, pos, len);
  const kptr<inode> inode = page->mapping->host;
  const auto from = static_cast<unsigned>(offset_in_page(static_cast<unsigned long>(pos)));
  const unsigned to = from + len;
  create_page_buffers(page, inode, 0);
  sector_t next = page->index << (PAGE_SHIFT - inode->i_blkbits);
  int err = 0;
  kptr<buffer_head> wait[2];  // the first and the last of the write's blocks
  int waits = 0;
  ForEachBuffer(page, [&](kptr<buffer_head> bh) {
    const sector_t block = next++;
    if (err != 0) return;
    bool is_read = false;
    err = PrepareBlock(page, bh, block, from, to, get_block, &is_read);
    if (is_read) wait[waits++] = bh;
  });
  while (waits > 0) {
    const kptr<buffer_head> bh = wait[--waits];
    wait_on_buffer(bh);
    if (buffer_uptodate(*bh)) continue;
    err = Fail(EIO, "block $0 cannot be changed in part, as it cannot be read", bh->b_blocknr);
  }
  if (err != 0) page_zero_new_buffers(page, from, to);
  return fn.Return(err);
}

// v4.19 fs/buffer.c: __block_write_begin
int __block_write_begin(kptr<page> page, loff_t pos, unsigned len, get_block_t get_block) {
  FUNCTION(page, pos, len);
  return fn.Return(__block_write_begin_int(page, pos, len, get_block));
}

// v4.19 fs/buffer.c: __block_commit_write
void __block_commit_write(kptr<page> page, unsigned from, unsigned to) {
  FUNCTION(page, from, to);
  bool partial = false;
  ForEachBuffer(page, [&](kptr<buffer_head> bh) {
    if (End(*bh) <= from || bh->b_data >= to) {
      if (!buffer_uptodate(*bh)) partial = true;
    } else {
      set_buffer(bh, BH_Uptodate);
      mark_buffer_dirty(bh);
    }
    clear_buffer(bh, BH_New);
  });
  // All of the page is known now, without a read of it.
  if (!partial) SetPageUptodate(page);
}

}  // namespace

int block_write_begin(address_space* mapping, loff_t pos, unsigned len, kptr<page>* pagep,
                      get_block_t get_block) {
  FUNCTION(mapping->host, pos, len);
  const pgoff_t index = static_cast<pgoff_t>(pos) >> PAGE_SHIFT;
  const kptr<page> page = grab_cache_page_write_begin(mapping, index);
  if (!page) return fn.Return(Fail(ENOMEM, "no page for page $0 of the file", index));
  const int status = __block_write_begin(page, pos, len, get_block);
  if (status != 0) {
    unlock_page(page);
    put_page(page);
    return fn.Return(status);
  }
  *pagep = page;
  return fn.Return(0);
}

int block_write_end(loff_t pos, unsigned len, unsigned copied, kptr<page> page) {
  FUNCTION(pos, len, copied, page);
  const auto start = static_cast<unsigned>(offset_in_page(static_cast<unsigned long>(pos)));
  if (copied < len) {
    // A page that is neither up to date nor all written has nothing that counts.
    if (!PageUptodate(page)) copied = 0;
    page_zero_new_buffers(page, start + copied, start + len);
  }
  __block_commit_write(page, start, start + copied);
  return fn.Return(static_cast<int>(copied));
}

int generic_write_end(kptr<file> file, address_space* mapping, loff_t pos, unsigned len,
                      unsigned copied, kptr<page> page, void*) {
  FUNCTION(file, pos, len, copied);
  const kptr<inode> inode = mapping->host;
  const loff_t old_size = i_size_read(inode);
  const int ret = block_write_end(pos, len, copied, page);
  const bool grows = pos + ret > old_size;
  if (grows) {
    STEP("the file grows", old_size, pos + ret);
    i_size_write(inode, pos + ret);
  }
  unlock_page(page);
  put_page(page);
  if (grows) mark_inode_dirty(inode);
  return fn.Return(ret);
}

// Departs: blocks are as large as pages, in the file systems that use this.
int block_truncate_page(address_space* mapping, loff_t from, get_block_t get_block) {
  FUNCTION(mapping->host, from);
  const kptr<inode> inode = mapping->host;
  const auto offset = static_cast<unsigned>(offset_in_page(static_cast<unsigned long>(from)));
  if (offset == 0) return fn.Return(0);
  const pgoff_t index = static_cast<pgoff_t>(from) >> PAGE_SHIFT;
  const kptr<page> page = grab_cache_page(mapping, index);
  if (!page) return fn.Return(Fail(ENOMEM, "no page for the end of the file"));
  const kptr<buffer_head> bh = create_page_buffers(page, inode, 0);
  int err = 0;
  if (!buffer_mapped(*bh)) err = get_block(inode, index, &*bh, 0);
  const bool hole = !buffer_mapped(*bh);
  if (err == 0 && !hole) {
    if (PageUptodate(page)) set_buffer(bh, BH_Uptodate);
    if (!buffer_uptodate(*bh)) {
      ll_rw_block(bh);
      wait_on_buffer(bh);
      if (!buffer_uptodate(*bh)) err = Fail(EIO, "the last block cannot be read");
    }
  }
  if (err == 0 && !hole) {
    zero_user_segment(page, offset, PAGE_SIZE);
    mark_buffer_dirty(bh);
  }
  unlock_page(page);
  put_page(page);
  return fn.Return(err);
}

int generic_file_fsync(kptr<file> file, loff_t start, loff_t end, int datasync) {
  FUNCTION(file, start, end, datasync);
  const kptr<inode> inode = file->f_mapping->host;
  // v4.19 fs/libfs.c: __generic_file_fsync. Departs: inodes are not on the device (ext2.h).
  int err = file_write_and_wait_range(file, start, end);
  if (err != 0) return fn.Return(err);
  inode_lock(inode);
  inode->i_state &= ~I_DIRTY;
  inode_unlock(inode);
  err = file_check_and_advance_wb_err(file);
  if (err != 0) return fn.Return(err);
  return fn.Return(blkdev_issue_flush(inode->i_sb->s_bdev, GFP_KERNEL));
}

}  // namespace kpath
