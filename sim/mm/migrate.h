// SPDX-License-Identifier: Apache-2.0
//
// Moving the contents of a page to another page frame, unseen by those who use it.
// v4.19 mm/migrate.c, include/linux/migrate.h
//
// A page is taken out of every page table, its owner's a_ops->migratepage puts the new one in its
// place, and whoever touches it next finds the new one. A page that somebody else holds, as direct
// I/O does, cannot be moved.
//
// Departs: pages of files alone; entries are taken away instead of being replaced by migration
// entries, so that the next touch is a page fault that waits for the page's lock.
//
// Context: process; may sleep.
#pragma once

#include <vector>

#include "sim/vfs/fs.h"

namespace kpath {

enum migrate_mode : int {
  MIGRATE_ASYNC,         // waits for nothing
  MIGRATE_SYNC_LIGHT,    // waits for locks
  MIGRATE_SYNC,          // and for pages that are being written
  MIGRATE_SYNC_NO_COPY,  // a device copies the contents
};

inline constexpr int MIGRATEPAGE_SUCCESS = 0;

// v4.19 mm/migrate.c: migrate_pages. Moves pages that have been isolated: each with a reference of
// the caller's, which is put when the page has moved. Pages that are left keep theirs, and stay in
// `from`. Returns how many are left for good (may not be moved) or for now (were in use), or
// -ENOMEM: no page to move to.
int migrate_pages(std::vector<kptr<page>>* from, migrate_mode mode);

// For a_ops->migratepage; both pages are locked, `page` is in no page table.
// v4.19 mm/migrate.c: migrate_page. The usual one: moves the mapping and copies.
int migrate_page(struct address_space* mapping, kptr<page> newpage, kptr<page> page, int mode);
// v4.19 mm/migrate.c: migrate_page_move_mapping. Puts `newpage` where `page` is in the page cache.
// `extra_count`: references that the owner of the mapping holds besides the cache's. 0, or -EAGAIN:
// somebody else holds one, too.
int migrate_page_move_mapping(struct address_space* mapping, kptr<page> newpage, kptr<page> page,
                              migrate_mode mode, int extra_count);
// v4.19 mm/migrate.c: migrate_page_copy. Contents and flags.
void migrate_page_copy(kptr<page> newpage, kptr<page> page);

}  // namespace kpath
