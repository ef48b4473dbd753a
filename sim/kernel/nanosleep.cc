// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/nanosleep.h"

#include "sim/kernel/compat.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/time.h"

namespace kpath {
namespace {

// v4.19 kernel/time/hrtimer.c: nanosleep_copyout
int nanosleep_copyout(const restart_block* restart, const timespec64& left) {
  FUNCTION(left.tv_sec, left.tv_nsec);
  const uint64_t rmtp = restart->nanosleep.rmtp;
  const int error = restart->nanosleep.type == TT_COMPAT
                        ? compat_put_timespec64(left, user_ptr<compat_timespec>(rmtp))
                        : put_timespec64(left, user_ptr<timespec64>(rmtp));
  if (error != 0) return fn.Return(-EFAULT);
  return fn.Return(Fail(ERESTART_RESTARTBLOCK, "a signal came $0.$1 s before the end", left.tv_sec,
                        left.tv_nsec));
}

// v4.19 kernel/time/hrtimer.c: do_nanosleep. 0 when the time is over.
int do_nanosleep(hrtimer_sleeper* t, hrtimer_mode mode) {
  FUNCTION(mode);
  InitSleeper(t, current);
  do {
    set_current_state(TASK_INTERRUPTIBLE);
    hrtimer_start_expires(&t->timer, mode);
    if (t->task != nullptr) schedule();
    hrtimer_cancel(&t->timer);
    mode = HRTIMER_MODE_ABS;
  } while (t->task != nullptr && !signal_pending(current));
  __set_current_state(TASK_RUNNING);
  if (t->task == nullptr) return fn.Return(0);
  const restart_block* restart = &current->restart_block;
  if (restart->nanosleep.type == TT_NONE) {
    return fn.Return(Fail(ERESTART_RESTARTBLOCK, "a signal came before the end"));
  }
  const ktime_t left = hrtimer_get_remaining(&t->timer);
  if (left <= 0) return fn.Return(0);
  return fn.Return(nanosleep_copyout(restart, ktime_to_timespec64(left)));
}

// v4.19 kernel/time/hrtimer.c: hrtimer_nanosleep_restart
long hrtimer_nanosleep_restart(restart_block* restart) {
  FUNCTION(restart->nanosleep.expires);
  hrtimer_sleeper t;
  hrtimer_init(&t.timer, restart->nanosleep.clockid, HRTIMER_MODE_ABS);
  hrtimer_set_expires_range_ns(&t.timer, static_cast<ktime_t>(restart->nanosleep.expires), 0);
  return fn.Return(long{do_nanosleep(&t, HRTIMER_MODE_ABS)});
}

}  // namespace

void SetRemainder(user_ptr<timespec64> rmtp) {
  current->restart_block.nanosleep.type = rmtp ? TT_NATIVE : TT_NONE;
  current->restart_block.nanosleep.rmtp = rmtp.address();
}

long hrtimer_nanosleep(const timespec64& rqtp, hrtimer_mode mode, int clockid) {
  FUNCTION(rqtp.tv_sec, rqtp.tv_nsec, mode, clockid);
  hrtimer_sleeper t;
  hrtimer_init(&t.timer, clockid, mode);
  hrtimer_set_expires_range_ns(&t.timer, timespec64_to_ktime(rqtp), current->timer_slack_ns);
  const int ret = do_nanosleep(&t, mode);
  if (ret != -ERESTART_RESTARTBLOCK) return fn.Return(long{ret});
  // The same call can be made again: when it is to end has not changed.
  if (mode == HRTIMER_MODE_ABS) {
    return fn.Return<long>(Fail(ERESTARTNOHAND, "a signal came before the end"));
  }
  restart_block* restart = &current->restart_block;
  restart->fn = hrtimer_nanosleep_restart;
  restart->nanosleep.clockid = t.timer.clock_id;
  restart->nanosleep.expires = static_cast<uint64_t>(t.timer.expires);
  return fn.Return(long{ret});
}

// v4.19 kernel/time/hrtimer.c: sys_nanosleep
SYSCALL_DEFINE2(nanosleep, user_ptr<timespec64>, rqtp, user_ptr<timespec64>, rmtp) {
  timespec64 tu;
  if (get_timespec64(&tu, rqtp) != 0) return Error(EFAULT);
  if (!timespec64_valid(tu)) {
    return Fail(EINVAL, "tv_sec=$0, tv_nsec=$1 is no length of time", tu.tv_sec, tu.tv_nsec);
  }
  SetRemainder(rmtp);
  return hrtimer_nanosleep(tu, HRTIMER_MODE_REL, CLOCK_MONOTONIC);
}

// v4.19 kernel/time/hrtimer.c: compat_sys_nanosleep
COMPAT_SYSCALL_DEFINE2(nanosleep, user_ptr<compat_timespec>, rqtp, user_ptr<compat_timespec>,
                       rmtp) {
  timespec64 tu;
  if (compat_get_timespec64(&tu, rqtp) != 0) return Error(EFAULT);
  if (!timespec64_valid(tu)) {
    return Fail(EINVAL, "tv_sec=$0, tv_nsec=$1 is no length of time", tu.tv_sec, tu.tv_nsec);
  }
  current->restart_block.nanosleep.type = rmtp ? TT_COMPAT : TT_NONE;
  current->restart_block.nanosleep.rmtp = rmtp.address();
  return hrtimer_nanosleep(tu, HRTIMER_MODE_REL, CLOCK_MONOTONIC);
}

}  // namespace kpath
