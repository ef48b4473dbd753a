// SPDX-License-Identifier: Apache-2.0
//
// Blocks of the device. v4.19 fs/ext2/balloc.c
#include "sim/machine/check.h"
#include "sim/vfs/ext2/ext2.h"

namespace kpath {

int ext2_new_blocks(kptr<super_block> sb, sector_t goal, unsigned long* count, sector_t* first) {
  FUNCTION(goal, *count);
  const kptr<ext2_sb_info> sbi = EXT2_SB(sb);
  spin_lock(&sbi->s_lock);
  const sector_t blocks = sbi->used.size();
  if (goal < ext2_sb_info::kFirstDataBlock || goal >= blocks) goal = ext2_sb_info::kFirstDataBlock;
  if (sbi->free_blocks == 0) {
    spin_unlock(&sbi->s_lock);
    return fn.Return(Fail(ENOSPC, "all $0 blocks of the file system are in use", blocks));
  }
  sector_t at = goal;
  while (sbi->used[at]) at = at + 1 == blocks ? ext2_sb_info::kFirstDataBlock : at + 1;
  unsigned long got = 0;
  for (; got < *count && at + got < blocks && !sbi->used[at + got]; ++got) {
    sbi->used[at + got] = true;
  }
  sbi->free_blocks -= got;
  spin_unlock(&sbi->s_lock);
  *first = at;
  *count = got;
  STEP("blocks allocated", at, got);
  return fn.Return(0);
}

void ext2_free_blocks(kptr<super_block> sb, sector_t first, sector_t count) {
  FUNCTION(first, count);
  const kptr<ext2_sb_info> sbi = EXT2_SB(sb);
  spin_lock(&sbi->s_lock);
  for (sector_t block = first; block < first + count; ++block) {
    KPATH_CHECK(sbi->used[block], "a block is freed that is free");
    sbi->used[block] = false;
  }
  sbi->free_blocks += count;
  spin_unlock(&sbi->s_lock);
}

}  // namespace kpath
