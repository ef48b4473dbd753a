// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/report.h"
#include "sim/mm/truncate.h"
#include "sim/mm/writeback.h"
#include "sim/vfs/disk/buffer_head.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// fsdata of block_write_begin where the block is new: nothing of it is on the device.
void* NewBlock() { return reinterpret_cast<void*>(uintptr_t{1}); }

sector_t FirstSector(const buffer_head& bh, unsigned blkbits) {
  return bh.b_blocknr << (blkbits - SECTOR_SHIFT);
}

// v4.19 fs/buffer.c: ll_rw_block and wait_on_buffer: reads the page's block and waits. The page is
// locked. 0 or -EIO.
int ReadBlock(const buffer_head& bh, kptr<page> page, unsigned blkbits) {
  bio* bio = bio_alloc(GFP_KERNEL, 1);
  bio_set_dev(bio, bh.b_bdev);
  bio->bi_iter.bi_sector = FirstSector(bh, blkbits);
  bio->bi_opf = REQ_OP_READ;
  bio_add_page(bio, page, PAGE_SIZE, 0);
  const int error = submit_bio_wait(bio);
  bio_put(bio);
  if (error == 0) return 0;
  return Fail(EIO, "page $0 cannot be changed in part, as it cannot be read", page->index);
}

// v4.19 fs/buffer.c: __block_write_begin
int __block_write_begin(kptr<page> page, loff_t pos, unsigned len, get_block_t get_block,
                        void** fsdata) {
  FUNCTION(page, pos, len);
  const kptr<inode> inode = page->mapping->host;
  const auto from = static_cast<unsigned>(offset_in_page(static_cast<unsigned long>(pos)));
  const unsigned to = from + len;
  buffer_head bh;
  bh.b_size = size_t{1} << inode->i_blkbits;
  const int err = get_block(inode, page->index, &bh, 1);
  if (err != 0) return fn.Return(err);
  if (buffer_new(bh)) *fsdata = NewBlock();
  if (PageUptodate(page)) return fn.Return(0);
  if (buffer_new(bh)) {
    zero_user_segment(page, 0, from);
    zero_user_segment(page, to, PAGE_SIZE);
    return fn.Return(0);
  }
  if (from == 0 && to == PAGE_SIZE) return fn.Return(0);
  STEP("a part of a block: the block is read first", page->index, from, to);
  const int error = ReadBlock(bh, page, inode->i_blkbits);
  if (error == 0) SetPageUptodate(page);
  return fn.Return(error);
}

}  // namespace

int block_write_begin(address_space* mapping, loff_t pos, unsigned len, kptr<page>* pagep,
                      void** fsdata, get_block_t get_block) {
  FUNCTION(mapping->host, pos, len);
  const pgoff_t index = static_cast<pgoff_t>(pos) >> PAGE_SHIFT;
  // grab_cache_page_write_begin
  const kptr<page> page = pagecache_get_page(mapping, index, FGP_LOCK | FGP_CREAT, GFP_HIGHUSER);
  if (!page) return fn.Return(Fail(ENOMEM, "no page for page $0 of the file", index));
  *fsdata = nullptr;
  const int status = __block_write_begin(page, pos, len, get_block, fsdata);
  if (status != 0) {
    unlock_page(page);
    put_page(page);
    return fn.Return(status);
  }
  *pagep = page;
  return fn.Return(0);
}

int generic_write_end(kptr<file> file, address_space* mapping, loff_t pos, unsigned len,
                      unsigned copied, kptr<page> page, void* fsdata) {
  FUNCTION(file, pos, len, copied);
  const kptr<inode> inode = mapping->host;
  const loff_t old_size = i_size_read(inode);
  bool dirty = true;
  // v4.19 fs/buffer.c: block_write_end. A page that is neither up to date nor all written has
  // nothing that counts; of a new block, what was not copied is zero (page_zero_new_buffers).
  if (copied < len && !PageUptodate(page)) {
    if (fsdata == NewBlock()) {
      const auto from = static_cast<unsigned>(offset_in_page(static_cast<unsigned long>(pos)));
      zero_user_segment(page, from + copied, from + len);
    } else {
      dirty = false;
    }
    copied = 0;
  }
  if (dirty) {
    SetPageUptodate(page);
    set_page_dirty(page);
  }
  const bool grows = pos + copied > old_size;
  if (grows) {
    STEP("the file grows", old_size, pos + copied);
    i_size_write(inode, pos + copied);
  }
  unlock_page(page);
  put_page(page);
  if (grows) mark_inode_dirty(inode);
  return fn.Return(static_cast<int>(copied));
}

int block_truncate_page(address_space* mapping, loff_t from, get_block_t get_block) {
  FUNCTION(mapping->host, from);
  const kptr<inode> inode = mapping->host;
  const auto offset = static_cast<unsigned>(offset_in_page(static_cast<unsigned long>(from)));
  if (offset == 0) return fn.Return(0);
  const pgoff_t index = static_cast<pgoff_t>(from) >> PAGE_SHIFT;
  const kptr<page> page = find_or_create_page(mapping, index, GFP_HIGHUSER);
  if (!page) return fn.Return(Fail(ENOMEM, "no page for the end of the file"));
  int err = 0;
  buffer_head bh;
  bh.b_size = size_t{1} << inode->i_blkbits;
  if (!PageUptodate(page)) err = get_block(inode, index, &bh, 0);
  const bool hole = !PageUptodate(page) && !buffer_mapped(bh);
  if (err == 0 && !PageUptodate(page) && !hole) {
    err = ReadBlock(bh, page, inode->i_blkbits);
    if (err == 0) SetPageUptodate(page);
  }
  if (err == 0 && !hole) {
    zero_user_segment(page, offset, PAGE_SIZE);
    set_page_dirty(page);
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
