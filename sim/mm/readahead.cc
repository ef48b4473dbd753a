// SPDX-License-Identifier: Apache-2.0
//
// Guessing what a file will be read for next, and reading it before. v4.19 mm/readahead.c
//
// Departs: no readahead that is forced (posix_fadvise, readahead); a device is never too busy for
// it (bdi_read_congested), and says nothing of how much is best for it (io_pages).
#include <algorithm>
#include <bit>

#include "sim/mm/filemap.h"
#include "sim/mm/writeback.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// What read_pages does within its plug.
struct PagesToRead {
  address_space* mapping;
  kptr<file> filp;
  const std::vector<kptr<page>>* pages;
};

void ReadWithinPlug(void* data) {
  const auto& read = *static_cast<const PagesToRead*>(data);
  const address_space_operations* a_ops = read.mapping->a_ops;
  if (a_ops->readpages != nullptr) {
    a_ops->readpages(read.filp, read.mapping, *read.pages);
    return;
  }
  for (const kptr<page>& page : *read.pages) {
    const int error = add_to_page_cache_lru(page, read.mapping, page->index, GFP_KERNEL);
    if (error == 0) a_ops->readpage(read.filp, page);
    put_page(page);
  }
}

// v4.19 mm/readahead.c: read_pages
void read_pages(address_space* mapping, kptr<file> filp, const std::vector<kptr<page>>& pages) {
  FUNCTION(mapping->host, pages.size());
  PagesToRead read = {mapping, filp, &pages};
  if (vfs_hooks->plugged != nullptr) {
    vfs_hooks->plugged(ReadWithinPlug, &read);
  } else {
    ReadWithinPlug(&read);
  }
}

// v4.19 mm/readahead.c: __do_page_cache_readahead. Returns the pages of the last piece that it
// began to read.
unsigned __do_page_cache_readahead(address_space* mapping, kptr<file> filp, pgoff_t offset,
                                   unsigned long nr_to_read, unsigned long lookahead_size) {
  FUNCTION(mapping->host, offset, nr_to_read, lookahead_size);
  const loff_t isize = i_size_read(mapping->host);
  std::vector<kptr<page>> pool;
  unsigned nr_pages = 0;
  if (isize == 0) return fn.Return(0u);
  const pgoff_t end_index = static_cast<pgoff_t>(isize - 1) >> PAGE_SHIFT;
  for (unsigned long page_idx = 0; page_idx < nr_to_read; ++page_idx) {
    const pgoff_t page_offset = offset + page_idx;
    if (page_offset > end_index) break;
    if (mapping->i_pages.count(page_offset) != 0) {
      // What is before a page that is there already is read on its own.
      if (!pool.empty()) read_pages(mapping, filp, pool);
      pool.clear();
      nr_pages = 0;
      continue;
    }
    const kptr<page> page = alloc_page(GFP_HIGHUSER);  // __page_cache_alloc
    if (!page) break;
    page->index = page_offset;
    if (page_idx == nr_to_read - lookahead_size) SetPageReadahead(page);
    pool.push_back(page);
    ++nr_pages;
  }
  if (!pool.empty()) read_pages(mapping, filp, pool);
  return fn.Return(nr_pages);
}

// v4.19 mm/internal.h: ra_submit
void ra_submit(file_ra_state* ra, address_space* mapping, kptr<file> filp) {
  __do_page_cache_readahead(mapping, filp, ra->start, ra->size, ra->async_size);
}

// v4.19 mm/readahead.c: get_init_ra_size. The first window of a reader who wants `size` pages.
unsigned get_init_ra_size(unsigned long size, unsigned long max) {
  const unsigned long newsize = std::bit_ceil(size);
  if (newsize <= max / 32) return static_cast<unsigned>(newsize * 4);
  if (newsize <= max / 4) return static_cast<unsigned>(newsize * 2);
  return static_cast<unsigned>(max);
}

// v4.19 mm/readahead.c: get_next_ra_size
unsigned get_next_ra_size(const file_ra_state* ra, unsigned long max) {
  const unsigned long cur = ra->size;
  return static_cast<unsigned>(std::min(cur < max / 16 ? 4 * cur : 2 * cur, max));
}

// v4.19 mm/filemap.c: page_cache_next_hole. The first page of [index, index + max_scan) that is not
// cached; index + max_scan: none.
pgoff_t page_cache_next_hole(address_space* mapping, pgoff_t index, unsigned long max_scan) {
  FUNCTION(mapping->host, index, max_scan);
  pgoff_t at = index;
  while (at < index + max_scan && mapping->i_pages.count(at) != 0) ++at;
  return fn.Return(at);
}

// v4.19 mm/readahead.c: count_history_pages. The cached pages right before `offset`, at most `max`.
pgoff_t count_history_pages(address_space* mapping, pgoff_t offset, unsigned long max) {
  pgoff_t size = 0;  // page_cache_prev_hole
  while (size < max && size < offset && mapping->i_pages.count(offset - 1 - size) != 0) ++size;
  return size;
}

// v4.19 mm/readahead.c: try_context_readahead. Several readers of one open file leave no trace in
// its ra; what is cached before `offset` tells of a sequential one.
bool try_context_readahead(address_space* mapping, file_ra_state* ra, pgoff_t offset,
                           unsigned long req_size, unsigned long max) {
  pgoff_t size = count_history_pages(mapping, offset, max);
  if (size <= req_size) return false;  // not even what was asked for: not a sequential one
  if (size >= offset) size *= 2;       // from the beginning of the file: a long one
  ra->start = offset;
  ra->size = static_cast<unsigned>(std::min<unsigned long>(size + req_size, max));
  ra->async_size = 1;
  return true;
}

// The window that ondemand_readahead chooses. False: there is none, or it is `req_size` pages once.
enum class Window : uint8_t { kNone, kOnce, kRead };
Window ChooseWindow(address_space* mapping, file_ra_state* ra, bool hit_readahead_marker,
                    pgoff_t offset, unsigned long req_size, unsigned long max_pages) {
  const bool in_sequence =
      offset == ra->start + ra->size - ra->async_size || offset == ra->start + ra->size;
  if (offset != 0 && in_sequence) {
    ra->start += ra->size;
    ra->size = get_next_ra_size(ra, max_pages);
    ra->async_size = ra->size;
    return Window::kRead;
  }
  if (offset != 0 && hit_readahead_marker) {
    const pgoff_t start = page_cache_next_hole(mapping, offset + 1, max_pages);
    if (start == 0 || start - offset > max_pages) return Window::kNone;
    ra->start = start;
    ra->size = static_cast<unsigned>(start - offset + req_size);
    ra->size = get_next_ra_size(ra, max_pages);
    ra->async_size = ra->size;
    return Window::kRead;
  }
  const pgoff_t prev_offset = static_cast<pgoff_t>(ra->prev_pos) >> PAGE_SHIFT;
  const bool begins = offset == 0 || req_size > max_pages || offset - prev_offset <= 1;
  if (!begins) {
    if (try_context_readahead(mapping, ra, offset, req_size, max_pages)) return Window::kRead;
    return Window::kOnce;
  }
  ra->start = offset;
  ra->size = get_init_ra_size(req_size, max_pages);
  ra->async_size = ra->size > req_size ? ra->size - static_cast<unsigned>(req_size) : ra->size;
  return Window::kRead;
}

// v4.19 mm/readahead.c: ondemand_readahead
void ondemand_readahead(address_space* mapping, file_ra_state* ra, kptr<file> filp,
                        bool hit_readahead_marker, pgoff_t offset, unsigned long req_size) {
  FUNCTION(mapping->host, hit_readahead_marker, offset, req_size);
  const unsigned long max_pages = ra->ra_pages;
  const Window window =
      ChooseWindow(mapping, ra, hit_readahead_marker, offset, req_size, max_pages);
  if (window == Window::kNone) return;
  if (window == Window::kOnce) {
    STEP("a random read: nothing but what was asked for", offset, req_size);
    __do_page_cache_readahead(mapping, filp, offset, req_size, 0);
    return;
  }
  // The reader would hit the marker at once: the next window is begun with this one.
  if (offset == ra->start && ra->size == ra->async_size) {
    ra->async_size = get_next_ra_size(ra, max_pages);
    ra->size += ra->async_size;
  }
  STEP("window", ra->start, ra->size, ra->async_size);
  ra_submit(ra, mapping, filp);
}

}  // namespace

void page_cache_sync_readahead(address_space* mapping, file_ra_state* ra, kptr<file> filp,
                               pgoff_t offset, unsigned long req_size) {
  FUNCTION(mapping->host, offset, req_size);
  if (ra->ra_pages == 0) return;
  ondemand_readahead(mapping, ra, filp, false, offset, req_size);
}

void page_cache_async_readahead(address_space* mapping, file_ra_state* ra, kptr<file> filp,
                                kptr<page> page, pgoff_t offset, unsigned long req_size) {
  FUNCTION(mapping->host, offset, req_size);
  if (ra->ra_pages == 0 || PageWriteback(page)) return;
  ClearPageReadahead(page);
  ondemand_readahead(mapping, ra, filp, true, offset, req_size);
}

}  // namespace kpath
