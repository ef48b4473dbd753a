// SPDX-License-Identifier: Apache-2.0
//
// Taking pages off the end of a file. v4.19 mm/truncate.c
//
// Context: process; may sleep. The caller serialises changes of the size (i_rwsem).
#pragma once

#include "sim/mm/filemap.h"

namespace kpath {

// v4.19 mm/truncate.c: do_invalidatepage. The bytes of a locked page with PG_private are gone; by
// a_ops->invalidatepage.
void do_invalidatepage(kptr<page> page, unsigned offset, unsigned length);
// v4.19 mm/truncate.c: truncate_inode_pages. Frees the pages from byte `lstart` on; a page that
// `lstart` is inside of is kept and zeroed from there. The caller has unmapped them.
void truncate_inode_pages(address_space* mapping, loff_t lstart);
// v4.19 mm/truncate.c: truncate_inode_pages_final. All pages of a file that is going away.
void truncate_inode_pages_final(address_space* mapping);
// v4.19 mm/truncate.c: truncate_pagecache. Unmaps what is beyond `newsize`, frees it, and unmaps
// again what was mapped meanwhile.
void truncate_pagecache(kptr<inode> inode, loff_t newsize);
// v4.19 mm/truncate.c: truncate_setsize. Sets the size; what a shorter file loses disappears from
// every process that has it mapped.
void truncate_setsize(kptr<inode> inode, loff_t newsize);

}  // namespace kpath
