// SPDX-License-Identifier: Apache-2.0
//
// Direct reads and writes of files on devices: the data go between the user's pages and the device,
// block by block as the file system says where they are. v4.19 fs/direct-io.c
//
//   ssize_t ext2_direct_IO(kiocb* iocb, iov_iter* iter) {
//     return blockdev_direct_IO(iocb, inode, iter, ext2_get_block);
//   }
//
// A request of AIO ends in the device's interrupt (dio_bio_end_aio), where that can be done without
// sleeping: not for an O_DSYNC write, nor for a write of a file with cached pages, which have to be
// dropped. Those end in the workqueue dio/… of the file system. A write that makes the file longer
// is waited for, though it is asynchronous for the program: nobody may see the new size before the
// data are there.
//
// Locks (DIO_LOCKING): a read takes i_rwsem while its blocks are looked up; a write is called with
// it. inode_dio_wait waits for all that have got past that.
//
// Context: process, may sleep.
#pragma once

#include "sim/vfs/disk/buffer_head.h"

namespace kpath {

inline constexpr int DIO_LOCKING = 0x01;     // takes i_rwsem for reads
inline constexpr int DIO_SKIP_HOLES = 0x02;  // a write allocates no blocks within the file's size

// v4.19 fs/direct-io.c: __blockdev_direct_IO. Returns the bytes; for a write fewer than asked where
// there is a hole: the caller writes those through the page cache; -EIOCBQUEUED: ki_complete will
// be called, with the bytes or an error; or
//   -EINVAL  the position, or the address or length of a buffer, is not a multiple of the file
//            system's block size, nor of the device's logical block size
//   -EFAULT  a buffer's page is not there, and nothing was read or written
//   -EIO     the device failed (synchronously)
//   -ENOMEM
ssize_t __blockdev_direct_IO(kiocb* iocb, kptr<inode> inode, block_device* bdev, iov_iter* iter,
                             get_block_t get_block, int flags);
inline ssize_t blockdev_direct_IO(kiocb* iocb, kptr<inode> inode, iov_iter* iter,
                                  get_block_t get_block) {
  return __blockdev_direct_IO(iocb, inode, inode->i_sb->s_bdev, iter, get_block,
                              DIO_LOCKING | DIO_SKIP_HOLES);
}

// v4.19 fs/direct-io.c: dio_init. Once per machine.
void dio_init();

}  // namespace kpath
