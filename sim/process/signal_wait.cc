// SPDX-License-Identifier: Apache-2.0
//
// Waiting for a signal, and going on after one. v4.19 kernel/signal.c
#include "sim/kernel/fail.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/time.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// None of them waits: blocks them less while the task sleeps, so that it is woken. Returns what
// schedule_hrtimeout_range did. REQUIRES: siglock, which is given up meanwhile.
int sleep_for_signal(const sigset_t& mask, const ktime_t* to) {
  task_struct* tsk = current;
  tsk->real_blocked = tsk->blocked;
  tsk->blocked.sig &= mask.sig;
  recalc_sigpending();
  spin_unlock_irq(&tsk->sighand->siglock);
  __set_current_state(TASK_INTERRUPTIBLE);
  const int ret = schedule_hrtimeout_range(to, tsk->timer_slack_ns, HRTIMER_MODE_REL);
  spin_lock_irq(&tsk->sighand->siglock);
  __set_task_blocked(tsk, &tsk->real_blocked);
  tsk->real_blocked = {};
  return ret;
}

// v4.19 kernel/signal.c: do_sigtimedwait. Null `ts`: for ever.
long do_sigtimedwait(const sigset_t& which, siginfo_t* info, const timespec64* ts) {
  FUNCTION(Value::Address(which.sig));
  if (ts != nullptr && !timespec64_valid(*ts)) {
    return fn.Return<long>(
        Fail(EINVAL, "tv_sec=$0, tv_nsec=$1 is no length of time", ts->tv_sec, ts->tv_nsec));
  }
  const ktime_t timeout = ts != nullptr ? timespec64_to_ktime(*ts) : KTIME_MAX;
  // Of those that are not waited for.
  const sigset_t mask = {~(which.sig & ~SIG_KERNEL_ONLY_MASK)};
  task_struct* tsk = current;
  int ret = 0;
  spin_lock_irq(&tsk->sighand->siglock);
  int sig = dequeue_signal(tsk, &mask, info);
  if (sig == 0 && timeout != 0) {
    ret = sleep_for_signal(mask, ts != nullptr ? &timeout : nullptr);
    sig = dequeue_signal(tsk, &mask, info);
  }
  spin_unlock_irq(&tsk->sighand->siglock);
  if (sig != 0) return fn.Return<long>(sig);
  if (ret != 0) return fn.Return<long>(Fail(EINTR, "another signal came"));
  return fn.Return<long>(Fail(EAGAIN, "no such signal came in $0 ns", timeout));
}

}  // namespace

// v4.19 kernel/signal.c: sys_rt_sigtimedwait
SYSCALL_DEFINE4(rt_sigtimedwait, user_ptr<const sigset_t>, uthese, user_ptr<siginfo_t>, uinfo,
                user_ptr<timespec64>, uts, unsigned long, sigsetsize) {
  if (sigsetsize != sizeof(sigset_t)) {
    return Fail(EINVAL, "a set of signals has 8 bytes, not $0", sigsetsize);
  }
  sigset_t these;
  if (copy_from_user(&these, uthese, sizeof(these)) != 0) return Error(EFAULT);
  timespec64 ts;
  if (uts && get_timespec64(&ts, uts) != 0) return Error(EFAULT);
  siginfo_t info = {};
  const long ret = do_sigtimedwait(these, &info, uts ? &ts : nullptr);
  if (ret > 0 && uinfo && copy_siginfo_to_user(uinfo, &info) != 0) return Error(EFAULT);
  return ret;
}

// v4.19 kernel/signal.c: sys_restart_syscall. How user mode goes on with a call that a signal
// without a handler has interrupted.
SYSCALL_DEFINE0(restart_syscall) {
  restart_block* restart = &current->restart_block;
  return restart->fn(restart);
}

// v4.19 kernel/signal.c: sys_pause
SYSCALL_DEFINE0(pause) {
  while (!signal_pending(current)) {
    __set_current_state(TASK_INTERRUPTIBLE);
    schedule();
  }
  return Fail(ERESTARTNOHAND, "a signal came");
}

}  // namespace kpath
