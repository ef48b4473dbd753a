// SPDX-License-Identifier: Apache-2.0
//
// Direct I/O on a block device. v4.19 fs/block_dev.c
#include "sim/block/bio.h"
#include "sim/block/blk_core.h"
#include "sim/block/blk_plug.h"
#include "sim/mm/filemap.h"
#include "sim/vfs/block_dev/block_dev_internal.h"

namespace kpath {
namespace {

constexpr int BIO_POOL_SIZE = 4;

// One direct read or write, and the first of its bios. v4.19 fs/block_dev.c: struct blkdev_dio
struct blkdev_dio {
  static constexpr const char* kSlabName = "bio-1";

  kiocb* iocb = nullptr;          // asynchronous
  task_struct* waiter = nullptr;  // synchronous: until all is done
  size_t size = 0;                // bytes, of all bios
  int ref = 0;                    // bios on their way, where there are several
  bool multi_bio = false;
  bool should_dirty = false;  // it reads into user pages
  bool is_sync = false;
  struct bio bio;
};

struct blkdev_dio_globals {
  bio_set pool;
};
KernelGlobal<blkdev_dio_globals> dios;

// Direct I/O is in whole blocks of the device: its position, and each buffer's address and length.
Error FailMisaligned(const block_device* bdev, loff_t pos, unsigned long bits) {
  return Fail(EINVAL,
              "direct I/O: position $0 and the buffers' addresses and lengths (bits $1) must be "
              "multiples of the device's $2 bytes",
              pos, bits, bdev_logical_block_size(bdev));
}

bool IsMisaligned(const block_device* bdev, loff_t pos, unsigned long bits) {
  return ((static_cast<unsigned long>(pos) | bits) & (bdev_logical_block_size(bdev) - 1)) != 0;
}

// v4.19 fs/block_dev.c: dio_bio_write_op
unsigned dio_bio_write_op(const kiocb& iocb) {
  unsigned op = REQ_OP_WRITE | REQ_SYNC | REQ_IDLE;
  if ((iocb.ki_flags & IOCB_DSYNC) != 0) op |= REQ_FUA;
  return op;
}

// v4.19 fs/block_dev.c: blkdev_bio_end_io_simple
void blkdev_bio_end_io_simple(bio* bio) {
  FUNCTION(bio, bio->bi_status);
  auto* waiter = static_cast<task_struct*>(bio->bi_private);
  bio->bi_private = nullptr;
  wake_up_process(waiter);
}

// The request that `dio` stands for is done.
void CompleteDio(blkdev_dio* dio) {
  if (dio->is_sync) {
    task_struct* waiter = dio->waiter;
    dio->waiter = nullptr;
    wake_up_process(waiter);
    return;
  }
  kiocb* iocb = dio->iocb;
  ssize_t ret;
  if (dio->bio.bi_status == BLK_STS_OK) {
    ret = static_cast<ssize_t>(dio->size);
    iocb->ki_pos += ret;
  } else {
    ret = blk_status_to_errno(dio->bio.bi_status);
  }
  iocb->ki_complete(iocb, ret, 0);
  bio_put(&dio->bio);
}

// v4.19 fs/block_dev.c: blkdev_bio_end_io. An error of the bio that ends last is lost, unless that
// is the first one: as in v4.19.
void blkdev_bio_end_io(bio* bio) {
  FUNCTION(bio, bio->bi_status);
  auto* dio = static_cast<blkdev_dio*>(bio->bi_private);
  const bool should_dirty = dio->should_dirty;
  if (dio->multi_bio && --dio->ref != 0) {
    STEP("others are on their way", dio->ref);
    if (bio->bi_status != BLK_STS_OK && dio->bio.bi_status == BLK_STS_OK) {
      dio->bio.bi_status = bio->bi_status;
    }
  } else {
    CompleteDio(dio);
  }
  if (should_dirty) {
    bio_check_pages_dirty(bio);
    return;
  }
  for (unsigned i = 0; i < bio->bi_vcnt; ++i) put_page(bio->bi_io_vec[i].bv_page);
  bio_put(bio);
}

void SetTarget(bio* bio, const block_device* bdev, const kiocb& iocb, loff_t pos) {
  bio_set_dev(bio, bdev);
  bio->bi_iter.bi_sector = static_cast<sector_t>(pos) >> SECTOR_SHIFT;
  bio->bi_write_hint = iocb.ki_hint;
  bio->bi_ioprio = iocb.ki_ioprio;
}

// Sleeps until `done`. What the plug holds back is issued by io_schedule.
template <typename Done>
void WaitForDevice(Done done) {
  while (true) {
    set_current_state(TASK_UNINTERRUPTIBLE);
    if (done()) break;
    io_schedule();
  }
  __set_current_state(TASK_RUNNING);
}

struct bio_vec_table {
  static constexpr const char* kSlabName = "kmalloc-bio_vec";
  bio_vec entries[BIO_MAX_PAGES];
};

// v4.19 fs/block_dev.c: __blkdev_direct_IO_simple, from its bio on. The caller waits for it.
ssize_t ReadOrWriteSimply(kiocb* iocb, iov_iter* iter, block_device* bdev, bio_vec* vecs,
                          int nr_pages) {
  bio bio;
  bio_init(&bio, vecs, static_cast<unsigned short>(nr_pages));
  SetTarget(&bio, bdev, *iocb, iocb->ki_pos);
  bio.bi_private = static_cast<task_struct*>(current);
  bio.bi_end_io = blkdev_bio_end_io_simple;
  const int error = bio_iov_iter_get_pages(&bio, iter);
  if (error != 0) return error;
  ssize_t ret = bio.bi_iter.bi_size;
  bool should_dirty = false;
  if (iov_iter_rw(*iter) == READ) {
    bio.bi_opf = REQ_OP_READ;
    should_dirty = iter_is_iovec(*iter);
  } else {
    bio.bi_opf = dio_bio_write_op(*iocb);
  }
  submit_bio(&bio);
  WaitForDevice([&bio] { return bio.bi_private == nullptr; });
  for (unsigned i = 0; i < bio.bi_vcnt; ++i) {
    if (should_dirty) set_page_dirty_lock(vecs[i].bv_page);
    put_page(vecs[i].bv_page);
  }
  if (bio.bi_status != BLK_STS_OK) ret = blk_status_to_errno(bio.bi_status);
  return ret;
}

// v4.19 fs/block_dev.c: __blkdev_direct_IO_simple
ssize_t __blkdev_direct_IO_simple(kiocb* iocb, iov_iter* iter, int nr_pages) {
  block_device* bdev = I_BDEV(iocb->ki_filp->f_mapping->host);
  constexpr int DIO_INLINE_BIO_VECS = 4;
  const unsigned long bits = iov_iter_alignment(*iter);
  if (IsMisaligned(bdev, iocb->ki_pos, bits)) return FailMisaligned(bdev, iocb->ki_pos, bits);
  if (nr_pages <= DIO_INLINE_BIO_VECS) {
    bio_vec inline_vecs[DIO_INLINE_BIO_VECS];
    return ReadOrWriteSimply(iocb, iter, bdev, inline_vecs, nr_pages);
  }
  const kptr<bio_vec_table> table = kzalloc<bio_vec_table>(GFP_KERNEL);
  if (!table) return Fail(ENOMEM, "no memory for a table of $0 pages", nr_pages);
  const ssize_t ret = ReadOrWriteSimply(iocb, iter, bdev, table->entries, nr_pages);
  kfree(table);
  return ret;
}

void SetOperation(blkdev_dio* dio, bio* bio, const kiocb& iocb, bool is_read) {
  if (!is_read) {
    bio->bi_opf = dio_bio_write_op(iocb);
    return;
  }
  bio->bi_opf = REQ_OP_READ;
  if (dio->should_dirty) bio_set_pages_dirty(bio);
}

// v4.19 fs/block_dev.c: the loop in __blkdev_direct_IO. Submits bios until the iter is used up. 0,
// or the error of the pages that could not be pinned.
int SubmitAll(blkdev_dio* dio, kiocb* iocb, iov_iter* iter, block_device* bdev) {
  bio* bio = &dio->bio;
  // The caller's iocb may be gone as soon as the last bio has been submitted.
  const kiocb copy = *iocb;
  const bool is_read = iov_iter_rw(*iter) == READ;
  loff_t pos = iocb->ki_pos;
  while (true) {
    SetTarget(bio, bdev, copy, pos);
    bio->bi_private = dio;
    bio->bi_end_io = blkdev_bio_end_io;
    const int ret = bio_iov_iter_get_pages(bio, iter);
    if (ret != 0) {
      bio->bi_status = BLK_STS_IOERR;
      bio_endio(bio);
      return ret;
    }
    SetOperation(dio, bio, copy, is_read);
    dio->size += bio->bi_iter.bi_size;
    pos += bio->bi_iter.bi_size;
    const int nr_pages = iov_iter_npages(*iter, BIO_MAX_PAGES);
    if (nr_pages == 0) {
      submit_bio(bio);
      return 0;
    }
    if (!dio->multi_bio) {
      dio->multi_bio = true;
      dio->ref = 2;
    } else {
      ++dio->ref;
    }
    submit_bio(bio);
    bio = bio_alloc(GFP_KERNEL, static_cast<unsigned>(nr_pages));
  }
}

// v4.19 fs/block_dev.c: __blkdev_direct_IO
ssize_t __blkdev_direct_IO(kiocb* iocb, iov_iter* iter, int nr_pages) {
  FUNCTION(iocb->ki_pos, nr_pages);
  block_device* bdev = I_BDEV(iocb->ki_filp->f_mapping->host);
  const unsigned long bits = iov_iter_alignment(*iter);
  if (IsMisaligned(bdev, iocb->ki_pos, bits)) {
    return fn.Return<ssize_t>(FailMisaligned(bdev, iocb->ki_pos, bits));
  }
  bio* bio = bio_alloc_bioset(GFP_KERNEL, static_cast<unsigned>(nr_pages), &dios->pool);
  bio_get(bio);  // for the completion
  blkdev_dio* dio = container_of(bio, &blkdev_dio::bio);
  const bool is_sync = is_sync_kiocb(*iocb);
  dio->is_sync = is_sync;
  if (is_sync) {
    dio->waiter = current;
  } else {
    dio->iocb = iocb;
  }
  dio->should_dirty = iov_iter_rw(*iter) == READ && iter_is_iovec(*iter);
  blk_plug plug;
  blk_start_plug(&plug);
  const int error = SubmitAll(dio, iocb, iter, bdev);
  blk_finish_plug(&plug);
  if (!is_sync) return fn.Return<ssize_t>(-EIOCBQUEUED);
  WaitForDevice([dio] { return dio->waiter == nullptr; });
  ssize_t ret = error;
  if (ret == 0) ret = blk_status_to_errno(dio->bio.bi_status);
  if (ret == 0) ret = static_cast<ssize_t>(dio->size);
  bio_put(&dio->bio);
  return fn.Return(ret);
}

}  // namespace

// v4.19 fs/block_dev.c: blkdev_init
int blkdev_init() {
  FUNCTION();
  return fn.Return(
      bioset_init(&dios->pool, BIO_POOL_SIZE, BioSetOf<blkdev_dio, &blkdev_dio::bio>()));
}

// v4.19 fs/block_dev.c: blkdev_direct_IO
ssize_t blkdev_direct_IO(kiocb* iocb, iov_iter* iter) {
  FUNCTION(iocb->ki_pos, iov_iter_count(*iter));
  constexpr int kMaxPages = BIO_MAX_PAGES;
  const int nr_pages = iov_iter_npages(*iter, kMaxPages + 1);
  if (nr_pages == 0) return fn.Return<ssize_t>(0);
  if (is_sync_kiocb(*iocb) && nr_pages <= kMaxPages) {
    return fn.Return(__blkdev_direct_IO_simple(iocb, iter, nr_pages));
  }
  return fn.Return(__blkdev_direct_IO(iocb, iter, nr_pages < kMaxPages ? nr_pages : kMaxPages));
}

}  // namespace kpath
