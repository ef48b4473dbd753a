// SPDX-License-Identifier: Apache-2.0
//
// Times in user memory. v4.19 kernel/time/time.c
//
// Context: process; may sleep in a page fault.
#pragma once

#include "sim/kernel/time64.h"
#include "sim/kernel/user_ptr.h"

namespace kpath {

// v4.19 kernel/time/time.c: get_timespec64, put_timespec64. 0 or -EFAULT. Nothing is checked but
// that the memory can be reached: any number of nanoseconds is taken.
int get_timespec64(timespec64* ts, user_ptr<const timespec64> uts);
int put_timespec64(const timespec64& ts, user_ptr<timespec64> uts);

// v4.19 include/linux/time64.h: struct itimerspec64, as user mode has it, too.
struct itimerspec64 {
  timespec64 it_interval;
  timespec64 it_value;
};

// v4.19 kernel/time/time.c: get_itimerspec64, put_itimerspec64. 0 or -EFAULT.
int get_itimerspec64(itimerspec64* it, user_ptr<const itimerspec64> uit);
int put_itimerspec64(const itimerspec64& it, user_ptr<itimerspec64> uit);

}  // namespace kpath
