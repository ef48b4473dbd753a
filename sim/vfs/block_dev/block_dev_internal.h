// SPDX-License-Identifier: Apache-2.0
//
// For the files that make up fs/block_dev.c.
#pragma once

#include <vector>

#include "sim/mm/writeback.h"
#include "sim/vfs/block_dev/block_dev.h"

namespace kpath {

// v4.19 fs/block_dev.c: blkdev_direct_IO. Returns the bytes, -EIOCBQUEUED, or
//   -EINVAL  not in whole blocks of the device
//   -EFAULT  synchronous: a buffer's page is not there. An asynchronous request ends with -EIO
//   then. -EIO …   synchronous: what the device says
ssize_t blkdev_direct_IO(kiocb* iocb, iov_iter* iter);
// The device's page cache: what address_space_operations ask for (fs.h).
int blkdev_readpage(kptr<file> file, kptr<page> page);
int blkdev_readpages(kptr<file> file, address_space* mapping, const std::vector<kptr<page>>& pages);
int blkdev_writepage(kptr<page> page, writeback_control* wbc);
int blkdev_writepages(address_space* mapping, writeback_control* wbc);
int blkdev_write_begin(kptr<file> file, address_space* mapping, loff_t pos, unsigned len,
                       unsigned flags, kptr<page>* pagep, void** fsdata);
int blkdev_write_end(kptr<file> file, address_space* mapping, loff_t pos, unsigned len,
                     unsigned copied, kptr<page> page, void* fsdata);
bool blkdev_releasepage(kptr<page> page);

// v4.19 fs/block_dev.c: blkdev_init. 0 or -ENOMEM.
int blkdev_init();

}  // namespace kpath
