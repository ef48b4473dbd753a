// SPDX-License-Identifier: Apache-2.0
//
// Counting the page table entries of each page. v4.19 mm/rmap.c
//
// Context: page_table_lock held.
#pragma once

#include "sim/mm/page.h"

namespace kpath {

void page_add_file_rmap(kptr<page> page);
// The first entry of a page that is private to one process; marks it anonymous.
void page_add_new_anon_rmap(kptr<page> page);
void page_remove_rmap(kptr<page> page);

// v4.19 mm/rmap.c: try_to_unmap. Takes a page of a file out of every page table; a write through an
// entry is carried over to the page. Returns whether it is in none any more. REQUIRES: the page is
// locked. Context: process, may sleep; page_table_lock not held.
bool try_to_unmap(kptr<page> page);

}  // namespace kpath
