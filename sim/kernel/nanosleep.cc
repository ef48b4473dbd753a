// SPDX-License-Identifier: Apache-2.0
//
// nanosleep. v4.19 kernel/time/hrtimer.c
#include "sim/kernel/hrtimer.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/time.h"

namespace kpath {
namespace {

// v4.19 kernel/time/hrtimer.c: do_nanosleep. True if the time is over.
bool do_nanosleep(hrtimer_sleeper* t, ktime_t length) {
  FUNCTION(length);
  hrtimer_init_sleeper(t, current);
  hrtimer_start_range_ns(&t->timer, length, current->timer_slack_ns, HRTIMER_MODE_REL);
  do {
    set_current_state(TASK_INTERRUPTIBLE);
    if (t->task != nullptr) schedule();
    hrtimer_cancel(&t->timer);
  } while (t->task != nullptr && !signal_pending(current));
  __set_current_state(TASK_RUNNING);
  return fn.Return(t->task == nullptr);
}

// v4.19 kernel/time/hrtimer.c: hrtimer_nanosleep. What is left is stored at `rmtp` (may be null).
// Departs: an interrupted sleep ends with -EINTR; it is not restarted (restart_block).
long hrtimer_nanosleep(const timespec64& rqtp, user_ptr<timespec64> rmtp) {
  FUNCTION(rqtp.tv_sec, rqtp.tv_nsec);
  hrtimer_sleeper t;
  hrtimer_init(&t.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
  if (do_nanosleep(&t, timespec64_to_ktime(rqtp))) return fn.Return(0L);
  const ktime_t left = hrtimer_get_remaining(&t.timer);
  if (left <= 0) return fn.Return(0L);
  if (rmtp && put_timespec64(ktime_to_timespec64(left), rmtp) != 0) {
    return fn.Return<long>(Error(EFAULT));
  }
  return fn.Return<long>(Fail(EINTR, "a signal came $0 ns before the end", left));
}

}  // namespace

// v4.19 kernel/time/hrtimer.c: sys_nanosleep
SYSCALL_DEFINE2(nanosleep, user_ptr<timespec64>, rqtp, user_ptr<timespec64>, rmtp) {
  timespec64 tu;
  if (get_timespec64(&tu, rqtp) != 0) return Error(EFAULT);
  if (!timespec64_valid(tu)) {
    return Fail(EINVAL, "tv_sec=$0, tv_nsec=$1 is no length of time", tu.tv_sec, tu.tv_nsec);
  }
  return hrtimer_nanosleep(tu, rmtp);
}

}  // namespace kpath
