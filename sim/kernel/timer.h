// SPDX-License-Identifier: Apache-2.0
//
// Timers of jiffy precision, and sleeping for a while.
// v4.19 include/linux/timer.h, kernel/time/timer.c
//
//   timer_list timer;
//   timer_setup(&timer, my_callback);          // called in softirq context
//   mod_timer(&timer, jiffies + HZ);
//   del_timer_sync(&timer);                    // and wait until the callback has returned
//
//   set_current_state(TASK_INTERRUPTIBLE);
//   long left = schedule_timeout(HZ / 10);     // jiffies
//   msleep(20);
//
// The wheel is coarse: a timer fires one jiffy after `expires` when that is less than 63 jiffies
// away, and up to an eighth of the time later when it is further, never early.
//
// Contexts: everything but the sleeps in any; del_timer_sync not in hardirqs.
//
// Invariants
//   1. A timer is in the wheel of one CPU, or of none: timer_pending() tells.
//   2. A callback is called in the timer softirq of that CPU, without locks, when jiffies is after
//      `expires`.
#pragma once

#include <climits>
#include <cstdint>

#include "sim/kernel/jiffies.h"

namespace kpath {

inline constexpr long MAX_SCHEDULE_TIMEOUT = LONG_MAX;

// v4.19 include/linux/timer.h: struct timer_list
struct timer_list {
  static constexpr uint32_t kMagic = 0x746d7221;

  uint32_t magic = 0;         // kMagic: set up, and not freed
  unsigned long expires = 0;  // jiffies
  void (*function)(timer_list* timer) = nullptr;
  bool pending = false;
  unsigned long bucket = 0;  // while pending: the jiffy it fires in
  int cpu = 0;               // whose wheel it is in, or was in last
  unsigned flags = 0;        // TIMER_*
};

// v4.19 include/linux/timer.h: the callback is called with interrupts off, so that the timer may be
// waited for (del_timer_sync) with interrupts off.
inline constexpr unsigned TIMER_IRQSAFE = 0x00200000;

inline Value MakeValue(const timer_list* timer) { return Value::Unsigned(timer->expires); }

// REQUIRES: it is not in use. `flags`: 0 or TIMER_IRQSAFE.
void timer_setup(timer_list* timer, void (*function)(timer_list* timer), unsigned flags = 0);
inline bool timer_pending(const timer_list* timer) { return timer->pending; }
// Starts it, or moves it. Returns 1 if it was pending, 0 if not.
int mod_timer(timer_list* timer, unsigned long expires);
// Starts it at timer->expires. REQUIRES: it is not pending.
void add_timer(timer_list* timer);
// The same in the wheel of that CPU.
void add_timer_on(timer_list* timer, int cpu);
// Stops it. Returns 1 if it was pending, 0 if not. The callback may still be running.
int del_timer(timer_list* timer);
// Returns -1, having done nothing, if the callback is running.
int try_to_del_timer_sync(timer_list* timer);
// The same as del_timer, and waits until the callback has returned.
int del_timer_sync(timer_list* timer);

// Sleeps in the state that the task has set, for `timeout` jiffies or until it is woken. Returns
// what is left of them, 0 if the time is over; MAX_SCHEDULE_TIMEOUT: sleeps until woken and returns
// it.
long schedule_timeout(long timeout);
long schedule_timeout_interruptible(long timeout);
long schedule_timeout_uninterruptible(long timeout);
// Sleeps for at least so many milliseconds, whatever signals come.
void msleep(unsigned msecs);

// v4.19 kernel/time/timer.c: round_jiffies_up. The next whole second at or after `j`, a little
// later on each further CPU, so that timers which need not be exact expire together.
unsigned long round_jiffies_up(unsigned long j);
// v4.19 kernel/time/time.c: __msecs_to_jiffies. As msecs_to_jiffies, as a call.
unsigned long __msecs_to_jiffies(unsigned msecs);

// Starts the timers: called once by InitKernel (init.h).
void init_timers(Machine& machine);

}  // namespace kpath
