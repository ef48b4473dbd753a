// SPDX-License-Identifier: Apache-2.0
//
// io_pgetevents: io_getevents with another mask of signals while it waits. v4.19 fs/aio.c
#include "fs_aio/getevents.h"
#include "sim/kernel/compat.h"
#include "sim/kernel/time.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: struct __compat_aio_sigset. As in v4.19 its pointer has 64 bits, so that what a
// 32-bit program passes, a pointer and a size of 32 bits each, is taken for the pointer, and what
// stands behind it for the size: hardly ever 8. (Mended in v5.4.)
struct __compat_aio_sigset {
  user_ptr<sigset_t> sigmask;
  compat_size_t sigsetsize = 0;
};
static_assert(sizeof(__compat_aio_sigset) == 16);

// The mask that the call asks for, and the one it replaced.
class CallMask {
 public:
  // Copies the mask and installs it. Null `sigmask`: nothing, and the size does not matter.
  long Install(user_ptr<const sigset_t> sigmask, uint64_t sigsetsize) {
    if (!sigmask) return 0;
    if (sigsetsize != sizeof(sigset_t)) {
      return Fail(EINVAL, "sigsetsize=$0 is not the size of a mask, $1", sigsetsize,
                  sizeof(sigset_t));
    }
    sigset_t mask;
    if (copy_from_user(&mask, sigmask, sizeof(mask)) != 0) {
      return Fail(EFAULT, "the mask of signals at $0 cannot be read", sigmask);
    }
    sigdelsetmask(&mask, SIG_KERNEL_ONLY_MASK);
    sigprocmask(SIG_SETMASK, &mask, &saved_);
    installed_ = true;
    return 0;
  }

  // The end of the call. With a signal waiting the old mask comes back only when it has been
  // delivered, so that its handler runs under the new one. Returns what the call returns.
  long Finish(long ret) {
    if (!signal_pending(current)) {
      if (installed_) sigprocmask(SIG_SETMASK, &saved_, nullptr);
      return ret;
    }
    if (installed_) {
      current->saved_sigmask = saved_;
      set_restore_sigmask();
    }
    return ret == 0 ? Fail(ERESTARTNOHAND, "a signal came before the first event") : ret;
  }

 private:
  bool installed_ = false;
  sigset_t saved_;
};

long FailSigset(user_ptr<const void> usig) {
  return Fail(EFAULT, "the pointer and size of the mask at $0 cannot be read", usig);
}

}  // namespace

// v4.19 fs/aio.c: sys_io_pgetevents
SYSCALL_DEFINE6(io_pgetevents, aio_context_t, ctx_id, long, min_nr, long, nr, user_ptr<io_event>,
                events, user_ptr<timespec64>, timeout, user_ptr<const __aio_sigset>, usig) {
  timespec64 ts;
  if (timeout && get_timespec64(&ts, timeout) != 0) return FailTimeout(timeout);
  __aio_sigset ksig = {};
  if (usig && copy_from_user(&ksig, usig, sizeof(ksig)) != 0) return FailSigset(usig);
  CallMask mask;
  const long error = mask.Install(user_ptr<const sigset_t>(ksig.sigmask), ksig.sigsetsize);
  if (error != 0) return error;
  return mask.Finish(do_io_getevents(ctx_id, min_nr, nr, events, timeout ? &ts : nullptr));
}

// v4.19 fs/aio.c: compat_sys_io_pgetevents
COMPAT_SYSCALL_DEFINE6(io_pgetevents, compat_aio_context_t, ctx_id, compat_long_t, min_nr,
                       compat_long_t, nr, user_ptr<io_event>, events, user_ptr<compat_timespec>,
                       timeout, user_ptr<const __compat_aio_sigset>, usig) {
  timespec64 ts;
  if (timeout && compat_get_timespec64(&ts, timeout) != 0) return FailTimeout(timeout);
  __compat_aio_sigset ksig;
  if (usig && copy_from_user(&ksig, usig, sizeof(ksig)) != 0) return FailSigset(usig);
  CallMask mask;
  const long error = mask.Install(ksig.sigmask, ksig.sigsetsize);
  if (error != 0) return error;
  return mask.Finish(do_io_getevents(ctx_id, min_nr, nr, events, timeout ? &ts : nullptr));
}

}  // namespace kpath
