// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/compaction.h"

#include <vector>

#include "sim/mm/migrate.h"
#include "sim/mm/swap.h"

namespace kpath {
namespace {

bool IsMovable(kptr<page> page) {
  return page && PageLRU(page) && page->mapping != nullptr &&
         page->mapping->a_ops->migratepage != nullptr;
}

// v4.19 mm/compaction.c: isolate_migratepages. A reference of each page that can be moved.
std::vector<kptr<page>> isolate_migratepages() {
  FUNCTION();
  std::vector<kptr<page>> isolated;
  for (uint64_t pfn = 0; pfn < max_pfn(); ++pfn) {
    const kptr<page> page = pfn_to_page(pfn);
    if (!IsMovable(page)) continue;
    get_page(page);
    page->flags &= ~static_cast<unsigned long>(PG_lru);
    isolated.push_back(page);
  }
  STEP("isolated", isolated.size());
  return isolated;
}

}  // namespace

int compact_nodes() {
  FUNCTION();
  lru_add_drain();
  std::vector<kptr<page>> pages = isolate_migratepages();
  const int rc = migrate_pages(&pages, MIGRATE_SYNC);
  for (const kptr<page>& page : pages) lru_cache_add(page);  // putback_movable_pages
  release_pages(pages);
  return fn.Return(rc);
}

}  // namespace kpath
