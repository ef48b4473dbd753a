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

}  // namespace kpath
