// SPDX-License-Identifier: Apache-2.0
//
// io_cancel, and the list of requests that can be cancelled. v4.19 fs/aio.c
#include <algorithm>

#include "fs_aio/aio.h"
#include "fs_aio/ioctx.h"
#include "fs_aio/request.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: lookup_kiocb. The oldest request of this iocb that can be cancelled; null: none.
// REQUIRES: ctx_lock.
kptr<aio_kiocb> lookup_kiocb(kptr<kioctx> ctx, user_ptr<iocb> iocb) {
  FUNCTION(ctx, iocb);
  for (const kptr<aio_kiocb>& req : ctx->active_reqs) {
    if (req->ki_user_iocb == iocb.address()) return fn.Return(req);
  }
  return fn.Return(kptr<aio_kiocb>());
}

}  // namespace

void AddActive(kptr<kioctx> ctx, kptr<aio_kiocb> req) {
  req->ki_listed = true;
  ctx->active_reqs.push_back(req);
}

void RemoveActive(kptr<kioctx> ctx, kptr<aio_kiocb> req) {
  if (!req->ki_listed) return;
  req->ki_listed = false;
  std::erase(ctx->active_reqs, req);
}

// v4.19 fs/aio.c: kiocb_set_cancel_fn
// Departs: the warning about a request that is listed already stops the machine, as all reports do.
void kiocb_set_cancel_fn(kiocb* iocb, int (*cancel)(kiocb* iocb)) {
  FUNCTION();
  kptr<aio_kiocb> req(container_of(iocb, &aio_kiocb::rw));
  kptr<kioctx> ctx = req->ki_ctx;
  if (req->ki_listed) {
    Report("WARNING: kiocb_set_cancel_fn: the request is on active_reqs already");
  }
  unsigned long flags;
  spin_lock_irqsave(&ctx->ctx_lock, flags);
  AddActive(ctx, req);
  req->ki_cancel = cancel;
  spin_unlock_irqrestore(&ctx->ctx_lock, flags);
}

// v4.19 fs/aio.c: aio_remove_iocb
void aio_remove_iocb(kptr<aio_kiocb> iocb) {
  FUNCTION(iocb);
  kptr<kioctx> ctx = iocb->ki_ctx;
  unsigned long flags;
  spin_lock_irqsave(&ctx->ctx_lock, flags);
  RemoveActive(ctx, iocb);
  spin_unlock_irqrestore(&ctx->ctx_lock, flags);
}

// v4.19 fs/aio.c: sys_io_cancel, for all programs alike. Success is -EINPROGRESS: the event comes
// through the ring, and nothing is stored at `result`.
SYSCALL_DEFINE3(io_cancel, aio_context_t, ctx_id, user_ptr<iocb>, user_iocb, user_ptr<io_event>,
                result) {
  static_cast<void>(result);
  uint32_t key = 0;
  if (get_user(key, user_iocb.member(&iocb::aio_key)) != 0) {
    return Fail(EFAULT, "aio_key of the iocb at $0 cannot be read", user_iocb);
  }
  if (key != KIOCB_KEY) {
    return Fail(EINVAL, "aio_key=$0 is not what io_submit stores, $1", key, KIOCB_KEY);
  }
  kptr<kioctx> ctx = lookup_ioctx(ctx_id);
  if (!ctx) return Error(EINVAL);
  int ret = 0;
  spin_lock_irq(&ctx->ctx_lock);
  kptr<aio_kiocb> kiocb = lookup_kiocb(ctx, user_iocb);
  if (kiocb) {
    ret = kiocb->ki_cancel(&kiocb->rw);
    RemoveActive(ctx, kiocb);
  } else {
    ret = Fail(EINVAL, "none of the $0 requests that can be cancelled is of the iocb at $1",
               ctx->active_reqs.size(), user_iocb);
  }
  spin_unlock_irq(&ctx->ctx_lock);
  if (ret == 0) ret = Fail(EINPROGRESS, "cancelled: its event comes through the ring");
  percpu_ref_put(&ctx->users);
  return ret;
}

}  // namespace kpath
