// SPDX-License-Identifier: Apache-2.0
//
// Writing dirty pages back to the device that the file is on, and waiting for that.
// v4.19 include/linux/writeback.h, mm/page-writeback.c, mm/filemap.c
//
//   set_page_dirty(page);                                        // under the page's lock
//   int error = filemap_write_and_wait_range(mapping, 0, LLONG_MAX);
//
// A page is dirty, then (clear_page_dirty_for_io, set_page_writeback) on its way to the device,
// then (end_page_writeback, in the device's interrupt) clean. It can become dirty again while it is
// on its way. What could not be written is told by whoever waits, and by each file's next fsync.
//
// Departs: there are no threads that write back what has been dirty for long, or because there is
// too much of it; a page is written when somebody asks for it: fsync, O_SYNC, a direct read or
// write of the same place. Tags of the tree (PAGECACHE_TAG_DIRTY and its kin) are the pages' own
// bits.
//
// Context: process, may sleep; end_page_writeback, page_endio: any.
//
// Invariants
//   1. A page that is being written back is not freed: the cache holds it, and who takes it out of
//      the cache waits for the end first.
//   2. NR_FILE_DIRTY and NR_WRITEBACK count the pages with PG_dirty, of files that are written
//   back,
//      and with PG_writeback.
#pragma once

#include "sim/mm/filemap.h"

namespace kpath {

enum writeback_sync_modes {
  WB_SYNC_NONE,  // nobody waits: what is being written already is left out
  WB_SYNC_ALL,   // somebody waits for all
};

struct writeback_control {
  long nr_to_write = 0;  // pages; counted down
  long pages_skipped = 0;
  loff_t range_start = 0;  // bytes, both of them inclusive
  loff_t range_end = 0;
  writeback_sync_modes sync_mode = WB_SYNC_NONE;
};

// ---- One page ----
// Sleeps until it has been written. REQUIRES: locked, or the caller has a reference.
void wait_on_page_writeback(kptr<page> page);
// v4.19 include/linux/page-flags.h: set_page_writeback. REQUIRES: locked.
void set_page_writeback(kptr<page> page);
// v4.19 mm/filemap.c: end_page_writeback. Context: any.
void end_page_writeback(kptr<page> page);
// v4.19 mm/filemap.c: page_endio. The device has read or written the page; `err`: 0 or a negative
// errno. Context: any.
void page_endio(kptr<page> page, bool is_write, int err);
// v4.19 mm/page-writeback.c: clear_page_dirty_for_io. True: it was dirty; the caller writes it.
// REQUIRES: locked.
bool clear_page_dirty_for_io(kptr<page> page);
// v4.19 mm/page-writeback.c: __cancel_dirty_page. It need not be written any more.
void cancel_dirty_page(kptr<page> page);

// ---- A file's pages ----
using writepage_t = int (*)(kptr<page> page, writeback_control* wbc, void* data);
// v4.19 mm/page-writeback.c: write_cache_pages. Calls writepage for each dirty page of the range,
// locked, its dirty bit cleared; writepage unlocks it. 0 or writepage's first error.
int write_cache_pages(address_space* mapping, writeback_control* wbc, writepage_t writepage,
                      void* data);
// v4.19 mm/page-writeback.c: generic_writepages. For a_ops->writepages: by a_ops->writepage, page
// by page. 0 or the first error.
int generic_writepages(address_space* mapping, writeback_control* wbc);
// v4.19 mm/page-writeback.c: do_writepages. By the file system's writepages.
int do_writepages(address_space* mapping, writeback_control* wbc);
// v4.19 mm/page-writeback.c: redirty_page_for_writepage. It cannot be written now.
void redirty_page_for_writepage(writeback_control* wbc, kptr<page> page);
// v4.19 mm/filemap.c: filemap_write_and_wait. All of the file. 0 or a negative errno.
int filemap_write_and_wait(address_space* mapping);
// v4.19 mm/filemap.c: filemap_fdatawrite. Begins to write all that is dirty. 0 or a negative errno.
int filemap_fdatawrite(address_space* mapping);
// v4.19 mm/filemap.c: __filemap_fdatawrite_range. Bytes `start` to `end`.
int __filemap_fdatawrite_range(address_space* mapping, loff_t start, loff_t end,
                               writeback_sync_modes sync_mode);
// v4.19 mm/filemap.c: filemap_fdatawait_range. Waits for what is on its way. 0, -EIO or -ENOSPC.
int filemap_fdatawait_range(address_space* mapping, loff_t start_byte, loff_t end_byte);
// v4.19 mm/filemap.c: file_write_and_wait_range. The same for an fsync: an error is told to each
// file that was open when it came, once.
int file_write_and_wait_range(kptr<file> file, loff_t lstart, loff_t lend);

// ---- Errors ----
// v4.19 include/linux/pagemap.h: mapping_set_error. Context: any.
void mapping_set_error(address_space* mapping, int error);
// v4.19 mm/filemap.c: file_check_and_advance_wb_err. The error since this file asked last, or 0.
int file_check_and_advance_wb_err(kptr<file> file);

// ---- Dropping pages ----
// v4.19 mm/truncate.c: invalidate_mapping_pages. Drops those of pages `start` to `end` that nobody
// uses and that are clean. Returns how many.
unsigned long invalidate_mapping_pages(address_space* mapping, pgoff_t start, pgoff_t end);

}  // namespace kpath
