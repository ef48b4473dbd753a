// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/time.h"

#include "sim/kernel/fail.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/timekeeping.h"
#include "sim/kernel/uaccess.h"

namespace kpath {
namespace {

// v4.19 include/uapi/linux/time.h: struct timeval, struct timezone
struct timeval {
  int64_t tv_sec;
  int64_t tv_usec;
};
struct timezone {
  int tz_minuteswest;
  int tz_dsttime;
};

// v4.19 kernel/time/time.c: sys_tz. Departs: nobody sets it (settimeofday).
constexpr timezone sys_tz = {0, 0};

}  // namespace

int get_timespec64(timespec64* ts, user_ptr<const timespec64> uts) {
  FUNCTION(uts);
  if (copy_from_user(ts, uts, sizeof(*ts)) != 0) return fn.Return<int>(Error(EFAULT));
  return fn.Return(0);
}

int put_timespec64(const timespec64& ts, user_ptr<timespec64> uts) {
  FUNCTION(uts);
  if (copy_to_user(uts, &ts, sizeof(ts)) != 0) return fn.Return<int>(Error(EFAULT));
  return fn.Return(0);
}

int get_itimerspec64(itimerspec64* it, user_ptr<const itimerspec64> uit) {
  FUNCTION(uit);
  const int ret = get_timespec64(&it->it_interval, uit.member(&itimerspec64::it_interval));
  if (ret != 0) return fn.Return(ret);
  return fn.Return(get_timespec64(&it->it_value, uit.member(&itimerspec64::it_value)));
}

int put_itimerspec64(const itimerspec64& it, user_ptr<itimerspec64> uit) {
  FUNCTION(uit);
  const int ret = put_timespec64(it.it_interval, uit.member(&itimerspec64::it_interval));
  if (ret != 0) return fn.Return(ret);
  return fn.Return(put_timespec64(it.it_value, uit.member(&itimerspec64::it_value)));
}

// v4.19 kernel/time/time.c: sys_time
SYSCALL_DEFINE1(time, user_ptr<int64_t>, tloc) {
  timespec64 now;
  ktime_get_real_ts64(&now);
  if (tloc && put_user(now.tv_sec, tloc) != 0) return Error(EFAULT);
  return now.tv_sec;
}

// v4.19 kernel/time/time.c: sys_gettimeofday
SYSCALL_DEFINE2(gettimeofday, user_ptr<timeval>, tv, user_ptr<timezone>, tz) {
  if (tv) {
    timespec64 ts;
    ktime_get_real_ts64(&ts);
    if (put_user(ts.tv_sec, tv.member(&timeval::tv_sec)) != 0) return Error(EFAULT);
    if (put_user(ts.tv_nsec / NSEC_PER_USEC, tv.member(&timeval::tv_usec)) != 0) {
      return Error(EFAULT);
    }
  }
  if (tz && copy_to_user(tz, &sys_tz, sizeof(sys_tz)) != 0) return Error(EFAULT);
  return 0;
}

}  // namespace kpath
