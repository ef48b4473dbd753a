// SPDX-License-Identifier: Apache-2.0
//
// Dropping cached pages whose data are on the device. v4.19 mm/truncate.c, mm/vmscan.c
#include "sim/mm/memory.h"
#include "sim/mm/writeback.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// The first page of the file from `index` to `end`, with a reference. Null: none.
kptr<page> NextPage(address_space* mapping, pgoff_t index, pgoff_t end) {
  const auto at = mapping->i_pages.lower_bound(index);
  if (at == mapping->i_pages.end() || at->first > end) return nullptr;
  get_page(at->second);
  return at->second;
}

// v4.19 mm/truncate.c: invalidate_complete_page2. False: it is dirty.
bool invalidate_complete_page2(address_space* mapping, kptr<page> page) {
  FUNCTION(page);
  if (PagePrivate(page) && !try_to_release_page(page)) return fn.Return(false);
  unsigned long flags;
  spin_lock_irqsave(&mapping->i_pages_lock, flags);
  const bool clean = !PageDirty(page);
  if (clean) __delete_from_page_cache(page);
  spin_unlock_irqrestore(&mapping->i_pages_lock, flags);
  if (clean) put_page(page);  // the cache's
  return fn.Return(clean);
}

// v4.19 mm/truncate.c: invalidate_inode_page. The caller has one reference, the cache another; who
// has a third one uses the page. True: it was dropped.
bool invalidate_inode_page(kptr<page> page) {
  FUNCTION(page);
  address_space* mapping = page_mapping(page);
  if (mapping == nullptr || PageDirty(page) || PageWriteback(page) || page_mapped(page)) {
    return fn.Return(false);
  }
  if (PagePrivate(page) && !try_to_release_page(page)) return fn.Return(false);
  // v4.19 mm/vmscan.c: remove_mapping
  if (page_count(page) != 2) return fn.Return(false);
  return fn.Return(invalidate_complete_page2(mapping, page));
}

}  // namespace

int invalidate_inode_pages2_range(address_space* mapping, pgoff_t start, pgoff_t end) {
  FUNCTION(mapping->host, start, end);
  int ret = 0;
  while (const kptr<page> page = NextPage(mapping, start, end)) {
    start = page->index + 1;
    lock_page(page);
    if (page->mapping == mapping) {
      wait_on_page_writeback(page);
      if (page_mapped(page)) unmap_mapping_pages(mapping, page->index, 1, false);
      if (!invalidate_complete_page2(mapping, page)) {
        ret = Fail(EBUSY, "page $0 is dirty and cannot be dropped", page->index);
      }
    }
    unlock_page(page);
    put_page(page);
    cond_resched();
  }
  return fn.Return(ret);
}

unsigned long invalidate_mapping_pages(address_space* mapping, pgoff_t start, pgoff_t end) {
  FUNCTION(mapping->host, start, end);
  unsigned long count = 0;
  while (const kptr<page> page = NextPage(mapping, start, end)) {
    start = page->index + 1;
    if (trylock_page(page)) {
      if (invalidate_inode_page(page)) ++count;
      unlock_page(page);
    }
    put_page(page);
    cond_resched();
  }
  return fn.Return(count);
}

}  // namespace kpath
