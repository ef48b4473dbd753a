// SPDX-License-Identifier: Apache-2.0
//
// Dirty pages. v4.19 mm/page-writeback.c
#include "sim/kernel/timer.h"
#include "sim/mm/memory.h"
#include "sim/mm/vmstat.h"
#include "sim/mm/writeback.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// The first dirty page of the file from `index` to `end`, with a reference. Null: none.
kptr<page> NextDirtyPage(address_space* mapping, pgoff_t index, pgoff_t end) {
  for (auto at = mapping->i_pages.lower_bound(index); at != mapping->i_pages.end(); ++at) {
    if (at->first > end) break;
    if (!PageDirty(at->second)) continue;
    get_page(at->second);
    return at->second;
  }
  return nullptr;
}

// v4.19 mm/page-writeback.c: __writepage
int __writepage(kptr<page> page, writeback_control* wbc, void* data) {
  FUNCTION(page);
  auto* mapping = static_cast<address_space*>(data);
  const int ret = mapping->a_ops->writepage(page, wbc);
  mapping_set_error(mapping, ret);
  return fn.Return(ret);
}

// What generic_writepages does within its plug.
struct PagesToWrite {
  address_space* mapping;
  writeback_control* wbc;
  int ret;
};
void WriteWithinPlug(void* data) {
  auto& write = *static_cast<PagesToWrite*>(data);
  write.ret = write_cache_pages(write.mapping, write.wbc, __writepage, write.mapping);
}

// Whether write_cache_pages is to write the locked page.
bool IsToBeWritten(kptr<page> page, const address_space* mapping, const writeback_control& wbc) {
  if (page->mapping != mapping || !PageDirty(page)) return false;
  if (PageWriteback(page)) {
    if (wbc.sync_mode == WB_SYNC_NONE) return false;
    wait_on_page_writeback(page);
  }
  return clear_page_dirty_for_io(page);
}

}  // namespace

void account_page_dirtied(kptr<page> page, address_space* mapping) {
  FUNCTION(page);
  if (HasBackingDevice(mapping)) __inc_node_page_state(page, NR_FILE_DIRTY);
}

int set_page_dirty(kptr<page> page) {
  FUNCTION(page);
  address_space* mapping = page_mapping(page);
  if (mapping == nullptr) return fn.Return(TestSetPageDirty(page) ? 0 : 1);
  auto* method = mapping->a_ops == nullptr ? nullptr : mapping->a_ops->set_page_dirty;
  if (method == nullptr) method = __set_page_dirty_no_writeback;
  return fn.Return(method(page));
}

int __set_page_dirty_no_writeback(kptr<page> page) {
  FUNCTION(page);
  return fn.Return(TestSetPageDirty(page) ? 0 : 1);
}

int __set_page_dirty_nobuffers(kptr<page> page) {
  FUNCTION(page);
  if (TestSetPageDirty(page)) return fn.Return(0);
  address_space* mapping = page_mapping(page);
  if (mapping == nullptr) return fn.Return(1);
  unsigned long flags;
  spin_lock_irqsave(&mapping->i_pages_lock, flags);
  account_page_dirtied(page, mapping);
  spin_unlock_irqrestore(&mapping->i_pages_lock, flags);
  __mark_inode_dirty(mapping->host, I_DIRTY_PAGES);
  return fn.Return(1);
}

int set_page_dirty_lock(kptr<page> page) {
  FUNCTION(page);
  lock_page(page);
  const int ret = set_page_dirty(page);
  unlock_page(page);
  return fn.Return(ret);
}

void balance_dirty_pages_ratelimited(address_space* mapping) { FUNCTION(mapping->host); }

// Departs: page_mkclean makes the page's entries read-only, so that a later write to mapped memory
// makes the page dirty again; here they are taken out of the page tables.
bool clear_page_dirty_for_io(kptr<page> page) {
  FUNCTION(page);
  address_space* mapping = page_mapping(page);
  if (mapping != nullptr && page_mapped(page)) unmap_mapping_pages(mapping, page->index, 1, false);
  if (!PageDirty(page)) return fn.Return(false);
  ClearPageDirty(page);
  if (mapping != nullptr && HasBackingDevice(mapping)) __dec_node_page_state(page, NR_FILE_DIRTY);
  return fn.Return(true);
}

void cancel_dirty_page(kptr<page> page) {
  if (!PageDirty(page)) return;
  FUNCTION(page);
  ClearPageDirty(page);
  const address_space* mapping = page->mapping;
  if (mapping != nullptr && HasBackingDevice(mapping)) __dec_node_page_state(page, NR_FILE_DIRTY);
}

// Departs: no batches of pages (pagevec), no cycling through the file, no tags that keep a writer
// who is faster than the device from making this go on for ever.
int write_cache_pages(address_space* mapping, writeback_control* wbc, writepage_t writepage,
                      void* data) {
  FUNCTION(mapping->host, wbc->range_start, wbc->range_end, wbc->sync_mode);
  const pgoff_t end = static_cast<pgoff_t>(wbc->range_end) >> PAGE_SHIFT;
  pgoff_t index = static_cast<pgoff_t>(wbc->range_start) >> PAGE_SHIFT;
  int ret = 0;
  while (const kptr<page> page = NextDirtyPage(mapping, index, end)) {
    index = page->index + 1;
    lock_page(page);
    if (IsToBeWritten(page, mapping, *wbc)) {
      ret = writepage(page, wbc, data);
      --wbc->nr_to_write;
    } else {
      unlock_page(page);
    }
    put_page(page);
    if (ret != 0 || (wbc->nr_to_write <= 0 && wbc->sync_mode == WB_SYNC_NONE)) break;
    cond_resched();
  }
  return fn.Return(ret);
}

int generic_writepages(address_space* mapping, writeback_control* wbc) {
  FUNCTION(mapping->host);
  PagesToWrite write = {mapping, wbc, 0};
  if (vfs_hooks->plugged != nullptr) {
    vfs_hooks->plugged(WriteWithinPlug, &write);
  } else {
    WriteWithinPlug(&write);
  }
  return fn.Return(write.ret);
}

void redirty_page_for_writepage(writeback_control* wbc, kptr<page> page) {
  FUNCTION(page);
  ++wbc->pages_skipped;
  __set_page_dirty_nobuffers(page);
}

int do_writepages(address_space* mapping, writeback_control* wbc) {
  FUNCTION(mapping->host, wbc->nr_to_write);
  if (wbc->nr_to_write <= 0) return fn.Return(0);
  while (true) {
    const int ret = mapping->a_ops->writepages(mapping, wbc);
    if (ret != -ENOMEM || wbc->sync_mode != WB_SYNC_ALL) return fn.Return(ret);
    cond_resched();
    schedule_timeout_uninterruptible(HZ / 50);  // congestion_wait
  }
}

}  // namespace kpath
