// SPDX-License-Identifier: Apache-2.0
//
// The clocks of POSIX: clock_gettime, clock_getres, clock_nanosleep.
// v4.19 kernel/time/posix-timers.c
#include <ctime>

#include "sim/kernel/jiffies.h"
#include "sim/kernel/nanosleep.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/time.h"
#include "sim/kernel/timekeeping.h"

namespace kpath {
namespace {

// v4.19 kernel/time/posix-timers.h: struct k_clock
struct k_clock {
  void (*clock_getres)(timespec64* tp);
  void (*clock_get)(timespec64* tp);
  long (*nsleep)(int which_clock, int flags, const timespec64& rqtp) = nullptr;
};

// v4.19 kernel/time/posix-timers.c: posix_get_hrtimer_res
void posix_get_hrtimer_res(timespec64* tp) {
  FUNCTION();
  *tp = {0, 1};
}
// v4.19 kernel/time/posix-timers.c: posix_get_coarse_res
void posix_get_coarse_res(timespec64* tp) {
  FUNCTION();
  *tp = ns_to_timespec64(TICK_NSEC);
}

// v4.19 kernel/time/posix-timers.c: the clocks' clock_get
void posix_clock_realtime_get(timespec64* tp) {
  FUNCTION();
  ktime_get_real_ts64(tp);
}
void posix_ktime_get_ts(timespec64* tp) {
  FUNCTION();
  ktime_get_ts64(tp);
}
void posix_get_monotonic_raw(timespec64* tp) {
  FUNCTION();
  ktime_get_raw_ts64(tp);
}
void posix_get_realtime_coarse(timespec64* tp) {
  FUNCTION();
  ktime_get_coarse_real_ts64(tp);
}
void posix_get_monotonic_coarse(timespec64* tp) {
  FUNCTION();
  ktime_get_coarse_ts64(tp);
}
void posix_get_boottime(timespec64* tp) {
  FUNCTION();
  *tp = ktime_to_timespec64(ktime_get_boottime());
}
void posix_get_tai(timespec64* tp) {
  FUNCTION();
  *tp = ktime_to_timespec64(ktime_get_clocktai());
}

// v4.19 kernel/time/posix-timers.c: common_nsleep
long common_nsleep(int which_clock, int flags, const timespec64& rqtp) {
  FUNCTION(which_clock, flags);
  const bool absolute = (flags & TIMER_ABSTIME) != 0;
  // TAI goes as the wall clock does.
  if (which_clock == CLOCK_TAI) which_clock = CLOCK_REALTIME;
  return fn.Return(
      hrtimer_nanosleep(rqtp, absolute ? HRTIMER_MODE_ABS : HRTIMER_MODE_REL, which_clock));
}

constexpr k_clock clock_realtime = {posix_get_hrtimer_res, posix_clock_realtime_get, common_nsleep};
constexpr k_clock clock_monotonic = {posix_get_hrtimer_res, posix_ktime_get_ts, common_nsleep};
constexpr k_clock clock_monotonic_raw = {posix_get_hrtimer_res, posix_get_monotonic_raw};
constexpr k_clock clock_realtime_coarse = {posix_get_coarse_res, posix_get_realtime_coarse};
constexpr k_clock clock_monotonic_coarse = {posix_get_coarse_res, posix_get_monotonic_coarse};
constexpr k_clock clock_boottime = {posix_get_hrtimer_res, posix_get_boottime, common_nsleep};
constexpr k_clock clock_tai = {posix_get_hrtimer_res, posix_get_tai, common_nsleep};

// v4.19 kernel/time/posix-timers.c: clockid_to_kclock. Null: there is no such clock.
// Departs: nothing accounts for the time that a process or thread runs; there is no clock device,
// and no alarm clock of the machine's.
const k_clock* clockid_to_kclock(int id) {
  FUNCTION(id);
  switch (id) {
    case CLOCK_REALTIME:
      return &clock_realtime;
    case CLOCK_MONOTONIC:
      return &clock_monotonic;
    case CLOCK_MONOTONIC_RAW:
      return &clock_monotonic_raw;
    case CLOCK_REALTIME_COARSE:
      return &clock_realtime_coarse;
    case CLOCK_MONOTONIC_COARSE:
      return &clock_monotonic_coarse;
    case CLOCK_BOOTTIME:
      return &clock_boottime;
    case CLOCK_TAI:
      return &clock_tai;
    default:
      return nullptr;
  }
}

Error FailNoClock(int which_clock) { return Fail(EINVAL, "clock $0 is not there", which_clock); }

}  // namespace

// v4.19 kernel/time/posix-timers.c: sys_clock_gettime
SYSCALL_DEFINE2(clock_gettime, int, which_clock, user_ptr<timespec64>, tp) {
  const k_clock* kc = clockid_to_kclock(which_clock);
  if (kc == nullptr) return FailNoClock(which_clock);
  timespec64 kernel_tp;
  kc->clock_get(&kernel_tp);
  return put_timespec64(kernel_tp, tp);
}

// v4.19 kernel/time/posix-timers.c: sys_clock_getres
SYSCALL_DEFINE2(clock_getres, int, which_clock, user_ptr<timespec64>, tp) {
  const k_clock* kc = clockid_to_kclock(which_clock);
  if (kc == nullptr) return FailNoClock(which_clock);
  timespec64 rtn_tp;
  kc->clock_getres(&rtn_tp);
  return tp ? put_timespec64(rtn_tp, tp) : 0;
}

// v4.19 kernel/time/posix-timers.c: sys_clock_nanosleep
SYSCALL_DEFINE4(clock_nanosleep, int, which_clock, int, flags, user_ptr<const timespec64>, rqtp,
                user_ptr<timespec64>, rmtp) {
  const k_clock* kc = clockid_to_kclock(which_clock);
  if (kc == nullptr) return FailNoClock(which_clock);
  if (kc->nsleep == nullptr) {
    return Fail(EOPNOTSUPP, "nobody can sleep by clock $0", which_clock);
  }
  timespec64 t;
  if (get_timespec64(&t, rqtp) != 0) return Error(EFAULT);
  if (!timespec64_valid(t)) {
    return Fail(EINVAL, "tv_sec=$0, tv_nsec=$1 is no time", t.tv_sec, t.tv_nsec);
  }
  if ((flags & TIMER_ABSTIME) != 0) rmtp = nullptr;
  SetRemainder(rmtp);
  return kc->nsleep(which_clock, flags, t);
}

}  // namespace kpath
