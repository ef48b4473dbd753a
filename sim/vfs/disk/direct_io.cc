// SPDX-License-Identifier: Apache-2.0
#include "sim/vfs/disk/direct_io.h"

#include <climits>

#include "sim/block/blk_plug.h"
#include "sim/mm/writeback.h"
#include "sim/vfs/disk/direct_io_internal.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

struct DioRange {
  loff_t offset = 0;
  loff_t end = 0;
  size_t count = 0;
  bool write = false;
};

// The bits of the blocks that the request is made of: those of the file system's blocks or, where
// it is not in whole ones, of the device's. False: not even that.
bool ChooseBlockBits(kptr<inode> inode, const block_device* bdev, unsigned long align,
                     unsigned* blkbits) {
  *blkbits = inode->i_blkbits;
  if ((align & ((1ul << *blkbits) - 1)) == 0) return true;
  if (bdev != nullptr) {
    *blkbits = static_cast<unsigned>(__builtin_ctz(bdev->bd_queue->limits.logical_block_size));
  }
  return (align & ((1ul << *blkbits) - 1)) == 0;
}

// With i_rwsem taken for a read where flags say so. 0: goes on; 1: nothing to read; or a negative
// errno. The lock is released where it does not go on.
int LockAndCheck(kptr<dio> dio, kptr<inode> inode, const DioRange& range) {
  const bool locks = !range.write && (dio->flags & DIO_LOCKING) != 0;
  int retval = 0;
  if (locks) {
    inode_lock(inode);
    retval = filemap_write_and_wait_range(inode->i_mapping, range.offset, range.end - 1);
  }
  dio->i_size = i_size_read(inode);
  if (retval == 0 && !range.write && range.offset >= dio->i_size) {
    STEP("at the end of the file", range.offset, dio->i_size);
    retval = 1;
  }
  if (retval != 0 && locks) inode_unlock(inode);
  return retval;
}

void SetOperation(kptr<dio> dio, const kiocb& iocb, const DioRange& range) {
  dio->is_async = !is_sync_kiocb(iocb) && !(range.write && range.end > i_size_read(dio->inode));
  if (!range.write) {
    dio->op = REQ_OP_READ;
    return;
  }
  dio->op = REQ_OP_WRITE;
  dio->op_flags = REQ_SYNC | REQ_IDLE;
  if ((iocb.ki_flags & IOCB_NOWAIT) != 0) dio->op_flags |= REQ_NOWAIT;
}

// An asynchronous write may end in a workqueue: it has to be there. 0 or -ENOMEM.
int PrepareForCompletion(kptr<dio> dio, const kiocb& iocb) {
  if (!dio->is_async || dio->op != REQ_OP_WRITE) return 0;
  if ((iocb.ki_flags & IOCB_DSYNC) != 0) dio->defer_completion = true;
  return dio->inode->i_sb->s_dio_done_wq ? 0 : sb_init_dio_done_wq(dio->inode->i_sb);
}

// Everything goes to the device. 0 or a negative errno.
int SubmitAll(kptr<dio> dio, dio_submit* sdio) {
  buffer_head map_bh;
  blk_plug plug;
  blk_start_plug(&plug);
  int retval = do_direct_IO(dio, sdio, &map_bh);
  if (retval != 0) dio_cleanup(dio, sdio);
  if (retval == -ENOTBLK) {
    STEP("a hole: the rest of the write goes through the page cache", sdio->block_in_file);
    retval = 0;
  }
  dio_zero_block(dio, sdio, true, map_bh);
  if (sdio->cur_page) {
    const int ret2 = dio_send_cur_page(dio, sdio, map_bh);
    if (retval == 0) retval = ret2;
    put_page(sdio->cur_page);
    sdio->cur_page = nullptr;
  }
  if (sdio->bio != nullptr) dio_bio_submit(dio, sdio);
  blk_finish_plug(&plug);
  // Pages that were pinned and not reached.
  dio_cleanup(dio, sdio);
  return retval;
}

// v4.19 fs/direct-io.c: do_blockdev_direct_IO
ssize_t do_blockdev_direct_IO(kiocb* iocb, kptr<inode> inode, block_device* bdev, iov_iter* iter,
                              get_block_t get_block, int flags) {
  const DioRange range = {.offset = iocb->ki_pos,
                          .end = iocb->ki_pos + static_cast<loff_t>(iov_iter_count(*iter)),
                          .count = iov_iter_count(*iter),
                          .write = iov_iter_rw(*iter) == WRITE};
  FUNCTION(range.offset, range.count, range.write);
  const unsigned long align = static_cast<unsigned long>(range.offset) | iov_iter_alignment(*iter);
  unsigned blkbits = 0;
  if (!ChooseBlockBits(inode, bdev, align, &blkbits)) {
    return fn.Return<ssize_t>(
        Fail(EINVAL,
             "direct I/O: position $0, the addresses and sizes of buffers must be multiples of $1",
             range.offset, 1u << blkbits));
  }
  if (!range.write && range.count == 0) return fn.Return<ssize_t>(0);
  const kptr<dio> dio = kzalloc<struct dio>(GFP_KERNEL);
  if (!dio) return fn.Return<ssize_t>(Fail(ENOMEM, "no memory for a direct I/O request"));
  dio->flags = flags;
  ssize_t retval = LockAndCheck(dio, inode, range);
  if (retval != 0) {
    kfree(dio);
    return fn.Return<ssize_t>(retval < 0 ? retval : 0);
  }
  dio->inode = inode;
  SetOperation(dio, *iocb, range);
  retval = PrepareForCompletion(dio, *iocb);
  if (retval != 0) {
    kfree(dio);
    return fn.Return(retval);
  }
  inode_dio_begin(inode);
  dio->iocb = iocb;
  dio->refcount = 1;
  dio->should_dirty = iter_is_iovec(*iter);
  dio_submit sdio;
  sdio.blkbits = blkbits;
  sdio.blkfactor = inode->i_blkbits - blkbits;
  sdio.block_in_file = static_cast<sector_t>(range.offset) >> blkbits;
  sdio.get_block = get_block;
  sdio.final_block_in_bio = ~sector_t{0};
  sdio.next_block_for_io = ~sector_t{0};
  sdio.iter = iter;
  sdio.final_block_in_request = static_cast<sector_t>(range.end) >> blkbits;
  // A new block's zeroes before and behind.
  sdio.pages_in_io = (sdio.blkfactor != 0 ? 2 : 0) + iov_iter_npages(*iter, INT_MAX);
  retval = SubmitAll(dio, &sdio);
  if (!range.write && (flags & DIO_LOCKING) != 0) inode_unlock(inode);
  const bool whole = !range.write || dio->result == static_cast<ssize_t>(range.count);
  if (dio->is_async && retval == 0 && dio->result != 0 && whole) {
    retval = -EIOCBQUEUED;
  } else {
    dio_await_completion(dio);
  }
  // The last reference ends it: ours, or that of the last bio, in the interrupt.
  if (drop_refcount(dio) == 0) retval = dio_complete(dio, retval, DIO_COMPLETE_INVALIDATE);
  return fn.Return(retval);
}

}  // namespace

// v4.19 fs/direct-io.c: __blockdev_direct_IO
ssize_t __blockdev_direct_IO(kiocb* iocb, kptr<inode> inode, block_device* bdev, iov_iter* iter,
                             get_block_t get_block, int flags) {
  return do_blockdev_direct_IO(iocb, inode, bdev, iter, get_block, flags);
}

}  // namespace kpath
