// SPDX-License-Identifier: Apache-2.0
//
// Pinning user pages, so that a device can use them. v4.19 mm/gup.c; lib/iov_iter.c
//
//   kptr<page> pages[4];
//   int got = get_user_pages_fast(address, 4, /*write=*/1, pages);
//   ...
//   for (int i = 0; i < got; ++i) put_page(pages[i]);
//
// A pinned page stays where it is and is not freed, even if its user unmaps it.
//
// Context: process.
#pragma once

#include "sim/mm/page.h"
#include "sim/vfs/iov_iter.h"

namespace kpath {

// v4.19 mm/gup.c: get_user_pages_fast. The pages of [start, start + nr_pages * PAGE_SIZE) of the
// current process, each with a reference for the caller; `write`: they are to be written to. Looks
// at the page table alone first, and brings in what is missing then. Returns how many it got, fewer
// where the rest cannot be had, or
//   -EFAULT  not even the first: not mapped, not writable, or beyond the user's addresses
//   -ENOMEM
int get_user_pages_fast(unsigned long start, int nr_pages, int write, kptr<page>* pages);
// v4.19 mm/gup.c: get_user_pages_unlocked. The same by way of the areas: takes mmap_sem.
long get_user_pages_unlocked(unsigned long start, unsigned long nr_pages, kptr<page>* pages,
                             unsigned gup_flags);
inline constexpr unsigned FOLL_WRITE = 0x01;
inline constexpr unsigned FOLL_TOUCH = 0x02;
inline constexpr unsigned FOLL_GET = 0x04;

// v4.19 lib/iov_iter.c: iov_iter_get_pages. Pins pages of the iter's first segment, up to
// `maxpages` and `maxsize` bytes; the data begin *start bytes into the first. Returns the bytes, or
// what get_user_pages_fast says; -EFAULT for memory of the kernel's own. The iter does not move.
ssize_t iov_iter_get_pages(const iov_iter* i, kptr<page>* pages, size_t maxsize, unsigned maxpages,
                           size_t* start);

}  // namespace kpath
