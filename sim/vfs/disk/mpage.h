// SPDX-License-Identifier: Apache-2.0
//
// Reading and writing pages of files with as few bios as possible: pages whose blocks lie one
// behind the other go in one. v4.19 fs/mpage.c
//
//   int ext2_readpage(kptr<file>, kptr<page> page) { return mpage_readpage(page, ext2_get_block); }
//
// A page that is read is locked until mpage_end_io unlocks it, in the device's interrupt; one that
// is written has PG_writeback until then. A page whose blocks are not in one run, or not all dirty,
// goes block by block (buffer_head.h).
//
// Context: process, may sleep; mpage_end_io: any.
#pragma once

#include <vector>

#include "sim/mm/writeback.h"
#include "sim/vfs/disk/buffer_head.h"

namespace kpath {

// For a_ops->readpage. 0: it will be unlocked.
int mpage_readpage(kptr<page> page, get_block_t get_block);
// For a_ops->readpages.
int mpage_readpages(address_space* mapping, const std::vector<kptr<page>>& pages,
                    get_block_t get_block);
// For a_ops->writepages. 0 or the first error of a_ops->writepage.
int mpage_writepages(address_space* mapping, writeback_control* wbc, get_block_t get_block);

}  // namespace kpath
