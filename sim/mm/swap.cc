// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/swap.h"

namespace kpath {
namespace {

// v4.19 mm/swap.c: __lru_cache_add
void __lru_cache_add(kptr<page> page) {
  FUNCTION(page);
  page->flags |= PG_lru;
}

// v4.19 mm/swap.c: activate_page
void activate_page(kptr<page> page) {
  FUNCTION(page);
  page->flags |= PG_active;
}

// v4.19 mm/workingset.c: workingset_activation. Its ageing is for reclaim, which there is not.
void workingset_activation(kptr<page> page) { FUNCTION(page); }

}  // namespace

void lru_cache_add(kptr<page> page) {
  FUNCTION(page);
  __lru_cache_add(page);
}

void lru_cache_add_anon(kptr<page> page) {
  FUNCTION(page);
  __lru_cache_add(page);
}

void lru_cache_add_active_or_unevictable(kptr<page> page) {
  FUNCTION(page);
  page->flags |= PG_active;
  __lru_cache_add(page);
}

void lru_add_drain() { FUNCTION(); }

void mark_page_accessed(kptr<page> page) {
  FUNCTION(page);
  if (!PageReferenced(page)) {
    page->flags |= PG_referenced;
    return;
  }
  if (PageActive(page)) return;
  activate_page(page);
  page->flags &= ~static_cast<unsigned long>(PG_referenced);
  if (page_is_file_cache(page)) workingset_activation(page);
}

void release_pages(const std::vector<kptr<page>>& pages) {
  FUNCTION(pages.size());
  for (const kptr<page>& page : pages) put_page(page);
}

}  // namespace kpath
