// SPDX-License-Identifier: Apache-2.0
//
// Super blocks and freeze protection. v4.19 fs/super.c, include/linux/fs.h
//
// Whoever is about to write to a file system says so (sb_start_write) and says when it is done.
// freeze_super lets no new writer in, waits until the others are done, and so leaves the file
// system unchanged until thaw_super.
//
// Departs: the counts are plain numbers, not percpu rwsems; super blocks are never unmounted.
//
// Invariants
//   1. s_writers.writers[level - 1] = starts minus ends at that level.
//   2. While frozen >= level, no start at that level succeeds.
#pragma once

#include "sim/vfs/fs.h"

namespace kpath {

// A super block of a file system without a device. Null: out of memory. Context: process.
kptr<super_block> alloc_super(const char* type, uint32_t magic, const super_operations* op);

// v4.19 fs/super.c: __sb_start_write. `wait`: sleep while the file system is frozen.
// Returns 1; 0 if it is frozen and `wait` is false.
int __sb_start_write(kptr<super_block> sb, int level, bool wait);
void __sb_end_write(kptr<super_block> sb, int level);

inline void sb_start_write(kptr<super_block> sb) { __sb_start_write(sb, SB_FREEZE_WRITE, true); }
inline int sb_start_write_trylock(kptr<super_block> sb) {
  return __sb_start_write(sb, SB_FREEZE_WRITE, false);
}
inline void sb_end_write(kptr<super_block> sb) { __sb_end_write(sb, SB_FREEZE_WRITE); }

// v4.19 include/linux/fs.h: file_start_write, file_end_write. Regular files only.
void file_start_write(kptr<file> file);
void file_end_write(kptr<file> file);

// v4.19 fs/super.c: freeze_super. Returns 0, or -EBUSY if it is frozen already. Context: process.
int freeze_super(kptr<super_block> sb);
// Returns 0, or -EINVAL if it is not frozen.
int thaw_super(kptr<super_block> sb);

}  // namespace kpath
