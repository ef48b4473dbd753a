// SPDX-License-Identifier: Apache-2.0
//
// High resolution timers. v4.19 include/linux/hrtimer.h, kernel/time/hrtimer.c
//
//   hrtimer timer;
//   hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
//   timer.function = my_callback;                     // in the timer interrupt
//   hrtimer_start(&timer, 2 * NSEC_PER_MSEC, HRTIMER_MODE_REL);
//   hrtimer_cancel(&timer);                           // and wait until the callback has returned
//
// Departs: a timer stays on the CPU that starts it; there are no callbacks in softirq context.
//
// Contexts: starting and trying to cancel in any; hrtimer_cancel not in the timer's own callback.
//
// Invariants
//   1. A timer is in the queue of one CPU, or of none: state tells.
//   2. A callback is called with interrupts off, without locks, not before the timer's softexpires.
//   3. The CPU's timer interrupt is programmed for the earliest of its timers.
#pragma once

#include <cstdint>
#include <ctime>  // CLOCK_MONOTONIC, CLOCK_REALTIME: the kernel has the same numbers

#include "sim/kernel/sched.h"
#include "sim/kernel/time64.h"
#include "sim/kernel/wait.h"

namespace kpath {

enum hrtimer_mode { HRTIMER_MODE_ABS = 0x00, HRTIMER_MODE_REL = 0x01 };
enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };

// v4.19 include/linux/hrtimer.h: struct hrtimer
struct hrtimer {
  static constexpr uint32_t kMagic = 0x6872746d;

  uint32_t magic = 0;  // kMagic: initialised, and not freed
  int clock_id = CLOCK_MONOTONIC;
  // Of its clock. Not before,
  ktime_t softexpires = 0;
  ktime_t expires = 0;  // and not later, as far as it depends on the timer; softexpires + slack
  // Called when it has expired; HRTIMER_RESTART: with a new expiry, it is to be queued again.
  hrtimer_restart (*function)(hrtimer* timer) = nullptr;
  bool enqueued = false;
  int cpu = 0;  // whose queue it is in, or was in last
};

inline Value MakeValue(const hrtimer* timer) { return Value::Signed(timer->expires); }

// REQUIRES: it is not in use. CLOCK_REALTIME makes a difference for HRTIMER_MODE_ABS only; all
// other clocks go as CLOCK_MONOTONIC does.
void hrtimer_init(hrtimer* timer, int clock_id, hrtimer_mode mode);
// Starts it, or starts it again: it expires at `tim` (REL: from now on), or up to `delta_ns` later.
void hrtimer_start_range_ns(hrtimer* timer, ktime_t tim, uint64_t delta_ns, hrtimer_mode mode);
inline void hrtimer_start(hrtimer* timer, ktime_t tim, hrtimer_mode mode) {
  hrtimer_start_range_ns(timer, tim, 0, mode);
}
// Sets when it expires, and starts it at what was set.
void hrtimer_set_expires_range_ns(hrtimer* timer, ktime_t time, uint64_t delta_ns);
void hrtimer_start_expires(hrtimer* timer, hrtimer_mode mode);
// Returns 1 if it was active, 0 if not, -1 if its callback is running.
int hrtimer_try_to_cancel(hrtimer* timer);
// Returns 1 if it was active, 0 if not. The callback is not running any more.
int hrtimer_cancel(hrtimer* timer);
// Queued, or its callback runs.
bool hrtimer_active(const hrtimer* timer);
// Moves the expiry by whole intervals until it is after `now`; returns by how many.
uint64_t hrtimer_forward(hrtimer* timer, ktime_t now, ktime_t interval);
// The same with the present for `now`.
uint64_t hrtimer_forward_now(hrtimer* timer, ktime_t interval);
// How long it has still to go; negative if it is late.
ktime_t hrtimer_get_remaining(const hrtimer* timer);

// Runs what has expired on this CPU; from the timer interrupt (tick.h).
void hrtimer_interrupt();

// ---- Sleepers ----

// v4.19 include/linux/hrtimer.h: struct hrtimer_sleeper. A timer that wakes a task.
struct hrtimer_sleeper {
  hrtimer timer;
  task_struct* task = nullptr;  // null once it has expired
};

// As hrtimer_init_sleeper, where the compiler has put it in its caller, in the same file of Linux.
void InitSleeper(hrtimer_sleeper* sleeper, task_struct* task);
// `timer` has been initialised by hrtimer_init.
void hrtimer_init_sleeper(hrtimer_sleeper* sleeper, task_struct* task);

// v4.19 kernel/time/hrtimer.c: schedule_hrtimeout_range. Sleeps in the state that the task has set.
// Null `expires`: until it is woken. Returns 0 when the time is over, -EINTR when it was woken
// before.
int schedule_hrtimeout_range(const ktime_t* expires, uint64_t delta_ns, hrtimer_mode mode);

// v4.19 include/linux/wait.h: __wait_event_hrtimeout
template <typename Condition>
[[nodiscard]] long __wait_event_hrtimeout(wait_queue_head_t* wq_head, Condition condition,
                                          ktime_t timeout, unsigned state) {
  hrtimer_sleeper sleeper;
  hrtimer_init(&sleeper.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
  hrtimer_init_sleeper(&sleeper, current);
  if (timeout != KTIME_MAX) {
    hrtimer_start_range_ns(&sleeper.timer, timeout, current->timer_slack_ns, HRTIMER_MODE_REL);
  }
  bool timed_out = false;
  const long ret = ___wait_event(wq_head, condition, state, /*exclusive=*/false, [&] {
    timed_out = sleeper.task == nullptr;
    if (!timed_out) schedule();
    return !timed_out;
  });
  hrtimer_cancel(&sleeper.timer);
  return timed_out ? Fail(ETIME, "the time is over: $0 ns", timeout) : ret;
}

// v4.19 include/linux/wait.h: wait_event_interruptible_hrtimeout. `timeout` is relative; KTIME_MAX:
// none. Returns 0 when the condition holds, -ETIME, or -ERESTARTSYS for a signal.
template <typename Condition>
long wait_event_interruptible_hrtimeout(wait_queue_head_t* wq_head, Condition condition,
                                        ktime_t timeout) {
  might_sleep();
  if (condition()) return 0;
  return __wait_event_hrtimeout(wq_head, condition, timeout, TASK_INTERRUPTIBLE);
}

}  // namespace kpath
