// SPDX-License-Identifier: Apache-2.0
//
// Block devices as files. v4.19 fs/block_dev.c
//
//   gendisk* disk = AddDisk({.path = "/dev/vda"});      // sim/block/drivers
//   MakeBlockNode("/dev/vda", MKDEV(disk->major, disk->first_minor));
//   // and a program: open("/dev/vda", O_RDWR | O_DIRECT); io_submit …
//
// A node in the tree has a device number; the pages and the size belong to the inode of the device,
// in the pseudo file system bdev, which all nodes of that number share.
//
// Without O_DIRECT a device is read and written through the page cache, in pages that are made of
// blocks as large as the device's size is a multiple of, up to a page (bd_set_size): a disk of 16M
// has blocks of 4096 bytes, one of 16M + 512 such of 512. With the last close what is dirty is
// written, and the pages are dropped.
//
// Departs: there is no ioctl; partitions are not read.
//
// Context: process; blkdev_bio_end_io: any.
#pragma once

#include <string>

#include "sim/block/blkdev.h"
#include "sim/vfs/fs.h"

namespace kpath {

extern const file_operations def_blk_fops;
extern const address_space_operations def_blk_aops;

// v4.19 fs/block_dev.c: bdev_cache_init. Called once per machine, after vfs_caches_init and
// blk_init.
void bdev_cache_init();

// v4.19 fs/block_dev.c: bdget. The device of this number; made on first use, it stays. Null: no
// memory.
block_device* bdget(uint64_t dev);
// v4.19 fs/block_dev.c: blkdev_get_by_path. The device of the node `path`, open until blkdev_put.
// An errno: -ENOTBLK, -ENXIO: there is no such device, or what the walk says; then *bdev is null.
int blkdev_get_by_path(const std::string& path, fmode_t mode, block_device** bdev);
// v4.19 fs/block_dev.c: blkdev_put. With its last user the device's page cache goes: what is dirty
// is written first. The device stays known. May sleep.
void blkdev_put(block_device* bdev);
// The device that a file is open on.
block_device* I_BDEV(kptr<inode> bd_inode);

inline unsigned bdev_logical_block_size(const block_device* bdev) {
  return bdev->bd_queue->limits.logical_block_size;
}

// Makes the node `path` for the device, as udev does, and the directories above it. 0 or a negative
// errno.
int MakeBlockNode(const std::string& path, uint64_t dev);

}  // namespace kpath
