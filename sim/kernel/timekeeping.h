// SPDX-License-Identifier: Apache-2.0
//
// What time it is. v4.19 kernel/time/timekeeping.c
//
// The monotonic clock is the machine's: 0 when it was made. The wall clock began at
// kWallClockStart.
//
// Context: any.
#pragma once

#include "sim/kernel/time64.h"

namespace kpath {

// The wall clock when a machine is made: 2018-12-29T00:00:00Z, in seconds since 1970.
inline constexpr int64_t kWallClockStart = 1'546'041'600;

// v4.19 kernel/time/timekeeping.c: ktime_get. CLOCK_MONOTONIC.
ktime_t ktime_get();
// v4.19 kernel/time/timekeeping.c: ktime_get_with_offset. CLOCK_REALTIME.
ktime_t ktime_get_real();
// v4.19 include/linux/timekeeping.h: ktime_get_boottime, ktime_get_clocktai. CLOCK_BOOTTIME: the
// machine is never suspended; CLOCK_TAI: nobody has told the kernel of leap seconds.
ktime_t ktime_get_boottime();
ktime_t ktime_get_clocktai();
// v4.19 kernel/time/timekeeping.c: ktime_get_raw_ts64. CLOCK_MONOTONIC_RAW: nobody adjusts the
// other.
void ktime_get_raw_ts64(timespec64* ts);
// v4.19 kernel/time/timekeeping.c: ktime_get_ts64, ktime_get_real_ts64. The same in seconds.
void ktime_get_ts64(timespec64* ts);
void ktime_get_real_ts64(timespec64* ts);
// v4.19 kernel/time/timekeeping.c: ktime_get_coarse_real_ts64, ktime_get_coarse_ts64. As they were
// at the last tick.
void ktime_get_coarse_real_ts64(timespec64* ts);
void ktime_get_coarse_ts64(timespec64* ts);

// v4.19 kernel/time/hrtimer.c: ktime_add_safe. Saturates.
ktime_t ktime_add_safe(ktime_t lhs, ktime_t rhs);

}  // namespace kpath
