// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/filemap.h"

#include "sim/mm/shmem.h"
#include "sim/mm/swap.h"
#include "sim/mm/vmstat.h"

namespace kpath {
namespace {

// v4.19 mm/filemap.c: page_cache_tree_insert
int page_cache_tree_insert(address_space* mapping, kptr<page> page) {
  FUNCTION(mapping->host, page->index);
  const auto [place, is_new] = mapping->i_pages.try_emplace(page->index, page);
  if (!is_new) return fn.Return(Fail(EEXIST, "page $0 of the file is cached already", page->index));
  shmem_mapping(mapping);  // whether to keep an eye on the tree's node for reclaim
  ++mapping->nrpages;
  return fn.Return(0);
}

// v4.19 mm/filemap.c: __add_to_page_cache_locked
int __add_to_page_cache_locked(kptr<page> page, address_space* mapping, pgoff_t offset,
                               gfp_t gfp_mask) {
  FUNCTION(page, mapping->host, offset, static_cast<uint32_t>(gfp_mask));
  get_page(page);
  page->mapping = mapping;
  page->index = offset;
  spin_lock_irq(&mapping->i_pages_lock);
  const int error = page_cache_tree_insert(mapping, page);
  if (error != 0) {
    page->mapping = nullptr;
    spin_unlock_irq(&mapping->i_pages_lock);
    put_page(page);
    return fn.Return(error);
  }
  __inc_node_page_state(page, NR_FILE_PAGES);
  spin_unlock_irq(&mapping->i_pages_lock);
  return fn.Return(0);
}

}  // namespace

void __delete_from_page_cache(kptr<page> page) {
  FUNCTION(page);
  address_space* mapping = page->mapping;
  __dec_node_page_state(page, NR_FILE_PAGES);
  if (PageSwapBacked(page)) __dec_node_page_state(page, NR_SHMEM);
  mapping->i_pages.erase(page->index);
  --mapping->nrpages;
  page->mapping = nullptr;
}

namespace {

// A locked page that was cut off its file while we waited for the lock is of no use.
bool was_truncated(kptr<page> page, const address_space* mapping) {
  if (page->mapping == mapping) return false;
  unlock_page(page);
  put_page(page);
  return true;
}

}  // namespace

address_space* page_mapping(kptr<page> page) {
  FUNCTION(page);
  return page->mapping;
}

kptr<page> find_get_entry(address_space* mapping, pgoff_t offset) {
  FUNCTION(mapping->host, offset);
  const auto found = mapping->i_pages.find(offset);
  if (found == mapping->i_pages.end()) return fn.Return(kptr<struct page>());
  get_page(found->second);
  return fn.Return(found->second);
}

kptr<page> find_lock_entry(address_space* mapping, pgoff_t offset) {
  FUNCTION(mapping->host, offset);
  while (true) {
    const kptr<page> page = find_get_entry(mapping, offset);
    if (!page) return fn.Return(page);
    lock_page(page);
    if (page_mapping(page) == mapping) return fn.Return(page);
    unlock_page(page);
    put_page(page);
  }
}

kptr<page> pagecache_get_page(address_space* mapping, pgoff_t offset, int fgp_flags,
                              gfp_t gfp_mask) {
  FUNCTION(mapping->host, offset, fgp_flags);
  while (true) {
    kptr<page> page = find_get_entry(mapping, offset);
    if (page) {
      if ((fgp_flags & FGP_NOWAIT) != 0 && PageLocked(page)) {
        put_page(page);
        return fn.Return(kptr<struct page>());
      }
      if ((fgp_flags & FGP_LOCK) != 0) {
        lock_page(page);
        if (was_truncated(page, mapping)) continue;
      }
      if ((fgp_flags & FGP_ACCESSED) != 0) mark_page_accessed(page);
      return fn.Return(page);
    }
    if ((fgp_flags & FGP_CREAT) == 0) return fn.Return(page);
    page = __alloc_pages_nodemask(gfp_mask);
    if (!page) return fn.Return(page);
    // Nobody else knows the page yet, so this is as good as mark_page_accessed.
    if ((fgp_flags & FGP_ACCESSED) != 0) page->flags |= PG_referenced;
    const int error = add_to_page_cache_lru(page, mapping, offset, gfp_mask);
    if (error == 0) return fn.Return(page);
    put_page(page);
    if (error != -EEXIST) return fn.Return(kptr<struct page>());
  }
}

int add_to_page_cache_lru(kptr<page> page, address_space* mapping, pgoff_t offset, gfp_t gfp_mask) {
  FUNCTION(page, mapping->host, offset);
  page->flags |= PG_locked;
  const int error = __add_to_page_cache_locked(page, mapping, offset, gfp_mask);
  if (error != 0) {
    page->flags &= ~static_cast<unsigned long>(PG_locked);
    return fn.Return(error);
  }
  lru_cache_add(page);
  return fn.Return(0);
}

bool try_to_release_page(kptr<page> page) {
  FUNCTION(page);
  if (PageWriteback(page)) return fn.Return(false);
  const address_space* mapping = page->mapping;
  auto* const releasepage = mapping == nullptr ? nullptr : mapping->a_ops->releasepage;
  return fn.Return(releasepage != nullptr && releasepage(page));
}

void delete_from_page_cache(kptr<page> page) {
  FUNCTION(page);
  address_space* mapping = page_mapping(page);
  unsigned long flags;
  spin_lock_irqsave(&mapping->i_pages_lock, flags);
  __delete_from_page_cache(page);
  spin_unlock_irqrestore(&mapping->i_pages_lock, flags);
  put_page(page);
}

}  // namespace kpath
