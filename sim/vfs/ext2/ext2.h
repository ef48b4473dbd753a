// SPDX-License-Identifier: Apache-2.0
//
// ext2: the plainest file system of Linux on a device. v4.19 fs/ext2
//
//   block_device* bdev = …;                           // open
//   kptr<vfsmount> mnt = ext2_mount(bdev, "vda");
//   if (IS_ERR(mnt)) return PTR_ERR(mnt);
//   mnt_attach(mnt, path_of("/data"));
//
// What is in a file lies in the device's bytes, in blocks of 4096, and gets there and back through
// the page cache or by direct I/O.
//
// Departs: what describes the files (the super block, block groups, bitmaps, inodes, indirect
// blocks, directories) is kept in memory only: it costs no I/O, and a device has no files when it
// is mounted. The first kFirstDataBlock blocks stand for it and are not used. A block's place is
// the first free run behind the file's last one; groups and reservations are not modelled.
//
// Context: process, may sleep.
//
// Invariants
//   1. A block of the device is free, or belongs to exactly one file at one place; free + all
//   files'
//      blocks + kFirstDataBlock = blocks of the device.
//   2. i_blocks = 8 for each block of the file.
#pragma once

#include <map>
#include <vector>

#include "sim/kernel/mutex.h"
#include "sim/vfs/disk/buffer_head.h"

namespace kpath {

inline constexpr uint32_t EXT2_SUPER_MAGIC = 0xef53;
inline constexpr unsigned EXT2_BLOCK_BITS = 12;

// Blocks of a file that lie one behind the other on the device.
struct ext2_run {
  sector_t first = 0;  // on the device
  sector_t count = 0;
};

// v4.19 fs/ext2/ext2.h: struct ext2_inode_info, kept in inode::i_private.
struct ext2_inode_info {
  static constexpr const char* kSlabName = "ext2_inode_cache";
  mutex truncate_mutex;               // guards runs
  std::map<sector_t, ext2_run> runs;  // by their first block in the file
};
kptr<ext2_inode_info> EXT2_I(kptr<inode> inode);

// v4.19 fs/ext2/ext2.h: struct ext2_sb_info, kept in super_block::s_fs_info.
struct ext2_sb_info {
  static constexpr const char* kSlabName = "ext2_sb_info";
  static constexpr sector_t kFirstDataBlock = 64;
  spinlock_t s_lock{"&sbi->s_lock"};
  std::vector<bool> used;  // by block
  sector_t free_blocks = 0;
};
kptr<ext2_sb_info> EXT2_SB(kptr<super_block> sb);

extern const file_operations ext2_file_operations;
extern const address_space_operations ext2_aops;

// v4.19 fs/ext2/super.c: ext2_mount, ext2_fill_super. `bdev` is open and stays so; `name`: the
// device's, for people. A new file system without files. An error pointer: -ENOMEM, -EINVAL: the
// device is too small, or its blocks are larger than 4096 bytes.
kptr<vfsmount> ext2_mount(block_device* bdev, const char* name);

// v4.19 fs/ext2/inode.c: ext2_get_block. Up to bh_result->b_size bytes. 0, or -ENOSPC.
int ext2_get_block(kptr<inode> inode, sector_t iblock, buffer_head* bh_result, int create);

// v4.19 fs/ext2/balloc.c: ext2_new_blocks. Up to *count free blocks one behind the other, from
// `goal` on if it is free; *count: how many. -ENOSPC: none is free.
int ext2_new_blocks(kptr<super_block> sb, sector_t goal, unsigned long* count, sector_t* first);
void ext2_free_blocks(kptr<super_block> sb, sector_t first, sector_t count);
// v4.19 fs/ext2/inode.c: __ext2_truncate_blocks. Frees the blocks behind byte `offset`.
void ext2_truncate_blocks(kptr<inode> inode, loff_t offset);
// v4.19 fs/ext2/inode.c: ext2_setattr
int ext2_setattr(kptr<dentry> dentry, const iattr& attr);
// v4.19 fs/ext2/inode.c: ext2_evict_inode
void ext2_evict_inode(kptr<inode> inode);
// v4.19 fs/ext2/ialloc.c: ext2_new_inode. Null: no memory.
kptr<inode> ext2_new_inode(kptr<super_block> sb, kptr<inode> dir, umode_t mode);

}  // namespace kpath
