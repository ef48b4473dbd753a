// SPDX-License-Identifier: Apache-2.0
//
// v4.19 fs/ext2/super.c. Departs: a mount that fails for want of memory leaves what it has made:
// mounts are made at boot, and a boot that fails ends the machine.
#include "sim/vfs/super.h"

#include "sim/block/blk_plug.h"
#include "sim/vfs/ext2/ext2.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

constexpr super_operations ext2_sops = {.evict_inode = ext2_evict_inode};

}  // namespace

kptr<ext2_sb_info> EXT2_SB(kptr<super_block> sb) {
  return std::any_cast<kptr<ext2_sb_info>>(sb->s_fs_info);
}

kptr<vfsmount> ext2_mount(block_device* bdev, const char* name) {
  FUNCTION(name);
  const sector_t blocks = get_capacity(bdev->bd_disk) >> (EXT2_BLOCK_BITS - SECTOR_SHIFT);
  if (blocks <= ext2_sb_info::kFirstDataBlock) {
    return fn.Return<kptr<vfsmount>>(Fail(EINVAL, "a device of $0 blocks is too small", blocks));
  }
  if (bdev->bd_queue->limits.logical_block_size > 1u << EXT2_BLOCK_BITS) {
    return fn.Return<kptr<vfsmount>>(Fail(EINVAL, "the device's blocks are larger than ours"));
  }
  const kptr<super_block> sb = alloc_super(name, EXT2_SUPER_MAGIC, &ext2_sops);
  if (!sb) return fn.Return<kptr<vfsmount>>(Fail(ENOMEM, "no memory for a super block"));
  const kptr<ext2_sb_info> sbi = kzalloc<ext2_sb_info>(GFP_KERNEL);
  if (!sbi) return fn.Return<kptr<vfsmount>>(Fail(ENOMEM, "no memory for a super block"));
  sbi->used.resize(blocks);
  for (sector_t block = 0; block < ext2_sb_info::kFirstDataBlock; ++block) sbi->used[block] = true;
  sbi->free_blocks = blocks - ext2_sb_info::kFirstDataBlock;
  sb->s_fs_info = sbi;
  sb->s_bdev = bdev;
  sb->s_dev = bdev->bd_dev;
  sb->s_blocksize = 1u << EXT2_BLOCK_BITS;
  sb->s_blocksize_bits = EXT2_BLOCK_BITS;
  const kptr<inode> root = ext2_new_inode(sb, nullptr, S_IFDIR | 0755);
  if (root) sb->s_root = d_make_root(root);
  if (!sb->s_root) return fn.Return<kptr<vfsmount>>(Fail(ENOMEM, "no memory for the root"));
  return fn.Return(kern_mount(sb));
}

}  // namespace kpath
