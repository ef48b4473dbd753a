// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/filemap.h"

#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/kernel/wait.h"
#include "sim/mm/shmem.h"
#include "sim/mm/swap.h"
#include "sim/mm/vmstat.h"

namespace kpath {
namespace {

// v4.19 mm/filemap.c: page_wait_table
constexpr unsigned PAGE_WAIT_TABLE_SIZE = 256;

struct filemap_globals {
  wait_queue_head_t page_wait_table[PAGE_WAIT_TABLE_SIZE];
};

KernelGlobal<filemap_globals> filemap;

// v4.19 mm/filemap.c: page_waitqueue. Pages share the queues; a wake-up wakes all who wait on one.
wait_queue_head_t* page_waitqueue(kptr<page> page) {
  return &filemap->page_wait_table[page->pfn % PAGE_WAIT_TABLE_SIZE];
}

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

// v4.19 mm/filemap.c: __delete_from_page_cache. Called with i_pages_lock held.
void __delete_from_page_cache(kptr<page> page) {
  FUNCTION(page);
  address_space* mapping = page->mapping;
  __dec_node_page_state(page, NR_FILE_PAGES);
  if (PageSwapBacked(page)) __dec_node_page_state(page, NR_SHMEM);
  mapping->i_pages.erase(page->index);
  --mapping->nrpages;
  page->mapping = nullptr;
}

// A locked page that was cut off its file while we waited for the lock is of no use.
bool was_truncated(kptr<page> page, const address_space* mapping) {
  if (page->mapping == mapping) return false;
  unlock_page(page);
  put_page(page);
  return true;
}

}  // namespace

void pagecache_init() {
  FUNCTION();
  for (wait_queue_head_t& queue : filemap->page_wait_table) {
    init_waitqueue_head(&queue);
  }
}

bool trylock_page(kptr<page> page) {
  if (PageLocked(page)) return false;
  page->flags |= PG_locked;
  return true;
}

void lock_page(kptr<page> page) {
  might_sleep();
  if (!trylock_page(page)) __lock_page(page);
}

void __lock_page(kptr<page> page) {
  FUNCTION(page);
  wait_queue_head_t* queue = page_waitqueue(page);
  wait_queue_entry entry;
  init_wait_entry(&entry, 0);
  while (true) {
    prepare_to_wait(queue, &entry, TASK_UNINTERRUPTIBLE);
    if (trylock_page(page)) break;
    io_schedule();
  }
  finish_wait(queue, &entry);
}

void unlock_page(kptr<page> page) {
  FUNCTION(page);
  if (!PageLocked(page)) {
    Report("kernel BUG at mm/filemap.c: unlock_page",
           {absl::StrCat("page:0x", absl::Hex(page.address()),
                         " dumped because: VM_BUG_ON_PAGE(!PageLocked(page))")});
  }
  page->flags &= ~static_cast<unsigned long>(PG_locked);
  wait_queue_head_t* queue = page_waitqueue(page);
  if (waitqueue_active(queue)) wake_up_all(queue);
}

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

void delete_from_page_cache(kptr<page> page) {
  FUNCTION(page);
  address_space* mapping = page_mapping(page);
  unsigned long flags;
  spin_lock_irqsave(&mapping->i_pages_lock, flags);
  __delete_from_page_cache(page);
  spin_unlock_irqrestore(&mapping->i_pages_lock, flags);
  put_page(page);
}

// ---- mm/page-writeback.c ----

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

void balance_dirty_pages_ratelimited(address_space* mapping) { FUNCTION(mapping->host); }

}  // namespace kpath
