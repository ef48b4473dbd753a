// SPDX-License-Identifier: Apache-2.0
//
// Bios on their way into a queue. v4.19 block/blk-core.c
#include "sim/block/blk_core.h"

#include "absl/strings/str_cat.h"
#include "sim/block/bio_internal.h"
#include "sim/block/blk_internal.h"
#include "sim/kernel/report.h"
#include "sim/machine/check.h"

namespace kpath {
namespace {

struct blk_globals {
  kptr<workqueue_struct> kblockd_workqueue;
  uint64_t pgpgin = 0, pgpgout = 0;  // sectors: PGPGIN, PGPGOUT of /proc/vmstat
};
KernelGlobal<blk_globals> blk;

struct StatusError {
  blk_status_t status;
  int error;
};

// v4.19 block/blk-core.c: blk_errors
constexpr StatusError blk_errors[] = {
    {BLK_STS_OK, 0},
    {BLK_STS_NOTSUPP, -EOPNOTSUPP},
    {BLK_STS_TIMEOUT, -ETIMEDOUT},
    {BLK_STS_NOSPC, -ENOSPC},
    {BLK_STS_TRANSPORT, -ENOLINK},
    {BLK_STS_TARGET, -EREMOTEIO},
    {BLK_STS_NEXUS, -EBADE},
    {BLK_STS_MEDIUM, -ENODATA},
    {BLK_STS_PROTECTION, -EILSEQ},
    {BLK_STS_RESOURCE, -ENOMEM},
    {BLK_STS_DEV_RESOURCE, -EBUSY},
    {BLK_STS_AGAIN, -EAGAIN},
    {BLK_STS_DM_REQUEUE, -EREMCHG},
    {BLK_STS_IOERR, -EIO},
};

void EndWith(bio* bio, blk_status_t status) {
  bio->bi_status = status;
  bio_endio(bio);
}

// v4.19 block/blk-core.c: should_fail_bio
int should_fail_bio(bio* bio) { FUNCTION_RETURNS(0, bio); }

// v4.19 block/blk-core.c: bio_check_ro
bool bio_check_ro(const bio* bio, const hd_struct* part) {
  return bio_is_write(bio) && part->policy != 0 && bio_sectors(bio) != 0;
}

// v4.19 block/blk-core.c: bio_check_eod. The reason, if the bio goes beyond the end of the device.
int bio_check_eod(const bio* bio, sector_t maxsector) {
  const unsigned nr_sectors = bio_sectors(bio);
  if (nr_sectors == 0 || maxsector == 0) return 0;
  if (nr_sectors <= maxsector && bio->bi_iter.bi_sector <= maxsector - nr_sectors) return 0;
  return Fail(EIO, "attempt to access beyond end of device: sector $0, want $1, limit $2",
              bio->bi_iter.bi_sector, bio_end_sector(bio), maxsector);
}

bool IsSupported(const request_queue* q, unsigned op) {
  if (op == REQ_OP_READ || op == REQ_OP_WRITE || op == REQ_OP_FLUSH) return true;
  return (op == REQ_OP_DRV_IN || op == REQ_OP_DRV_OUT) && q->mq_ops != nullptr;
}

// v4.19 block/blk-core.c: generic_make_request_checks. False: the bio has ended. Departs: tasks
// have no io_context, which only schedulers and cgroups look at.
bool generic_make_request_checks(bio* bio) {
  FUNCTION(bio);
  might_sleep();
  request_queue* q = bio->bi_disk->queue;
  hd_struct* part = &bio->bi_disk->part0;
  bool failed = (bio->bi_opf & REQ_NOWAIT) != 0 && q->mq_ops == nullptr;
  if (!failed && should_fail_bio(bio) != 0) failed = true;
  if (!failed && bio_check_ro(bio, part)) {
    Fail(EIO, "the device is read-only");
    failed = true;
  }
  if (!failed && bio_check_eod(bio, part->nr_sects) != 0) failed = true;
  if (failed) {
    EndWith(bio, BLK_STS_IOERR);
    return fn.Return(false);
  }
  // Without a cache there is nothing to flush.
  if (op_is_flush(bio->bi_opf) && !test_queue_flag(q, QUEUE_FLAG_WC)) {
    bio->bi_opf &= ~(REQ_PREFLUSH | REQ_FUA);
    if (bio_sectors(bio) == 0) {
      STEP("no write cache: the flush is done", bio);
      EndWith(bio, BLK_STS_OK);
      return fn.Return(false);
    }
  }
  if (!IsSupported(q, bio_op(bio))) {
    EndWith(bio, BLK_STS_NOTSUPP);
    return fn.Return(false);
  }
  ++q->stats.bios;
  return fn.Return(true);
}

// Puts what a make_request_fn has submitted in order: what is for other devices first, then what is
// for the same one, then what was there before.
void SortSubmitted(request_queue* q, bio_list* on_stack) {
  bio_list lower, same;
  while (bio* bio = bio_list_pop(&on_stack[0])) {
    bio_list_add(q == bio->bi_disk->queue ? &same : &lower, bio);
  }
  bio_list_merge(&on_stack[0], lower);
  bio_list_merge(&on_stack[0], same);
  bio_list_merge(&on_stack[0], on_stack[1]);
}

unsigned EnterFlags(const bio* bio) {
  return (bio->bi_opf & REQ_NOWAIT) != 0 ? BLK_MQ_REQ_NOWAIT : 0;
}

void EndNotEntered(bio* bio) {
  const request_queue* q = bio->bi_disk->queue;
  if (!blk_queue_dying(q) && (bio->bi_opf & REQ_NOWAIT) != 0) {
    bio_wouldblock_error(bio);
  } else {
    bio_io_error(bio);
  }
}

// blk_queue_exit where the compiler has put it in its caller.
void ExitQueue(request_queue* q) { percpu_ref_put(&q->q_usage_counter); }

}  // namespace

int blk_status_to_errno(blk_status_t status) {
  FUNCTION(status);
  for (const StatusError& known : blk_errors) {
    if (known.status == status) return fn.Return(known.error);
  }
  return fn.Return(-EIO);
}

blk_status_t errno_to_blk_status(int error) {
  FUNCTION(Value::Result(error));
  for (const StatusError& known : blk_errors) {
    if (known.error == error) return fn.Return(known.status);
  }
  return fn.Return(BLK_STS_IOERR);
}

// v4.19 block/blk-core.c: blk_queue_enter
int blk_queue_enter(request_queue* q, unsigned flags) {
  FUNCTION(q, flags);
  while (true) {
    if (percpu_ref_tryget_live(&q->q_usage_counter)) return fn.Return(0);
    if ((flags & BLK_MQ_REQ_NOWAIT) != 0) {
      return fn.Return(Fail(EBUSY, "the queue is frozen, and the bio must not wait"));
    }
    STEP("the queue is frozen", q);
    wait_event(&q->mq_freeze_wq, [q] { return q->mq_freeze_depth == 0 || blk_queue_dying(q); });
    if (blk_queue_dying(q)) return fn.Return(Fail(ENODEV, "the device is gone"));
  }
}

// v4.19 block/blk-core.c: blk_queue_exit
void blk_queue_exit(request_queue* q) {
  FUNCTION(q);
  ExitQueue(q);
}

// v4.19 block/blk-core.c: generic_make_request
void generic_make_request(bio* bio) {
  FUNCTION(bio);
  CheckBio(bio);
  request_queue* q = bio->bi_disk->queue;
  if (bio_flagged(bio, BIO_QUEUE_ENTERED)) {
    blk_queue_enter_live(q);
  } else if (blk_queue_enter(q, EnterFlags(bio)) < 0) {
    EndNotEntered(bio);
    return;
  }
  if (!generic_make_request_checks(bio)) return ExitQueue(q);
  if (current->bio_list != nullptr) {
    STEP("inside of a make_request_fn: later", bio);
    bio_list_add(&current->bio_list[0], bio);
    return ExitQueue(q);
  }
  bio_list on_stack[2];
  current->bio_list = on_stack;
  do {
    bool entered = true;
    if (q != bio->bi_disk->queue) {
      if (q != nullptr) ExitQueue(q);
      q = bio->bi_disk->queue;
      entered = blk_queue_enter(q, EnterFlags(bio)) == 0;
    }
    if (entered) {
      on_stack[1] = on_stack[0];
      on_stack[0] = {};
      q->make_request_fn(q, bio);
      SortSubmitted(q, on_stack);
    } else {
      EndNotEntered(bio);
      q = nullptr;
    }
    bio = bio_list_pop(&on_stack[0]);
  } while (bio != nullptr);
  current->bio_list = nullptr;
  if (q != nullptr) ExitQueue(q);
}

// v4.19 block/blk-core.c: submit_bio
void submit_bio(bio* bio) {
  FUNCTION(bio, bio_op(bio), bio_sectors(bio));
  (bio_is_write(bio) ? blk->pgpgout : blk->pgpgin) += bio_sectors(bio);
  generic_make_request(bio);
}

kptr<workqueue_struct> kblockd() { return blk->kblockd_workqueue; }

bool kblockd_schedule_work(work_struct* work) {
  FUNCTION(work);
  return fn.Return(queue_work(kblockd(), work));
}

bool kblockd_mod_delayed_work_on(int cpu, delayed_work* dwork, unsigned long delay) {
  FUNCTION(cpu, delay);
  return fn.Return(mod_delayed_work_on(cpu, kblockd(), dwork, delay));
}

// v4.19 block/blk-core.c: blk_dev_init
void blk_init() {
  blk->kblockd_workqueue = alloc_workqueue("kblockd", WQ_MEM_RECLAIM | WQ_HIGHPRI, 0);
  KPATH_CHECK(blk->kblockd_workqueue, "no memory at boot");
  init_bio();
  sched_hooks->flush_plug = [](task_struct* task) {  // blk_schedule_flush_plug
    if (!list_empty(&task->plug->mq_list)) blk_flush_plug_list(task->plug, true);
  };
}

}  // namespace kpath
