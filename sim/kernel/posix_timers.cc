// SPDX-License-Identifier: Apache-2.0
//
// clock_gettime. v4.19 kernel/time/posix-timers.c
#include <ctime>

#include "sim/kernel/syscalls.h"
#include "sim/kernel/time.h"
#include "sim/kernel/timekeeping.h"

namespace kpath {
namespace {

// v4.19 kernel/time/posix-timers.c: the clock_get of each clock. False: there is no such clock.
// Departs: nothing accounts for the time that a process or thread runs.
bool clock_get(int which_clock, timespec64* ts) {
  switch (which_clock) {
    case CLOCK_REALTIME:
      ktime_get_real_ts64(ts);
      return true;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_BOOTTIME:
      ktime_get_ts64(ts);
      return true;
    case CLOCK_REALTIME_COARSE:
      ktime_get_coarse_real_ts64(ts);
      return true;
    case CLOCK_MONOTONIC_COARSE:
      ktime_get_coarse_ts64(ts);
      return true;
    default:
      return false;
  }
}

}  // namespace

// v4.19 kernel/time/posix-timers.c: sys_clock_gettime
SYSCALL_DEFINE2(clock_gettime, int, which_clock, user_ptr<timespec64>, tp) {
  timespec64 kernel_tp;
  if (!clock_get(which_clock, &kernel_tp)) {
    return Fail(EINVAL, "clock $0 is not there", which_clock);
  }
  return put_timespec64(kernel_tp, tp);
}

}  // namespace kpath
