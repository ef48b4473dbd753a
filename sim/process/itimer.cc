// SPDX-License-Identifier: Apache-2.0
//
// Interval timers: alarm, setitimer, getitimer. v4.19 kernel/time/itimer.c
//
// Departs: nothing accounts for the time that a process runs, so there is ITIMER_REAL only; the
// other two are refused.
#include <sys/time.h>  // struct itimerval, ITIMER_*: the same on every x86-64 Linux

#include "sim/kernel/container_of.h"
#include "sim/kernel/fail.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

constexpr long kUsecPerSec = 1'000'000;

timeval ktime_to_timeval(ktime_t kt) {
  const timespec64 ts = ktime_to_timespec64(kt);
  return {ts.tv_sec, ts.tv_nsec / NSEC_PER_USEC};
}

ktime_t timeval_to_ktime(const timeval& tv) {
  return ktime_set(tv.tv_sec, static_cast<unsigned long>(tv.tv_usec * NSEC_PER_USEC));
}

// v4.19 include/linux/time.h: timeval_valid
bool timeval_valid(const timeval& tv) {
  return tv.tv_sec >= 0 && tv.tv_usec >= 0 && tv.tv_usec < kUsecPerSec;
}

// v4.19 kernel/time/itimer.c: itimer_get_remtime. One that is late is not told as none.
timeval itimer_get_remtime(const hrtimer* timer) {
  FUNCTION();
  ktime_t rem = hrtimer_get_remaining(timer);
  if (!hrtimer_active(timer)) {
    rem = 0;
  } else if (rem <= 0) {
    rem = NSEC_PER_USEC;
  }
  return ktime_to_timeval(rem);
}

itimerval current_itimer(const signal_struct& signal) {
  return {.it_interval = ktime_to_timeval(signal.it_real_incr),
          .it_value = itimer_get_remtime(&signal.real_timer)};
}

Error FailWhich(int which) {
  if (which == ITIMER_VIRTUAL || which == ITIMER_PROF) {
    return Fail(EINVAL, "timer $0 counts CPU time, which is not modelled", which);
  }
  return Fail(EINVAL, "there is no timer $0", which);
}

// v4.19 kernel/time/itimer.c: do_getitimer
int do_getitimer(int which, itimerval* value) {
  FUNCTION(which);
  if (which != ITIMER_REAL) return fn.Return(FailWhich(which));
  spin_lock_irq(&current->sighand->siglock);
  *value = current_itimer(*current->signal);
  spin_unlock_irq(&current->sighand->siglock);
  return fn.Return(0);
}

// v4.19 kernel/time/itimer.c: do_setitimer
int do_setitimer(int which, const itimerval& value, itimerval* ovalue) {
  FUNCTION(which);
  if (!timeval_valid(value.it_value) || !timeval_valid(value.it_interval)) {
    return fn.Return(Fail(EINVAL, "$0 s, $1 us; $2 s, $3 us is no time and interval",
                          value.it_value.tv_sec, value.it_value.tv_usec, value.it_interval.tv_sec,
                          value.it_interval.tv_usec));
  }
  if (which != ITIMER_REAL) return fn.Return(FailWhich(which));
  signal_struct& signal = *current->signal;
  while (true) {
    spin_lock_irq(&current->sighand->siglock);
    if (ovalue != nullptr) *ovalue = current_itimer(signal);
    // it_real_fn takes the same lock: let it have its turn.
    if (hrtimer_try_to_cancel(&signal.real_timer) >= 0) break;
    spin_unlock_irq(&current->sighand->siglock);
    current->machine->Relax();
  }
  const ktime_t expires = timeval_to_ktime(value.it_value);
  signal.it_real_incr = expires != 0 ? timeval_to_ktime(value.it_interval) : 0;
  if (expires != 0) hrtimer_start(&signal.real_timer, expires, HRTIMER_MODE_REL);
  spin_unlock_irq(&current->sighand->siglock);
  return fn.Return(0);
}

// v4.19 kernel/time/itimer.c: alarm_setitimer. Rounds to seconds, but never down to 0.
long alarm_setitimer(unsigned seconds) {
  FUNCTION(seconds);
  itimerval it_old = {};
  do_setitimer(ITIMER_REAL, {.it_interval = {}, .it_value = {seconds, 0}}, &it_old);
  const timeval& left = it_old.it_value;
  const bool up = (left.tv_sec == 0 && left.tv_usec != 0) || left.tv_usec >= kUsecPerSec / 2;
  return fn.Return(left.tv_sec + (up ? 1 : 0));
}

}  // namespace

enum hrtimer_restart it_real_fn(hrtimer* timer) {
  const signal_struct* sig = container_of(timer, &signal_struct::real_timer);
  FUNCTION(sig->group_leader->pid);
  kill_pid_info(SIGALRM, SEND_SIG_PRIV, sig->group_leader->pid);
  return fn.Return(HRTIMER_NORESTART);
}

// v4.19 kernel/time/itimer.c: sys_getitimer
SYSCALL_DEFINE2(getitimer, int, which, user_ptr<itimerval>, value) {
  if (!value) return Fail(EFAULT, "no place for the result");
  itimerval now;
  const int error = do_getitimer(which, &now);
  if (error == 0 && copy_to_user(value, &now, sizeof(now)) != 0) return Error(EFAULT);
  return error;
}

// v4.19 kernel/time/itimer.c: sys_alarm
SYSCALL_DEFINE1(alarm, unsigned, seconds) { return alarm_setitimer(seconds); }

// v4.19 kernel/time/itimer.c: sys_setitimer. A null `value` stops the timer.
SYSCALL_DEFINE3(setitimer, int, which, user_ptr<const itimerval>, value, user_ptr<itimerval>,
                ovalue) {
  itimerval set = {}, old = {};
  if (value && copy_from_user(&set, value, sizeof(set)) != 0) return Error(EFAULT);
  const int error = do_setitimer(which, set, ovalue ? &old : nullptr);
  if (error != 0 || !ovalue) return error;
  return copy_to_user(ovalue, &old, sizeof(old)) != 0 ? Error(EFAULT) : Error(0);
}

}  // namespace kpath
