// SPDX-License-Identifier: Apache-2.0
//
// The ends of direct reads and writes. v4.19 fs/direct-io.c
#include "absl/strings/str_cat.h"
#include "sim/block/blk_core.h"
#include "sim/kernel/container_of.h"
#include "sim/mm/writeback.h"
#include "sim/vfs/disk/direct_io_internal.h"
#include "sim/vfs/inode.h"

namespace kpath {
namespace {

// v4.19 fs/direct-io.c: dio_bio_complete. Notes how the bio ended and lets its pages go.
void dio_bio_complete(kptr<dio> dio, bio* bio) {
  FUNCTION(bio, bio->bi_status);
  if (bio->bi_status != BLK_STS_OK) {
    const bool busy = bio->bi_status == BLK_STS_AGAIN && (bio->bi_opf & REQ_NOWAIT) != 0;
    dio->io_error = busy ? -EAGAIN : -EIO;
  }
  if (dio->is_async && dio->op == REQ_OP_READ && dio->should_dirty) {
    bio_check_pages_dirty(bio);
    return;
  }
  for (unsigned i = 0; i < bio->bi_vcnt; ++i) {
    const kptr<page> page = bio->bi_io_vec[i].bv_page;
    if (dio->op == REQ_OP_READ && dio->should_dirty) set_page_dirty_lock(page);
    put_page(page);
  }
  bio_put(bio);
}

// v4.19 fs/direct-io.c: dio_aio_complete_work
void dio_aio_complete_work(work_struct* work) {
  const kptr<dio> dio(container_of(work, &dio::complete_work));
  FUNCTION(dio->result);
  dio_complete(dio, 0, DIO_COMPLETE_ASYNC | DIO_COMPLETE_INVALIDATE);
}

// v4.19 fs/direct-io.c: dio_await_one. Sleeps until a bio has ended. Null: all have, and were
// looked at.
bio* dio_await_one(kptr<dio> dio) {
  FUNCTION(dio->refcount);
  unsigned long flags;
  bio* bio = nullptr;
  spin_lock_irqsave(&dio->bio_lock, flags);
  while (dio->refcount > 1 && dio->bio_list == nullptr) {
    __set_current_state(TASK_UNINTERRUPTIBLE);
    dio->waiter = current;
    spin_unlock_irqrestore(&dio->bio_lock, flags);
    io_schedule();
    spin_lock_irqsave(&dio->bio_lock, flags);
    dio->waiter = nullptr;
  }
  if (dio->bio_list != nullptr) {
    bio = dio->bio_list;
    dio->bio_list = static_cast<struct bio*>(bio->bi_private);
  }
  spin_unlock_irqrestore(&dio->bio_lock, flags);
  return bio;
}

// What the request has come to: bytes, or a negative errno. `transferred`: bytes, even then.
ssize_t ResultOf(kptr<dio> dio, loff_t offset, ssize_t ret, ssize_t* transferred) {
  *transferred = 0;
  if (dio->result != 0) {
    *transferred = dio->result;
    // The last block was read whole; the file may end before.
    if (dio->op == REQ_OP_READ && offset + *transferred > dio->i_size) {
      *transferred = dio->i_size - offset;
    }
    // A part was read or written before a page was missing: that is no error.
    if (ret == -EFAULT && *transferred != 0) ret = 0;
  }
  if (ret == 0) ret = dio->page_errors;
  if (ret == 0) ret = dio->io_error;
  if (ret == 0) ret = *transferred;
  return ret;
}

}  // namespace

ssize_t dio_complete(kptr<dio> dio, ssize_t ret, int flags) {
  FUNCTION(ret, flags);
  const loff_t offset = dio->iocb->ki_pos;
  ssize_t transferred = 0;
  if (ret == -EIOCBQUEUED) ret = 0;
  ret = ResultOf(dio, offset, ret, &transferred);
  const kptr<inode> inode = dio->inode;
  if ((flags & DIO_COMPLETE_INVALIDATE) != 0 && ret > 0 && dio->op == REQ_OP_WRITE &&
      inode->i_mapping->nrpages != 0) {
    // Somebody may have read the old data into the cache meanwhile.
    invalidate_inode_pages2_range(inode->i_mapping, static_cast<pgoff_t>(offset) >> PAGE_SHIFT,
                                  static_cast<pgoff_t>(offset + ret - 1) >> PAGE_SHIFT);
  }
  inode_dio_end(inode);
  if ((flags & DIO_COMPLETE_ASYNC) != 0) {
    kiocb* iocb = dio->iocb;
    iocb->ki_pos += transferred;
    if (ret > 0 && dio->op == REQ_OP_WRITE) ret = generic_write_sync(iocb, ret);
    iocb->ki_complete(iocb, ret, 0);
  }
  kfree(dio);
  return fn.Return(ret);
}

void dio_bio_submit(kptr<dio> dio, dio_submit* sdio) {
  FUNCTION(sdio->bio);
  bio* bio = sdio->bio;
  bio->bi_private = dio.get();
  unsigned long flags;
  spin_lock_irqsave(&dio->bio_lock, flags);
  ++dio->refcount;
  spin_unlock_irqrestore(&dio->bio_lock, flags);
  if (dio->is_async && dio->op == REQ_OP_READ && dio->should_dirty) bio_set_pages_dirty(bio);
  submit_bio(bio);
  sdio->bio = nullptr;
  sdio->boundary = false;
  sdio->logical_offset_in_bio = 0;
}

void dio_await_completion(kptr<dio> dio) {
  FUNCTION(dio->refcount);
  while (bio* bio = dio_await_one(dio)) dio_bio_complete(dio, bio);
}

void dio_bio_end_aio(bio* bio) {
  FUNCTION(bio, bio->bi_status);
  const kptr<dio> dio(static_cast<struct dio*>(bio->bi_private));
  dio_bio_complete(dio, bio);
  unsigned long flags;
  spin_lock_irqsave(&dio->bio_lock, flags);
  const unsigned long remaining = --dio->refcount;
  if (remaining == 1 && dio->waiter != nullptr) wake_up_process(dio->waiter);
  spin_unlock_irqrestore(&dio->bio_lock, flags);
  if (remaining != 0) return;
  const bool cached = dio->op == REQ_OP_WRITE && dio->inode->i_mapping->nrpages != 0;
  if (dio->result != 0 && (dio->defer_completion || cached)) {
    STEP("ends in a workqueue: it has to sleep", dio->defer_completion, cached);
    INIT_WORK(&dio->complete_work, dio_aio_complete_work);
    queue_work(dio->inode->i_sb->s_dio_done_wq, &dio->complete_work);
    return;
  }
  dio_complete(dio, 0, DIO_COMPLETE_ASYNC);
}

void dio_bio_end_io(bio* bio) {
  FUNCTION(bio, bio->bi_status);
  const kptr<dio> dio(static_cast<struct dio*>(bio->bi_private));
  unsigned long flags;
  spin_lock_irqsave(&dio->bio_lock, flags);
  bio->bi_private = dio->bio_list;
  dio->bio_list = bio;
  if (--dio->refcount == 1 && dio->waiter != nullptr) wake_up_process(dio->waiter);
  spin_unlock_irqrestore(&dio->bio_lock, flags);
}

unsigned long drop_refcount(kptr<dio> dio) {
  unsigned long flags;
  spin_lock_irqsave(&dio->bio_lock, flags);
  const unsigned long left = --dio->refcount;
  spin_unlock_irqrestore(&dio->bio_lock, flags);
  return left;
}

int sb_init_dio_done_wq(kptr<super_block> sb) {
  FUNCTION(sb);
  const kptr<workqueue_struct> wq =
      alloc_workqueue(absl::StrCat("dio/", sb->s_id), WQ_MEM_RECLAIM, 0);
  if (!wq) return fn.Return(Fail(ENOMEM, "no memory for a workqueue"));
  if (sb->s_dio_done_wq) {
    destroy_workqueue(wq);  // somebody was quicker
  } else {
    sb->s_dio_done_wq = wq;
  }
  return fn.Return(0);
}

}  // namespace kpath
