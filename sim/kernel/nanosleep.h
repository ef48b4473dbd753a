// SPDX-License-Identifier: Apache-2.0
//
// Sleeping as nanosleep and clock_nanosleep do. v4.19 kernel/time/hrtimer.c
//
// Context: process, may sleep.
#pragma once

#include "sim/kernel/hrtimer.h"
#include "sim/kernel/time64.h"
#include "sim/kernel/user_ptr.h"

namespace kpath {

// Says where what is left of an interrupted sleep goes, for hrtimer_nanosleep; null: nowhere.
void SetRemainder(user_ptr<timespec64> rmtp);

// v4.19 kernel/time/hrtimer.c: hrtimer_nanosleep. Sleeps for, or with HRTIMER_MODE_ABS until,
// `rqtp` of the clock. 0; -ERESTART_RESTARTBLOCK (what is left has been stored, and
// current->restart_block tells how to go on) or, ABS, -ERESTARTNOHAND after a signal; -EFAULT where
// what is left could not be stored.
long hrtimer_nanosleep(const timespec64& rqtp, hrtimer_mode mode, int clockid);

}  // namespace kpath
