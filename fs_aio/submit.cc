// SPDX-License-Identifier: Apache-2.0
//
// io_submit. v4.19 fs/aio.c
#include <cstdint>

#include "fs_aio/ioctx.h"
#include "fs_aio/reqs_available.h"
#include "fs_aio/request.h"
#include "sim/block/blk_plug.h"
#include "sim/kernel/compat.h"
#include "sim/kernel/uaccess.h"
#include "sim/vfs/eventfd.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: part of io_submit_one: what every opcode asks of an iocb. Holds nothing yet.
int check_iocb(const iocb& iocb) {
  if (iocb.aio_reserved2 != 0) {
    return Fail(EINVAL, "aio_reserved2 must be 0, it is $0", iocb.aio_reserved2);
  }
  // aio_buf fits an unsigned long and aio_nbytes a size_t on a 64-bit kernel; what is left of the
  // overflow checks is the sign.
  if (static_cast<int64_t>(iocb.aio_nbytes) < 0) {
    return Fail(EINVAL, "aio_nbytes=$0 is negative as a size", iocb.aio_nbytes);
  }
  return 0;
}

// v4.19 fs/aio.c: part of io_submit_one: the switch over aio_lio_opcode.
long aio_dispatch(kptr<aio_kiocb> req, const iocb& iocb, bool compat) {
  switch (iocb.aio_lio_opcode) {
    case IOCB_CMD_PREAD:
      return aio_read(req, iocb, false, compat);
    case IOCB_CMD_PWRITE:
      return aio_write(req, iocb, false, compat);
    case IOCB_CMD_PREADV:
      return aio_read(req, iocb, true, compat);
    case IOCB_CMD_PWRITEV:
      return aio_write(req, iocb, true, compat);
    case IOCB_CMD_FSYNC:
      return aio_fsync(req, iocb, false);
    case IOCB_CMD_FDSYNC:
      return aio_fsync(req, iocb, true);
    case IOCB_CMD_POLL:
      return aio_poll(req, iocb);
    default:
      return Fail(EINVAL, "aio_lio_opcode=$0 is no operation that is supported",
                  iocb.aio_lio_opcode);
  }
}

// v4.19 fs/aio.c: part of io_submit_one: from the eventfd to the operation. Nonzero: refused.
long aio_start(kptr<aio_kiocb> req, const iocb& iocb, user_ptr<struct iocb> user_iocb,
               bool compat) {
  if ((iocb.aio_flags & IOCB_FLAG_RESFD) != 0) {
    kptr<eventfd_ctx> eventfd = eventfd_ctx_fdget(static_cast<int>(iocb.aio_resfd));
    if (IS_ERR(eventfd)) return PTR_ERR(eventfd);
    req->ki_eventfd = eventfd;
  }
  STEP("store aio_key", user_iocb);
  if (put_user(KIOCB_KEY, user_iocb.member(&iocb::aio_key)) != 0) {
    return Fail(EFAULT, "aio_key of the iocb at $0 cannot be written", user_iocb);
  }
  req->ki_user_iocb = user_iocb.address();
  req->ki_user_data = iocb.aio_data;
  return aio_dispatch(req, iocb, compat);
}

// What ended a call early is lost to the program if some iocbs were taken before: it stays in the
// reason. `user_iocb` null: the list ended.
void ExplainShortSubmit(int i, long nr, user_ptr<iocb> user_iocb, long error) {
  STEP("io_submit stops", i, user_iocb, Value::Result(error));
  if (i == 0) return;
  if (user_iocb) Explain("it is iocbpp[$0], at $1", i, user_iocb);
  Explain("io_submit stopped there: $0 of $1 taken", i, nr);
}

}  // namespace

// v4.19 fs/aio.c: iocb_put
void iocb_put(kptr<aio_kiocb> req) {
  FUNCTION(req);
  if (req->ki_refcnt != 0 && --req->ki_refcnt != 0) return;
  percpu_ref_put(&req->ki_ctx->reqs);
  kmem_cache_free(*kiocb_cachep, req);
}

// v4.19 fs/aio.c: io_submit_one
int io_submit_one(kptr<kioctx> ctx, user_ptr<iocb> user_iocb, bool compat) {
  FUNCTION(ctx, user_iocb, compat);
  iocb iocb;
  if (copy_from_user(&iocb, user_iocb, sizeof(iocb)) != 0) {
    return fn.Return(Fail(EFAULT, "the iocb at $0 cannot be read", user_iocb));
  }
  if (int ret = check_iocb(iocb); ret != 0) return fn.Return(ret);
  kptr<aio_kiocb> req = aio_get_req(ctx);
  if (!req) return fn.Return(Error(EAGAIN));

  const long ret = aio_start(req, iocb, user_iocb, compat);
  // From here on, if it was accepted, the request belongs to its completion and may be gone.
  if (ret == 0) return fn.Return(0);
  put_reqs_available(ctx, 1);
  percpu_ref_put(&ctx->reqs);
  if (req->ki_eventfd) eventfd_ctx_put(req->ki_eventfd);
  kmem_cache_free(*kiocb_cachep, req);
  return fn.Return(static_cast<int>(ret));
}

namespace {

user_ptr<iocb> ToUserPtr(user_ptr<iocb> pointer) { return pointer; }
user_ptr<iocb> ToUserPtr(compat_uptr_t pointer) { return compat_ptr<iocb>(pointer); }

// v4.19 fs/aio.c: the body of sys_io_submit and of compat_sys_io_submit. `Pointer` is what the list
// is made of.
template <typename Pointer>
long do_io_submit(aio_context_t ctx_id, long nr, user_ptr<Pointer> iocbpp, bool compat) {
  if (nr < 0) return Fail(EINVAL, "nr=$0 is negative", nr);
  kptr<kioctx> ctx = lookup_ioctx(ctx_id);
  if (!ctx) return Error(EINVAL);
  if (nr > ctx->nr_events) {
    STEP("nr is cut to the size of the ring", nr, ctx->nr_events);
    nr = ctx->nr_events;
  }

  long ret = 0;
  int i = 0;
  blk_plug plug;
  blk_start_plug(&plug);
  for (; i < nr; i++) {
    Pointer pointer{};
    STEP("next iocb", i);
    if (get_user(pointer, iocbpp + i) != 0) {
      ret = Fail(EFAULT, "iocbpp[$0] at $1 cannot be read", i, iocbpp + i);
      ExplainShortSubmit(i, nr, {}, ret);
      break;
    }
    ret = io_submit_one(ctx, ToUserPtr(pointer), compat);
    if (ret != 0) {
      ExplainShortSubmit(i, nr, ToUserPtr(pointer), ret);
      break;
    }
  }
  blk_finish_plug(&plug);
  percpu_ref_put(&ctx->users);
  return i != 0 ? i : ret;
}

}  // namespace

// v4.19 fs/aio.c: sys_io_submit
SYSCALL_DEFINE3(io_submit, aio_context_t, ctx_id, long, nr, user_ptr<user_ptr<iocb>>, iocbpp) {
  return do_io_submit(ctx_id, nr, iocbpp, /*compat=*/false);
}

// v4.19 fs/aio.c: compat_sys_io_submit
COMPAT_SYSCALL_DEFINE3(io_submit, compat_aio_context_t, ctx_id, int, nr, user_ptr<compat_uptr_t>,
                       iocbpp) {
  return do_io_submit(ctx_id, nr, iocbpp, /*compat=*/true);
}

}  // namespace kpath
