// SPDX-License-Identifier: Apache-2.0
//
// How recently pages were used: the LRU lists, and batches of pages to release.
// v4.19 mm/swap.c, include/linux/swap.h
//
// Departs: nothing is ever reclaimed, so of the lists only the pages' own bits are kept (on a list,
// active, referenced), and there are no per-CPU batches: a page is on its list at once.
//
// Context: any.
#pragma once

#include <vector>

#include "sim/mm/page.h"

namespace kpath {

// A page that has just entered a page cache.
void lru_cache_add(kptr<page> page);
// The same for pages of memory files, and for anonymous pages.
void lru_cache_add_anon(kptr<page> page);
void lru_cache_add_active_or_unevictable(kptr<page> page);

// Empties the batches of pages on their way to a list; called before pages are taken out of page
// tables. There are no batches.
void lru_add_drain();

// The page was used. Unreferenced becomes referenced; inactive and referenced becomes active.
void mark_page_accessed(kptr<page> page);

// Puts a reference of each page.
void release_pages(const std::vector<kptr<page>>& pages);

}  // namespace kpath
