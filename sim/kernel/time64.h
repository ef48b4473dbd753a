// SPDX-License-Identifier: Apache-2.0
//
// Seconds and nanoseconds. v4.19 include/linux/time64.h, include/linux/ktime.h,
// include/linux/time.h
#pragma once

#include <compare>
#include <cstdint>

namespace kpath {

inline constexpr long NSEC_PER_USEC = 1'000;
inline constexpr long NSEC_PER_MSEC = 1'000'000;
inline constexpr long NSEC_PER_SEC = 1'000'000'000;

// A moment or a length of time in nanoseconds.
using ktime_t = int64_t;
inline constexpr ktime_t KTIME_MAX = INT64_MAX;
inline constexpr int64_t KTIME_SEC_MAX = KTIME_MAX / NSEC_PER_SEC;

// v4.19 include/linux/time64.h: struct timespec64. Normalised: 0 <= tv_nsec < NSEC_PER_SEC.
struct timespec64 {
  int64_t tv_sec = 0;
  long tv_nsec = 0;
  friend constexpr auto operator<=>(const timespec64&, const timespec64&) = default;
};

// v4.19 include/linux/time64.h: timespec64_valid
constexpr bool timespec64_valid(const timespec64& ts) {
  return ts.tv_sec >= 0 && static_cast<unsigned long>(ts.tv_nsec) < NSEC_PER_SEC;
}

// v4.19 kernel/time/time.c: set_normalized_timespec64, timespec64_add_safe. Saturates.
constexpr timespec64 timespec64_add_safe(const timespec64& lhs, const timespec64& rhs) {
  long nsec = lhs.tv_nsec + rhs.tv_nsec;
  const int64_t carry = nsec >= NSEC_PER_SEC ? 1 : 0;
  nsec -= carry * NSEC_PER_SEC;
  const uint64_t sec = static_cast<uint64_t>(lhs.tv_sec) + static_cast<uint64_t>(rhs.tv_sec) +
                       static_cast<uint64_t>(carry);
  const auto sum = static_cast<int64_t>(sec);
  if (sum < lhs.tv_sec || sum < rhs.tv_sec) return {INT64_MAX, 0};
  return {sum, nsec};
}
// v4.19 include/linux/time64.h: timespec64_sub
constexpr timespec64 timespec64_sub(const timespec64& lhs, const timespec64& rhs) {
  const long nsec = lhs.tv_nsec - rhs.tv_nsec;
  if (nsec < 0) return {lhs.tv_sec - rhs.tv_sec - 1, nsec + NSEC_PER_SEC};
  return {lhs.tv_sec - rhs.tv_sec, nsec};
}

// v4.19 include/linux/ktime.h: ktime_set. Saturates; `nsecs` is not looked at.
constexpr ktime_t ktime_set(int64_t secs, unsigned long nsecs) {
  if (secs >= KTIME_SEC_MAX) return KTIME_MAX;
  return static_cast<ktime_t>(static_cast<uint64_t>(secs) * NSEC_PER_SEC + nsecs);
}
constexpr ktime_t timespec64_to_ktime(const timespec64& ts) {
  return ktime_set(ts.tv_sec, static_cast<unsigned long>(ts.tv_nsec));
}

// v4.19 kernel/time/time.c: ns_to_timespec64
constexpr timespec64 ns_to_timespec64(int64_t nsec) {
  int64_t seconds = nsec / NSEC_PER_SEC;
  long rest = static_cast<long>(nsec % NSEC_PER_SEC);
  if (rest < 0) {
    seconds--;
    rest += NSEC_PER_SEC;
  }
  return {seconds, rest};
}
constexpr timespec64 ktime_to_timespec64(ktime_t kt) { return ns_to_timespec64(kt); }

}  // namespace kpath
