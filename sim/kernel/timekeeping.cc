// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/timekeeping.h"

#include "sim/kernel/jiffies.h"

namespace kpath {
namespace {

constexpr ktime_t kWallClockStartNs = kWallClockStart * NSEC_PER_SEC;

int64_t Now() { return current->machine->now_ns(); }
int64_t LastTick() { return Now() / TICK_NSEC * TICK_NSEC; }

}  // namespace

ktime_t ktime_get() {
  FUNCTION();
  return fn.Return(Now());
}

// v4.19 kernel/time/timekeeping.c: ktime_get_with_offset
ktime_t ktime_get_with_offset(ktime_t offset) {
  FUNCTION(offset);
  return fn.Return(Now() + offset);
}

// v4.19 include/linux/timekeeping.h: inline
ktime_t ktime_get_real() { return ktime_get_with_offset(kWallClockStartNs); }
ktime_t ktime_get_boottime() { return ktime_get_with_offset(0); }
ktime_t ktime_get_clocktai() { return ktime_get_with_offset(kWallClockStartNs); }

void ktime_get_raw_ts64(timespec64* ts) {
  FUNCTION();
  *ts = ns_to_timespec64(Now());
}

void ktime_get_ts64(timespec64* ts) {
  FUNCTION();
  *ts = ns_to_timespec64(Now());
}

void ktime_get_real_ts64(timespec64* ts) {
  FUNCTION();
  *ts = ns_to_timespec64(Now() + kWallClockStartNs);
}

void ktime_get_coarse_real_ts64(timespec64* ts) {
  FUNCTION();
  *ts = ns_to_timespec64(LastTick() + kWallClockStartNs);
}

void ktime_get_coarse_ts64(timespec64* ts) {
  FUNCTION();
  *ts = ns_to_timespec64(LastTick());
}

// v4.19 kernel/time/hrtimer.c: ktime_add_safe
ktime_t ktime_add_safe(ktime_t lhs, ktime_t rhs) {
  FUNCTION(lhs, rhs);
  const ktime_t sum = static_cast<ktime_t>(static_cast<uint64_t>(lhs) + static_cast<uint64_t>(rhs));
  // As in the kernel: a negative operand counts as an overflow, too.
  if (sum < 0 || sum < lhs || sum < rhs) return fn.Return(KTIME_MAX);
  return fn.Return(sum);
}

}  // namespace kpath
