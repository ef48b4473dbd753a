// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/rmap.h"

#include "sim/mm/vmstat.h"

namespace kpath {

void page_add_file_rmap(kptr<page> page) {
  FUNCTION(page);
  if (++page->_mapcount == 0) __mod_node_page_state(NR_FILE_MAPPED, 1);
}

void page_add_new_anon_rmap(kptr<page> page) {
  FUNCTION(page);
  page->flags |= PG_anon | PG_swapbacked;
  page->_mapcount = 0;
  __mod_node_page_state(NR_ANON_MAPPED, 1);
}

void page_remove_rmap(kptr<page> page) {
  FUNCTION(page);
  if (--page->_mapcount >= 0) return;
  __mod_node_page_state(PageAnon(page) ? NR_ANON_MAPPED : NR_FILE_MAPPED, -1);
}

}  // namespace kpath
