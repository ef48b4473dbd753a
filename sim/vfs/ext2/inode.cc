// SPDX-License-Identifier: Apache-2.0
//
// Where a file's blocks are, and its pages. v4.19 fs/ext2/inode.c
#include "sim/vfs/inode.h"

#include <algorithm>
#include <map>

#include "sim/mm/truncate.h"
#include "sim/vfs/disk/direct_io.h"
#include "sim/vfs/disk/mpage.h"
#include "sim/vfs/ext2/ext2.h"

namespace kpath {
namespace {

constexpr uint64_t kSectorsPerBlock = 1u << (EXT2_BLOCK_BITS - SECTOR_SHIFT);

using Runs = std::map<sector_t, ext2_run>;

// The run that has block `iblock`; end(): a hole.
Runs::iterator FindRun(Runs* runs, sector_t iblock) {
  auto after = runs->upper_bound(iblock);
  if (after == runs->begin()) return runs->end();
  const auto at = std::prev(after);
  return iblock < at->first + at->second.count ? at : runs->end();
}

// v4.19 fs/ext2/inode.c: ext2_find_goal. Behind the block that comes before in the file.
sector_t ext2_find_goal(Runs* runs, sector_t iblock) {
  const auto after = runs->upper_bound(iblock);
  if (after == runs->begin()) return 0;
  const auto before = std::prev(after);
  return before->second.first + before->second.count;
}

// Enters new blocks, as a part of the run before where they go on with it.
void AddRun(Runs* runs, sector_t iblock, const ext2_run& run) {
  const auto after = runs->upper_bound(iblock);
  if (after != runs->begin()) {
    const auto before = std::prev(after);
    ext2_run& last = before->second;
    if (before->first + last.count == iblock && last.first + last.count == run.first) {
      last.count += run.count;
      return;
    }
  }
  (*runs)[iblock] = run;
}

// v4.19 fs/ext2/inode.c: ext2_get_blocks. Returns how many blocks, up to maxblocks, lie one behind
// the other from *bno on; 0: a hole; or -ENOSPC.
int ext2_get_blocks(kptr<inode> inode, sector_t iblock, unsigned long maxblocks, sector_t* bno,
                    bool* is_new, bool create) {
  FUNCTION(inode, iblock, maxblocks, create);
  const kptr<ext2_inode_info> ei = EXT2_I(inode);
  mutex_lock(&ei->truncate_mutex);
  int ret = 0;
  const auto found = FindRun(&ei->runs, iblock);
  if (found != ei->runs.end()) {
    const sector_t skip = iblock - found->first;
    *bno = found->second.first + skip;
    ret = static_cast<int>(std::min<sector_t>(maxblocks, found->second.count - skip));
  } else if (create) {
    // Up to the next block that is there.
    const auto next = ei->runs.upper_bound(iblock);
    unsigned long count = maxblocks;
    if (next != ei->runs.end()) count = std::min<unsigned long>(count, next->first - iblock);
    ret = ext2_new_blocks(inode->i_sb, ext2_find_goal(&ei->runs, iblock), &count, bno);
    if (ret == 0) {
      AddRun(&ei->runs, iblock, {.first = *bno, .count = count});
      inode->i_blocks += count * kSectorsPerBlock;
      *is_new = true;
      ret = static_cast<int>(count);
    }
  }
  mutex_unlock(&ei->truncate_mutex);
  if (*is_new) mark_inode_dirty(inode);
  return fn.Return(ret);
}

// v4.19 fs/ext2/inode.c: ext2_write_failed. Blocks beyond the end that a write leaves behind.
void ext2_write_failed(address_space* mapping, loff_t to) {
  const kptr<inode> inode = mapping->host;
  if (to <= i_size_read(inode)) return;
  truncate_pagecache(inode, i_size_read(inode));
  ext2_truncate_blocks(inode, i_size_read(inode));
}

// v4.19 fs/ext2/inode.c: ext2_readpage
int ext2_readpage(kptr<file> file, kptr<page> page) {
  FUNCTION(file, page);
  return fn.Return(mpage_readpage(page, ext2_get_block));
}

// v4.19 fs/ext2/inode.c: ext2_readpages
int ext2_readpages(kptr<file> file, address_space* mapping, const std::vector<kptr<page>>& pages) {
  FUNCTION(file, pages.size());
  return fn.Return(mpage_readpages(mapping, pages, ext2_get_block));
}

// v4.19 fs/ext2/inode.c: ext2_writepage
int ext2_writepage(kptr<page> page, writeback_control* wbc) {
  FUNCTION(page);
  return fn.Return(block_write_full_page(page, ext2_get_block, wbc));
}

// v4.19 fs/ext2/inode.c: ext2_writepages
int ext2_writepages(address_space* mapping, writeback_control* wbc) {
  FUNCTION(mapping->host);
  return fn.Return(mpage_writepages(mapping, wbc, ext2_get_block));
}

// v4.19 fs/ext2/inode.c: ext2_write_begin
int ext2_write_begin(kptr<file> file, address_space* mapping, loff_t pos, unsigned len, unsigned,
                     kptr<page>* pagep, void**) {
  FUNCTION(file, pos, len);
  const int ret = block_write_begin(mapping, pos, len, pagep, ext2_get_block);
  if (ret < 0) ext2_write_failed(mapping, pos + len);
  return fn.Return(ret);
}

// v4.19 fs/ext2/inode.c: ext2_write_end
int ext2_write_end(kptr<file> file, address_space* mapping, loff_t pos, unsigned len,
                   unsigned copied, kptr<page> page, void* fsdata) {
  FUNCTION(file, pos, len, copied);
  const int ret = generic_write_end(file, mapping, pos, len, copied, page, fsdata);
  if (ret < static_cast<int>(len)) ext2_write_failed(mapping, pos + len);
  return fn.Return(ret);
}

// v4.19 fs/ext2/inode.c: ext2_direct_IO
ssize_t ext2_direct_IO(kiocb* iocb, iov_iter* iter) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*iter));
  address_space* mapping = iocb->ki_filp->f_mapping;
  const loff_t end = iocb->ki_pos + static_cast<loff_t>(iov_iter_count(*iter));
  const bool write = iov_iter_rw(*iter) == WRITE;
  const ssize_t ret = blockdev_direct_IO(iocb, mapping->host, iter, ext2_get_block);
  if (ret < 0 && ret != -EIOCBQUEUED && write) ext2_write_failed(mapping, end);
  return fn.Return(ret);
}

// v4.19 fs/ext2/inode.c: ext2_setsize
int ext2_setsize(kptr<inode> inode, loff_t newsize) {
  FUNCTION(inode, newsize);
  if (!S_ISREG(inode->i_mode)) return fn.Return(Fail(EINVAL, "only files have a size to set"));
  inode_dio_wait(inode);
  const int error = block_truncate_page(inode->i_mapping, newsize, ext2_get_block);
  if (error != 0) return fn.Return(error);
  truncate_setsize(inode, newsize);
  ext2_truncate_blocks(inode, newsize);
  inode->i_mtime = inode->i_ctime = current_time(inode);
  mark_inode_dirty(inode);
  return fn.Return(0);
}

}  // namespace

int ext2_get_block(kptr<inode> inode, sector_t iblock, buffer_head* bh_result, int create) {
  FUNCTION(inode, iblock, create);
  const unsigned long max_blocks = bh_result->b_size >> inode->i_blkbits;
  bool is_new = false;
  sector_t bno = 0;
  const int ret = ext2_get_blocks(inode, iblock, max_blocks, &bno, &is_new, create != 0);
  if (ret <= 0) return fn.Return(ret);
  map_bh(bh_result, inode->i_sb, bno);
  bh_result->b_size = static_cast<size_t>(ret) << inode->i_blkbits;
  if (is_new) bh_result->b_state |= BH_New;
  return fn.Return(0);
}

void ext2_truncate_blocks(kptr<inode> inode, loff_t offset) {
  FUNCTION(inode, offset);
  const sector_t first =
      (static_cast<uint64_t>(offset) + (1u << EXT2_BLOCK_BITS) - 1) >> EXT2_BLOCK_BITS;
  const kptr<ext2_inode_info> ei = EXT2_I(inode);
  mutex_lock(&ei->truncate_mutex);
  while (!ei->runs.empty()) {
    const auto last = std::prev(ei->runs.end());
    const sector_t end = last->first + last->second.count;
    if (end <= first) break;
    const sector_t keep = last->first < first ? first - last->first : 0;
    const sector_t gone = last->second.count - keep;
    ext2_free_blocks(inode->i_sb, last->second.first + keep, gone);
    inode->i_blocks -= gone * kSectorsPerBlock;
    if (keep == 0) {
      ei->runs.erase(last);
    } else {
      last->second.count = keep;
    }
  }
  mutex_unlock(&ei->truncate_mutex);
}

int ext2_setattr(kptr<dentry> dentry, const iattr& attr) {
  FUNCTION(dentry, attr.ia_valid);
  const kptr<inode> inode = dentry->d_inode;
  int error = setattr_prepare(dentry, attr);
  if (error != 0) return fn.Return(error);
  if ((attr.ia_valid & ATTR_SIZE) != 0 && attr.ia_size != i_size_read(inode)) {
    error = ext2_setsize(inode, attr.ia_size);
    if (error != 0) return fn.Return(error);
  }
  setattr_copy(inode, attr);
  mark_inode_dirty(inode);
  return fn.Return(0);
}

void ext2_evict_inode(kptr<inode> inode) {
  FUNCTION(inode);
  truncate_inode_pages_final(&inode->i_data);
  ext2_truncate_blocks(inode, 0);
  kfree(EXT2_I(inode));
  inode->i_private = {};
}

const address_space_operations ext2_aops = {
    .set_page_dirty =
        __set_page_dirty_buffers,  // as where there is none, in Linux; also the last two
    .readpage = ext2_readpage,
    .readpages = ext2_readpages,
    .writepage = ext2_writepage,
    .writepages = ext2_writepages,
    .write_begin = ext2_write_begin,
    .write_end = ext2_write_end,
    .invalidatepage = block_invalidatepage,
    .releasepage = try_to_free_buffers,
    .direct_IO = ext2_direct_IO,
};

}  // namespace kpath
