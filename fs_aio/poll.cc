// SPDX-License-Identifier: Apache-2.0
//
// IOCB_CMD_POLL: an event when a file becomes ready. v4.19 fs/aio.c
//
// A request that is not ready at once waits in the file's wait queue and in ctx->active_reqs. It is
// completed
//   by the waker     aio_poll_wake, under the queue's lock, if it knows what happened and ctx_lock
//                    is free
//   by a kworker     aio_poll_complete_work, if one of the two does not hold, or it was cancelled
//   at submission    aio_poll, if the file is ready
//
// Locks: ctx_lock, then the queue's. The waker holds the queue's and only tries ctx_lock.
#include "sim/vfs/poll.h"

#include "fs_aio/request.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/vfs/file.h"
#include "sim/vfs/file_table.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: struct aio_poll_table
struct aio_poll_table {
  poll_table_struct pt = {};
  kptr<aio_kiocb> iocb;
  int error = 0;
};

kptr<aio_kiocb> RequestOf(poll_iocb* req) {
  return kptr<aio_kiocb>(container_of(req, &aio_kiocb::poll));
}

// v4.19 fs/aio.c: aio_poll_complete
void aio_poll_complete(kptr<aio_kiocb> iocb, __poll_t mask) {
  FUNCTION(iocb, Value::Address(mask));
  kptr<file> file = iocb->poll.file;
  aio_complete(iocb, mangle_poll(mask), 0);
  fput(file);
}

// v4.19 fs/aio.c: aio_poll_complete_work. In a kworker: looks again whether the file is ready.
void aio_poll_complete_work(work_struct* work) {
  FUNCTION(work);
  poll_iocb* req = container_of(work, &poll_iocb::work);
  kptr<aio_kiocb> iocb = RequestOf(req);
  kptr<kioctx> ctx = iocb->ki_ctx;
  poll_table_struct pt;
  pt._key = req->events;
  __poll_t mask = 0;
  if (!req->cancelled) mask = vfs_poll(req->file, &pt) & req->events;

  // Who cancels takes the request off active_reqs after its ki_cancel, under this lock.
  spin_lock_irq(&ctx->ctx_lock);
  if (mask == 0 && !req->cancelled) {
    STEP("not ready: waits again");
    add_wait_queue(req->head, &req->wait);
    spin_unlock_irq(&ctx->ctx_lock);
    return;
  }
  RemoveActive(ctx, iocb);
  spin_unlock_irq(&ctx->ctx_lock);
  aio_poll_complete(iocb, mask);
}

// v4.19 fs/aio.c: aio_poll_cancel. The ki_cancel of polls. REQUIRES: ctx_lock.
int aio_poll_cancel(kiocb* kiocb) {
  FUNCTION();
  kptr<aio_kiocb> aiocb(container_of(kiocb, &aio_kiocb::rw));
  poll_iocb* req = &aiocb->poll;
  spin_lock(&req->head->lock);
  req->cancelled = true;
  if (req->wait.queued()) {
    __remove_wait_queue(req->head, &req->wait);
    schedule_work(&req->work);
  }
  spin_unlock(&req->head->lock);
  return fn.Return(0);
}

// v4.19 fs/aio.c: aio_poll_wake. The queue was woken; called under its lock.
int aio_poll_wake(wait_queue_entry* wait, unsigned mode, int sync, void* key) {
  const __poll_t mask = key_to_poll(key);
  FUNCTION(mode, sync, Value::Address(mask));
  poll_iocb* req = container_of(wait, &poll_iocb::wait);
  kptr<aio_kiocb> iocb = RequestOf(req);
  req->woken = true;
  if (mask != 0) {
    if ((mask & req->events) == 0) {
      STEP("not one of the events asked for", Value::Address(req->events));
      return fn.Return(0);
    }
    // The other order of locks: the lock is only tried.
    if (spin_trylock(&iocb->ki_ctx->ctx_lock) != 0) {
      RemoveActive(iocb->ki_ctx, iocb);
      spin_unlock(&iocb->ki_ctx->ctx_lock);
      __remove_wait_queue(req->head, &req->wait);
      // What the waker says, the events that nobody asked for among it.
      aio_poll_complete(iocb, mask);
      return fn.Return(1);
    }
    STEP("ctx_lock is taken: a worker completes it");
  }
  __remove_wait_queue(req->head, &req->wait);
  schedule_work(&req->work);
  return fn.Return(1);
}

// v4.19 fs/aio.c: aio_poll_queue_proc. The file tells where it announces that it is ready.
void aio_poll_queue_proc(kptr<file>, wait_queue_head_t* head, poll_table_struct* p) {
  FUNCTION(head);
  aio_poll_table* pt = container_of(p, &aio_poll_table::pt);
  poll_iocb* req = &pt->iocb->poll;
  if (req->head != nullptr) {
    pt->error = Fail(EINVAL, "the file announces its readiness on more than one queue");
    return;
  }
  pt->error = 0;
  req->head = head;
  add_wait_queue(head, &req->wait);
}

// v4.19 fs/aio.c: part of aio_poll: who completes the request from here on. Returns the events with
// which the caller does, 0 if it is somebody else.
__poll_t settle(kptr<aio_kiocb> aiocb, aio_poll_table* apt, __poll_t mask) {
  kptr<kioctx> ctx = aiocb->ki_ctx;
  poll_iocb* req = &aiocb->poll;
  spin_lock_irq(&ctx->ctx_lock);
  spin_lock(&req->head->lock);
  if (req->woken) {
    STEP("woken already: the waker's", Value::Address(mask));
    mask = 0;
    apt->error = 0;
  } else if (mask != 0 || apt->error != 0) {
    __remove_wait_queue(req->head, &req->wait);
  } else {
    STEP("waits", Value::Address(req->events));
    AddActive(ctx, aiocb);
    aiocb->ki_cancel = aio_poll_cancel;
  }
  spin_unlock(&req->head->lock);
  spin_unlock_irq(&ctx->ctx_lock);
  return mask;
}

// v4.19 fs/aio.c: the checks of aio_poll.
int check_poll(const iocb& iocb) {
  if (iocb.aio_buf > UINT16_MAX) {
    return Fail(EINVAL, "aio_buf=$0 has bits above the 16 that events have",
                Value::Address(iocb.aio_buf));
  }
  if (iocb.aio_offset != 0 || iocb.aio_nbytes != 0 || iocb.aio_rw_flags != 0) {
    return Fail(EINVAL,
                "fields that poll has no use for must be 0: aio_offset=$0, aio_nbytes=$1, "
                "aio_rw_flags=$2",
                iocb.aio_offset, iocb.aio_nbytes, iocb.aio_rw_flags);
  }
  return 0;
}

}  // namespace

// v4.19 fs/aio.c: aio_poll
long aio_poll(kptr<aio_kiocb> aiocb, const iocb& iocb) {
  FUNCTION(aiocb);
  if (int ret = check_poll(iocb); ret != 0) return fn.Return<long>(ret);
  poll_iocb* req = &aiocb->poll;
  INIT_WORK(&req->work, aio_poll_complete_work);
  req->events = demangle_poll(static_cast<uint16_t>(iocb.aio_buf)) | EPOLLERR | EPOLLHUP;
  req->file = fget(iocb.aio_fildes);
  if (!req->file) return fn.Return<long>(FailBadFd(iocb.aio_fildes));

  // What it stays if the file names no queue.
  aio_poll_table apt = {.iocb = aiocb, .error = -EINVAL};
  apt.pt._qproc = aio_poll_queue_proc;
  apt.pt._key = req->events;
  init_waitqueue_func_entry(&req->wait, aio_poll_wake);
  aiocb->ki_refcnt = 2;  // the completion's and this function's

  __poll_t mask = vfs_poll(req->file, &apt.pt) & req->events;
  if (req->head != nullptr) {
    mask = settle(aiocb, &apt, mask);
  } else {
    Fail(EINVAL, "the file behind fd $0 has no queue on which it announces that it is ready",
         static_cast<int>(iocb.aio_fildes));
  }
  if (apt.error != 0) {
    fput(req->file);
    return fn.Return<long>(apt.error);
  }
  if (mask != 0) aio_poll_complete(aiocb, mask);
  iocb_put(aiocb);
  return fn.Return(0l);
}

}  // namespace kpath
