// SPDX-License-Identifier: Apache-2.0
//
// Jiffies: time in ticks of 1/HZ second. v4.19 include/linux/jiffies.h
//
//   const unsigned long deadline = jiffies + msecs_to_jiffies(20);
//   if (time_after(jiffies, deadline)) …
//
// Departs: jiffies follows the clock itself; in the kernel a tick moves it on.
#pragma once

#include <algorithm>

#include "sim/kernel/sched.h"
#include "sim/kernel/time64.h"

namespace kpath {

inline constexpr long HZ = 250;
inline constexpr int64_t TICK_NSEC = NSEC_PER_SEC / HZ;
// Five minutes before a 32-bit counter would wrap around.
inline constexpr unsigned long INITIAL_JIFFIES = static_cast<unsigned int>(-300 * HZ);
inline constexpr unsigned long MAX_JIFFY_OFFSET = (~0ul >> 1) / 2 - 1;

// As in the kernel, an expression.
struct Jiffies {
  operator unsigned long() const {
    return INITIAL_JIFFIES + static_cast<unsigned long>(current->machine->now_ns() / TICK_NSEC);
  }
};
inline constexpr Jiffies jiffies;

// The machine's time at which a jiffy begins.
constexpr int64_t JiffyStartNs(unsigned long jiffy) {
  return static_cast<int64_t>(jiffy - INITIAL_JIFFIES) * TICK_NSEC;
}

constexpr bool time_after(unsigned long a, unsigned long b) { return static_cast<long>(b - a) < 0; }
constexpr bool time_before(unsigned long a, unsigned long b) { return time_after(b, a); }
constexpr bool time_after_eq(unsigned long a, unsigned long b) { return !time_before(a, b); }
constexpr bool time_before_eq(unsigned long a, unsigned long b) { return !time_after(a, b); }

// v4.19 kernel/time/time.c: __msecs_to_jiffies. Rounds up.
constexpr unsigned long msecs_to_jiffies(unsigned msecs) {
  if (static_cast<int>(msecs) < 0) return MAX_JIFFY_OFFSET;
  constexpr unsigned kMsecsPerJiffy = 1000 / HZ;
  return (msecs + kMsecsPerJiffy - 1) / kMsecsPerJiffy;
}
constexpr unsigned jiffies_to_msecs(unsigned long j) {
  return static_cast<unsigned>(j * (1000 / HZ));
}

}  // namespace kpath
