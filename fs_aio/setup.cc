// SPDX-License-Identifier: Apache-2.0
//
// io_setup and io_destroy. v4.19 fs/aio.c
#include "fs_aio/ioctx.h"
#include "sim/kernel/compat.h"
#include "sim/kernel/completion.h"
#include "sim/kernel/uaccess.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: the body of sys_io_setup and of compat_sys_io_setup. `Handle` is the size in
// which the handle is read and written.
template <typename Handle>
long do_io_setup(unsigned nr_events, user_ptr<Handle> ctxp) {
  Handle ctx = 0;
  if (get_user(ctx, ctxp) != 0) {
    return Fail(EFAULT, "the word at ctxp=$0 cannot be read", ctxp);
  }
  if (ctx != 0 || nr_events == 0) {
    return Fail(EINVAL, "*ctxp must be 0 and nr_events must not: *ctxp=$0, nr_events=$1",
                Value::Address(ctx), nr_events);
  }
  kptr<kioctx> ioctx = ioctx_alloc(nr_events);
  if (IS_ERR(ioctx)) return PTR_ERR(ioctx);
  long ret = 0;
  if (put_user(static_cast<Handle>(ioctx->user_id), ctxp) != 0) {
    kill_ioctx(current->mm, ioctx, nullptr);
    ret = Fail(EFAULT, "the handle cannot be written to ctxp=$0", ctxp);
  }
  percpu_ref_put(&ioctx->users);
  return ret;
}

}  // namespace

// v4.19 fs/aio.c: sys_io_setup
SYSCALL_DEFINE2(io_setup, unsigned, nr_events, user_ptr<aio_context_t>, ctxp) {
  return do_io_setup(nr_events, ctxp);
}

// v4.19 fs/aio.c: compat_sys_io_setup
COMPAT_SYSCALL_DEFINE2(io_setup, unsigned, nr_events, user_ptr<compat_aio_context_t>, ctx32p) {
  return do_io_setup(nr_events, ctx32p);
}

// v4.19 fs/aio.c: sys_io_destroy
SYSCALL_DEFINE1(io_destroy, aio_context_t, ctx) {
  kptr<kioctx> ioctx = lookup_ioctx(ctx);
  if (!ioctx) return Error(EINVAL);
  completion requests_done;
  init_completion(&requests_done);
  ctx_rq_wait wait = {&requests_done, 1};
  const int ret = kill_ioctx(current->mm, ioctx, &wait);
  percpu_ref_put(&ioctx->users);
  // Until all requests have ended, their buffers belong to the kernel.
  if (ret == 0) wait_for_completion(&requests_done);
  return ret;
}

}  // namespace kpath
