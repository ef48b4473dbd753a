// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/hrtimer.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>

#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/kernel/tick.h"
#include "sim/kernel/timekeeping.h"

namespace kpath {
namespace {

// v4.19 include/linux/hrtimer.h: struct hrtimer_cpu_base
struct hrtimer_cpu_base {
  spinlock_t lock{"hrtimer_bases.lock"};
  std::multimap<ktime_t, hrtimer*> active;  // by expiry; equal ones in the order they were started
  hrtimer* running = nullptr;               // its callback is being called
  ktime_t expires_next = KTIME_MAX;         // what the CPU's timer is programmed for
  bool in_hrtirq = false;                   // hrtimer_interrupt will program it
};

struct hrtimer_globals {
  std::array<hrtimer_cpu_base, Machine::kMaxCpus> bases;
};

KernelGlobal<hrtimer_globals> hrtimers;

void CheckTimer(const hrtimer* timer) {
  if (timer->magic == hrtimer::kMagic) return;
  Report("BUG: hrtimer is not initialised, or its memory was freed");
}

hrtimer_cpu_base& base_of(const hrtimer* timer) { return hrtimers->bases[timer->cpu]; }

// v4.19 kernel/time/hrtimer.c: hrtimer_clock_base::get_time, offset. What the timer's clock shows,
// and by how much that is more than CLOCK_MONOTONIC.
ktime_t get_time(const hrtimer* timer) {
  return timer->clock_id == CLOCK_REALTIME ? ktime_get_real() : ktime_get();
}
ktime_t offset_of(const hrtimer* timer) {
  return timer->clock_id == CLOCK_REALTIME ? kWallClockStart * NSEC_PER_SEC : 0;
}

// When it expires, on CLOCK_MONOTONIC: what the queues are sorted by.
ktime_t MonotonicExpiry(const hrtimer* timer) { return timer->expires - offset_of(timer); }

// v4.19 kernel/time/hrtimer.c: lock_hrtimer_base
hrtimer_cpu_base& lock_hrtimer_base(const hrtimer* timer, unsigned long& flags) {
  FUNCTION();
  hrtimer_cpu_base& base = base_of(timer);
  spin_lock_irqsave(&base.lock, flags);
  return base;
}

// v4.19 kernel/time/hrtimer.c: enqueue_hrtimer. Returns true if it is the first of its CPU.
bool enqueue_hrtimer(hrtimer* timer, hrtimer_cpu_base& base) {
  FUNCTION(timer);
  timer->enqueued = true;
  const auto place = base.active.emplace(MonotonicExpiry(timer), timer);
  return fn.Return(place == base.active.begin());
}

void Unqueue(hrtimer* timer, hrtimer_cpu_base& base) {
  auto place = base.active.lower_bound(MonotonicExpiry(timer));
  while (place->second != timer) ++place;
  base.active.erase(place);
  timer->enqueued = false;
}

ktime_t NextExpiry(const hrtimer_cpu_base& base) {
  return base.active.empty() ? KTIME_MAX : base.active.begin()->first;
}

// v4.19 kernel/time/hrtimer.c: hrtimer_force_reprogram
void hrtimer_force_reprogram(hrtimer_cpu_base& base) {
  FUNCTION();
  base.expires_next = NextExpiry(base);
  tick_program_event(base.expires_next);
}

// v4.19 kernel/time/hrtimer.c: __remove_hrtimer
// Departs: the interrupt of a timer of another CPU is left programmed, as in the kernel, and finds
// nothing to do; that of this CPU is taken back if `reprogram`.
void __remove_hrtimer(hrtimer* timer, hrtimer_cpu_base& base, bool reprogram) {
  FUNCTION(timer);
  const bool was_first = base.active.begin()->second == timer;
  Unqueue(timer, base);
  if (reprogram && was_first && timer->cpu == smp_processor_id()) hrtimer_force_reprogram(base);
}

// v4.19 kernel/time/hrtimer.c: hrtimer_reprogram
void hrtimer_reprogram(hrtimer* timer, hrtimer_cpu_base& base) {
  FUNCTION(timer);
  const ktime_t expires = std::max<ktime_t>(MonotonicExpiry(timer), 0);
  if (expires >= base.expires_next || base.in_hrtirq) return;
  base.expires_next = expires;
  tick_program_event(expires);
}

// v4.19 kernel/time/hrtimer.c: __run_hrtimer. base.lock is let go during the callback.
void __run_hrtimer(hrtimer_cpu_base& base, hrtimer* timer, unsigned long flags) {
  CheckTimer(timer);
  base.running = timer;
  __remove_hrtimer(timer, base, /*reprogram=*/false);
  spin_unlock_irqrestore(&base.lock, flags);
  const hrtimer_restart restart = timer->function(timer);
  spin_lock_irq(&base.lock);
  // The callback may have started it itself; and without a restart it may be gone.
  if (restart != HRTIMER_NORESTART && !timer->enqueued) enqueue_hrtimer(timer, base);
  base.running = nullptr;
}

// v4.19 kernel/time/hrtimer.c: __hrtimer_run_queues
void __hrtimer_run_queues(hrtimer_cpu_base& base, ktime_t now, unsigned long flags) {
  FUNCTION(now);
  while (!base.active.empty()) {
    hrtimer* timer = base.active.begin()->second;
    CheckTimer(timer);
    if (now < timer->softexpires - offset_of(timer)) break;
    __run_hrtimer(base, timer, flags);
  }
}

// v4.19 kernel/time/hrtimer.c: hrtimer_wakeup
hrtimer_restart hrtimer_wakeup(hrtimer* timer) {
  hrtimer_sleeper* sleeper = container_of(timer, &hrtimer_sleeper::timer);
  FUNCTION();
  task_struct* task = sleeper->task;
  sleeper->task = nullptr;
  if (task != nullptr) wake_up_process(task);
  return fn.Return(HRTIMER_NORESTART);
}

}  // namespace

// v4.19 kernel/time/hrtimer.c: hrtimer_init
void hrtimer_init(hrtimer* timer, int clock_id, hrtimer_mode mode) {
  FUNCTION(clock_id, mode);
  *timer = {};
  timer->magic = hrtimer::kMagic;
  // A length of time is not changed by setting the wall clock.
  const bool realtime = clock_id == CLOCK_REALTIME && mode == HRTIMER_MODE_ABS;
  timer->clock_id = realtime ? CLOCK_REALTIME : CLOCK_MONOTONIC;
  timer->cpu = smp_processor_id();
}

// v4.19 kernel/time/hrtimer.c: hrtimer_start_range_ns
void hrtimer_start_range_ns(hrtimer* timer, ktime_t tim, uint64_t delta_ns, hrtimer_mode mode) {
  FUNCTION(timer, tim, delta_ns, mode);
  CheckTimer(timer);
  unsigned long flags;
  hrtimer_cpu_base* base = &lock_hrtimer_base(timer, flags);
  if (timer->enqueued) __remove_hrtimer(timer, *base, timer->cpu == smp_processor_id());
  if (mode == HRTIMER_MODE_REL) tim = ktime_add_safe(tim, get_time(timer));
  timer->softexpires = tim;
  timer->expires = ktime_add_safe(tim, static_cast<ktime_t>(delta_ns));
  const int target = get_nohz_timer_target();
  if (target != timer->cpu && base->running != timer) {  // switch_hrtimer_base
    spin_unlock_irqrestore(&base->lock, flags);
    timer->cpu = target;
    base = &lock_hrtimer_base(timer, flags);
  }
  const bool first = enqueue_hrtimer(timer, *base);
  if (first && timer->cpu == smp_processor_id()) hrtimer_reprogram(timer, *base);
  spin_unlock_irqrestore(&base->lock, flags);
}

// v4.19 kernel/time/hrtimer.c: hrtimer_active
bool hrtimer_active(const hrtimer* timer) {
  FUNCTION();
  return fn.Return(timer->enqueued || base_of(timer).running == timer);
}

// v4.19 kernel/time/hrtimer.c: hrtimer_try_to_cancel
int hrtimer_try_to_cancel(hrtimer* timer) {
  FUNCTION(timer);
  CheckTimer(timer);
  if (!hrtimer_active(timer)) return fn.Return(0);
  unsigned long flags;
  hrtimer_cpu_base& base = lock_hrtimer_base(timer, flags);
  int ret = -1;
  if (base.running != timer) {
    ret = timer->enqueued ? 1 : 0;
    if (timer->enqueued) __remove_hrtimer(timer, base, /*reprogram=*/true);
  }
  spin_unlock_irqrestore(&base.lock, flags);
  return fn.Return(ret);
}

// v4.19 kernel/time/hrtimer.c: hrtimer_cancel
int hrtimer_cancel(hrtimer* timer) {
  FUNCTION(timer);
  while (true) {
    const int ret = hrtimer_try_to_cancel(timer);
    if (ret >= 0) return fn.Return(ret);
    if (timer->cpu == smp_processor_id()) {
      Report("BUG: hrtimer_cancel in the timer's own callback never ends");
    }
    current->machine->Relax();
  }
}

// v4.19 kernel/time/hrtimer.c: hrtimer_forward
uint64_t hrtimer_forward(hrtimer* timer, ktime_t now, ktime_t interval) {
  FUNCTION(timer, now, interval);
  if (now < timer->expires) return fn.Return(uint64_t{0});
  const uint64_t overruns = static_cast<uint64_t>((now - timer->expires) / interval) + 1;
  const ktime_t step = static_cast<ktime_t>(overruns) * interval;
  timer->softexpires += step;
  timer->expires += step;
  return fn.Return(overruns);
}

// v4.19 include/linux/hrtimer.h: hrtimer_forward_now
uint64_t hrtimer_forward_now(hrtimer* timer, ktime_t interval) {
  return hrtimer_forward(timer, get_time(timer), interval);
}

// v4.19 include/linux/hrtimer.h: hrtimer_expires_remaining
ktime_t hrtimer_get_remaining(const hrtimer* timer) { return timer->expires - get_time(timer); }

// v4.19 include/linux/hrtimer.h: hrtimer_set_expires_range_ns
void hrtimer_set_expires_range_ns(hrtimer* timer, ktime_t time, uint64_t delta_ns) {
  timer->softexpires = time;
  timer->expires = ktime_add_safe(time, static_cast<ktime_t>(delta_ns));
}

// v4.19 include/linux/hrtimer.h: hrtimer_start_expires
void hrtimer_start_expires(hrtimer* timer, hrtimer_mode mode) {
  const auto delta = static_cast<uint64_t>(timer->expires - timer->softexpires);
  hrtimer_start_range_ns(timer, timer->softexpires, delta, mode);
}

// v4.19 kernel/time/hrtimer.c: hrtimer_interrupt
void hrtimer_interrupt() {
  FUNCTION();
  hrtimer_cpu_base& base = hrtimers->bases[smp_processor_id()];
  const unsigned long flags = _raw_spin_lock_irqsave(&base.lock);
  const ktime_t now = ktime_get();
  base.in_hrtirq = true;
  base.expires_next = KTIME_MAX;
  __hrtimer_run_queues(base, now, flags);
  base.in_hrtirq = false;
  base.expires_next = NextExpiry(base);
  spin_unlock_irqrestore(&base.lock, flags);
  tick_program_event(base.expires_next);
}

// ---- Sleepers ----

// v4.19 kernel/time/hrtimer.c: hrtimer_init_sleeper
void hrtimer_init_sleeper(hrtimer_sleeper* sleeper, task_struct* task) {
  FUNCTION(task->pid);
  InitSleeper(sleeper, task);
}

void InitSleeper(hrtimer_sleeper* sleeper, task_struct* task) {
  sleeper->timer.function = hrtimer_wakeup;
  sleeper->task = task;
}

// v4.19 kernel/time/hrtimer.c: schedule_hrtimeout_range_clock
int schedule_hrtimeout_range_clock(const ktime_t* expires, uint64_t delta_ns, hrtimer_mode mode) {
  FUNCTION();
  if (expires != nullptr && *expires == 0) {
    __set_current_state(TASK_RUNNING);
    return fn.Return(0);
  }
  if (expires == nullptr) {
    schedule();
    return fn.Return(Fail(EINTR, "woken"));
  }
  hrtimer_sleeper sleeper;
  hrtimer_init(&sleeper.timer, CLOCK_MONOTONIC, mode);
  InitSleeper(&sleeper, current);
  hrtimer_start_range_ns(&sleeper.timer, *expires, delta_ns, mode);
  if (sleeper.task != nullptr) schedule();
  hrtimer_cancel(&sleeper.timer);
  __set_current_state(TASK_RUNNING);
  if (sleeper.task == nullptr) return fn.Return(0);
  return fn.Return(Fail(EINTR, "woken before the time was over"));
}

int schedule_hrtimeout_range(const ktime_t* expires, uint64_t delta_ns, hrtimer_mode mode) {
  FUNCTION();
  return fn.Return(schedule_hrtimeout_range_clock(expires, delta_ns, mode));
}

}  // namespace kpath
