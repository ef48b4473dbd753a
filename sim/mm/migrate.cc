// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/migrate.h"

#include <utility>

#include "sim/mm/filemap.h"
#include "sim/mm/memory.h"
#include "sim/mm/rmap.h"
#include "sim/mm/swap.h"

namespace kpath {
namespace {

// The first passes only try; from then on a page's lock is waited for.
constexpr int kPasses = 10;
constexpr int kPassesThatTry = 3;

// v4.19 mm/migrate.c: migrate_page_states
void migrate_page_states(kptr<page> newpage, kptr<page> page) {
  FUNCTION(newpage, page);
  constexpr unsigned long kCopied =
      PG_error | PG_referenced | PG_uptodate | PG_active | PG_swapbacked | PG_dirty;
  newpage->flags |= page->flags & kCopied;
}

// v4.19 mm/migrate.c: move_to_new_page
int move_to_new_page(kptr<page> newpage, kptr<page> page, migrate_mode mode) {
  FUNCTION(newpage, page, static_cast<int>(mode));
  address_space* mapping = page_mapping(page);
  const int rc = mapping->a_ops->migratepage(mapping, newpage, page, mode);
  if (rc == MIGRATEPAGE_SUCCESS) page->mapping = nullptr;
  return fn.Return(rc);
}

// v4.19 mm/migrate.c: __unmap_and_move
int __unmap_and_move(kptr<page> page, kptr<struct page> newpage, bool force, migrate_mode mode) {
  FUNCTION(page, newpage, force, static_cast<int>(mode));
  if (!trylock_page(page)) {
    if (!force || mode == MIGRATE_ASYNC) {
      return fn.Return<int>(Fail(EAGAIN, "page $0 is locked", page->index));
    }
    lock_page(page);
  }
  int rc = Fail(EAGAIN, "page $0 has left its file, or is in a page table", page->index);
  if (trylock_page(newpage)) {
    if (page->mapping != nullptr && page_mapped(page)) try_to_unmap(page);
    if (page->mapping != nullptr && !page_mapped(page)) rc = move_to_new_page(newpage, page, mode);
    unlock_page(newpage);
  }
  unlock_page(page);
  return fn.Return(rc);
}

// v4.19 mm/migrate.c: unmap_and_move. Puts the caller's reference of a page that has moved.
int unmap_and_move(kptr<page> page, bool force, migrate_mode mode) {
  FUNCTION(page, force, static_cast<int>(mode));
  if (page_count(page) == 1) {  // nobody else has it any more
    put_page(page);
    return fn.Return(MIGRATEPAGE_SUCCESS);
  }
  const kptr<struct page> newpage = alloc_page(GFP_HIGHUSER_MOVABLE);
  if (!newpage) return fn.Return<int>(Fail(ENOMEM, "no page to move page $0 to", page->index));
  const int rc = __unmap_and_move(page, newpage, force, mode);
  if (rc == MIGRATEPAGE_SUCCESS) {
    put_page(page);
    lru_cache_add(newpage);  // putback_lru_page
  }
  put_page(newpage);
  return fn.Return(rc);
}

}  // namespace

int migrate_page_move_mapping(struct address_space* mapping, kptr<page> newpage, kptr<page> page,
                              migrate_mode mode, int extra_count) {
  FUNCTION(mapping->host, newpage, page, static_cast<int>(mode), extra_count);
  const int expected_count = 1 + extra_count + 1;  // the caller's, the owner's, the cache's
  spin_lock_irq(&mapping->i_pages_lock);
  const auto slot = mapping->i_pages.find(page->index);
  if (page_count(page) != expected_count || slot == mapping->i_pages.end() ||
      slot->second != page) {
    spin_unlock_irq(&mapping->i_pages_lock);
    return fn.Return<int>(Fail(EAGAIN, "page $0 has $1 references, $2 expected", page->index,
                               page_count(page), expected_count));
  }
  newpage->index = page->index;
  newpage->mapping = page->mapping;
  get_page(newpage);  // the cache's
  slot->second = newpage;
  STEP("the cache has the new page", newpage, newpage->index);
  put_page(page);  // the cache's, of the old one
  spin_unlock_irq(&mapping->i_pages_lock);
  return fn.Return(MIGRATEPAGE_SUCCESS);
}

void migrate_page_copy(kptr<page> newpage, kptr<page> page) {
  FUNCTION(newpage, page);
  copy_highpage(newpage, page);
  migrate_page_states(newpage, page);
}

int migrate_page(struct address_space* mapping, kptr<page> newpage, kptr<page> page, int mode) {
  FUNCTION(mapping->host, newpage, page, mode);
  const int rc =
      migrate_page_move_mapping(mapping, newpage, page, static_cast<migrate_mode>(mode), 0);
  if (rc != MIGRATEPAGE_SUCCESS) return fn.Return(rc);
  if (mode != MIGRATE_SYNC_NO_COPY) {
    migrate_page_copy(newpage, page);
  } else {
    migrate_page_states(newpage, page);
  }
  return fn.Return(MIGRATEPAGE_SUCCESS);
}

int migrate_pages(std::vector<kptr<page>>* from, migrate_mode mode) {
  FUNCTION(from->size(), static_cast<int>(mode));
  std::vector<kptr<page>> failed;
  for (int pass = 0; pass < kPasses && !from->empty(); ++pass) {
    std::vector<kptr<page>> again;
    for (size_t i = 0; i < from->size(); ++i) {
      cond_resched();
      const int rc = unmap_and_move((*from)[i], pass >= kPassesThatTry, mode);
      if (rc == -ENOMEM) {
        again.insert(again.end(), from->begin() + static_cast<long>(i), from->end());
        again.insert(again.end(), failed.begin(), failed.end());
        *from = std::move(again);
        return fn.Return(rc);
      }
      if (rc == -EAGAIN) {
        again.push_back((*from)[i]);
      } else if (rc != MIGRATEPAGE_SUCCESS) {
        failed.push_back((*from)[i]);
      }
    }
    *from = std::move(again);
  }
  from->insert(from->end(), failed.begin(), failed.end());
  return fn.Return(static_cast<int>(from->size()));
}

}  // namespace kpath
