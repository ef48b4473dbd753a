// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/truncate.h"

#include "sim/mm/memory.h"
#include "sim/mm/writeback.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// v4.19 mm/truncate.c: truncate_cleanup_page
void truncate_cleanup_page(address_space* mapping, kptr<page> page) {
  FUNCTION(page);
  if (page_mapped(page)) unmap_mapping_pages(mapping, page->index, 1, false);
  if (PagePrivate(page)) do_invalidatepage(page, 0, PAGE_SIZE);
  cancel_dirty_page(page);
}

// v4.19 mm/truncate.c: truncate_inode_page. REQUIRES: the page is locked.
void truncate_inode_page(address_space* mapping, kptr<page> page) {
  FUNCTION(page);
  truncate_cleanup_page(mapping, page);
  delete_from_page_cache(page);
}

// The first page of the file at or after `start`, locked and with a reference; null: none.
kptr<page> NextLockedPage(address_space* mapping, pgoff_t start) {
  while (true) {
    const auto next = mapping->i_pages.lower_bound(start);
    if (next == mapping->i_pages.end()) return nullptr;
    const kptr<page> page = next->second;
    get_page(page);
    lock_page(page);
    if (page->mapping == mapping) return page;
    unlock_page(page);
    put_page(page);
  }
}

// v4.19 mm/truncate.c: truncate_inode_pages_range, to the end of the file.
void truncate_inode_pages_range(address_space* mapping, loff_t lstart) {
  FUNCTION(mapping->host, lstart);
  const pgoff_t start = PAGE_ALIGN(static_cast<unsigned long>(lstart)) >> PAGE_SHIFT;
  while (const kptr<page> page = NextLockedPage(mapping, start)) {
    wait_on_page_writeback(page);
    truncate_inode_page(mapping, page);
    unlock_page(page);
    put_page(page);
    cond_resched();
  }
  const unsigned partial =
      static_cast<unsigned>(offset_in_page(static_cast<unsigned long>(lstart)));
  if (partial == 0) return;
  const kptr<page> page = find_lock_page(mapping, start - 1);
  if (!page) return;
  wait_on_page_writeback(page);
  zero_user_segment(page, partial, PAGE_SIZE);
  if (PagePrivate(page)) do_invalidatepage(page, partial, PAGE_SIZE - partial);
  unlock_page(page);
  put_page(page);
}

// v4.19 mm/truncate.c: pagecache_isize_extended. Lets the file system know of the next write to a
// page that the old end was in, where its blocks are smaller than a page; ours are not.
void pagecache_isize_extended(kptr<inode> inode, loff_t from, loff_t to) {
  FUNCTION(inode, from, to);
}

}  // namespace

void do_invalidatepage(kptr<page> page, unsigned offset, unsigned length) {
  FUNCTION(page, offset, length);
  auto* const invalidatepage = page->mapping->a_ops->invalidatepage;
  if (invalidatepage != nullptr) invalidatepage(page, offset, length);
}

void truncate_inode_pages(address_space* mapping, loff_t lstart) {
  FUNCTION(mapping->host, lstart);
  truncate_inode_pages_range(mapping, lstart);
}

void truncate_inode_pages_final(address_space* mapping) {
  FUNCTION(mapping->host);
  truncate_inode_pages(mapping, 0);
}

void truncate_pagecache(kptr<inode> inode, loff_t newsize) {
  FUNCTION(inode, newsize);
  address_space* mapping = inode->i_mapping;
  const auto holebegin = static_cast<loff_t>(PAGE_ALIGN(static_cast<unsigned long>(newsize)));
  unmap_mapping_range(mapping, holebegin, 0, true);
  truncate_inode_pages(mapping, newsize);
  unmap_mapping_range(mapping, holebegin, 0, true);
}

void truncate_setsize(kptr<inode> inode, loff_t newsize) {
  FUNCTION(inode, newsize);
  const loff_t oldsize = i_size_read(inode);
  i_size_write(inode, newsize);
  if (newsize > oldsize) pagecache_isize_extended(inode, oldsize, newsize);
  truncate_pagecache(inode, newsize);
}

}  // namespace kpath
