// SPDX-License-Identifier: Apache-2.0
//
// For the files that make up fs/block_dev.c.
#pragma once

#include "sim/vfs/block_dev/block_dev.h"

namespace kpath {

// v4.19 fs/block_dev.c: blkdev_direct_IO. Returns the bytes, -EIOCBQUEUED, or
//   -EINVAL  not in whole blocks of the device
//   -EFAULT  synchronous: a buffer's page is not there. An asynchronous request ends with -EIO
//   then. -EIO …   synchronous: what the device says
ssize_t blkdev_direct_IO(kiocb* iocb, iov_iter* iter);
// v4.19 fs/block_dev.c: blkdev_init. 0 or -ENOMEM.
int blkdev_init();

}  // namespace kpath
