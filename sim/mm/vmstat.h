// SPDX-License-Identifier: Apache-2.0
//
// Counters of pages by use, as in /proc/meminfo. v4.19 mm/vmstat.c, include/linux/mmzone.h
//
// Context: any; the counters are one set for the machine.
#pragma once

#include "sim/mm/page.h"

namespace kpath {

enum node_stat_item {
  NR_ANON_MAPPED,  // anonymous pages in page tables
  NR_FILE_MAPPED,  // page cache pages in page tables
  NR_FILE_PAGES,   // pages in a page cache
  NR_FILE_DIRTY,   // of those, that wait to be written back
  NR_WRITEBACK,    // and that are being written back
  NR_SHMEM,        // of those, tmpfs and shared anonymous memory
  NR_VM_NODE_STAT_ITEMS
};

void __inc_node_page_state(kptr<page> page, node_stat_item item);
void __dec_node_page_state(kptr<page> page, node_stat_item item);
void __mod_node_page_state(node_stat_item item, long delta);
// The number of pages of this kind now.
long node_page_state(node_stat_item item);

}  // namespace kpath
