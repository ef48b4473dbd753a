// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/timer.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/kernel/softirq.h"
#include "sim/kernel/spinlock.h"
#include "sim/kernel/tick.h"

namespace kpath {
namespace {

// v4.19 kernel/time/timer.c: each level of the wheel has 64 buckets, eight times as wide as those
// of the level below.
constexpr int LVL_CLK_SHIFT = 3;
constexpr unsigned long LVL_SIZE = 64;
constexpr int LVL_DEPTH = 9;
constexpr int LVL_SHIFT(int level) { return level * LVL_CLK_SHIFT; }
constexpr unsigned long LVL_GRAN(int level) { return 1ul << LVL_SHIFT(level); }
// What is nearer than this is in a level below.
constexpr unsigned long LVL_START(int level) { return (LVL_SIZE - 1) << LVL_SHIFT(level - 1); }
constexpr unsigned long WHEEL_TIMEOUT_CUTOFF = LVL_START(LVL_DEPTH);
constexpr unsigned long WHEEL_TIMEOUT_MAX = WHEEL_TIMEOUT_CUTOFF - LVL_GRAN(LVL_DEPTH - 1);

// v4.19 kernel/time/timer.c: struct timer_base
struct timer_base {
  spinlock_t lock{"timer_base.lock"};
  timer_list* running_timer = nullptr;
  unsigned long clk = 0;                                      // the first jiffy not yet served
  std::map<unsigned long, std::vector<timer_list*>> buckets;  // by the jiffy in which they fire
};

struct timer_globals {
  std::array<timer_base, Machine::kMaxCpus> bases;
};

KernelGlobal<timer_globals> timers;

void CheckTimer(const timer_list* timer) {
  if (timer->magic == timer_list::kMagic) return;
  Report("BUG: timer is not initialised, or its memory was freed");
}

// The CPU has a tick for the first of its timers.
void UpdateTick(const timer_base& base, int cpu_id) {
  Cpu& cpu = current->machine->cpu(cpu_id);
  if (base.buckets.empty()) {
    ClearTick(cpu, TickReason::kTimer);
  } else {
    SetTick(cpu, TickReason::kTimer, base.buckets.begin()->first);
  }
}

// v4.19 kernel/time/timer.c: lock_timer_base
timer_base& lock_timer_base(const timer_list* timer, unsigned long& flags) {
  FUNCTION();
  timer_base& base = timers->bases[timer->cpu];
  spin_lock_irqsave(&base.lock, flags);
  return base;
}

// v4.19 kernel/time/timer.c: calc_wheel_index. The jiffy in which the timer's bucket fires.
unsigned long calc_wheel_index(unsigned long expires, unsigned long clk) {
  FUNCTION(expires, clk);
  const unsigned long delta = expires - clk;
  if (static_cast<long>(delta) < 0) return fn.Return(clk);
  if (delta >= WHEEL_TIMEOUT_CUTOFF) expires = clk + WHEEL_TIMEOUT_MAX;
  int level = 0;
  while (level < LVL_DEPTH - 1 && delta >= LVL_START(level + 1)) ++level;
  const unsigned long bucket = (expires + LVL_GRAN(level)) >> LVL_SHIFT(level);
  return fn.Return(bucket << LVL_SHIFT(level));
}

// v4.19 kernel/time/timer.c: enqueue_timer. The last one in a bucket is the first to fire.
void enqueue_timer(timer_base& base, timer_list* timer) {
  FUNCTION(timer->bucket);
  timer->pending = true;
  base.buckets[timer->bucket].push_back(timer);
}

// v4.19 kernel/time/timer.c: trigger_dyntick_cpu
void trigger_dyntick_cpu(const timer_base& base, const timer_list* timer) {
  FUNCTION(timer->cpu);
  UpdateTick(base, timer->cpu);
}

// v4.19 kernel/time/timer.c: internal_add_timer
void internal_add_timer(timer_base& base, timer_list* timer) {
  FUNCTION(timer);
  timer->bucket = calc_wheel_index(timer->expires, std::max<unsigned long>(base.clk, jiffies));
  enqueue_timer(base, timer);
  trigger_dyntick_cpu(base, timer);
}

// v4.19 kernel/time/timer.c: detach_if_pending
int detach_if_pending(timer_base& base, timer_list* timer) {
  FUNCTION(timer);
  if (!timer->pending) return fn.Return(0);
  const auto bucket = base.buckets.find(timer->bucket);
  std::erase(bucket->second, timer);
  if (bucket->second.empty()) base.buckets.erase(bucket);
  timer->pending = false;
  UpdateTick(base, timer->cpu);
  return fn.Return(1);
}

// v4.19 kernel/time/timer.c: __mod_timer
int __mod_timer(timer_list* timer, unsigned long expires) {
  CheckTimer(timer);
  if (timer->pending && timer->expires == expires) return 1;
  unsigned long flags;
  timer_base* base = &lock_timer_base(timer, flags);
  const int ret = detach_if_pending(*base, timer);
  const int target = get_nohz_timer_target();
  if (target != timer->cpu && base->running_timer != timer) {
    spin_unlock_irqrestore(&base->lock, flags);
    timer->cpu = target;
    base = &lock_timer_base(timer, flags);
  }
  timer->expires = expires;
  internal_add_timer(*base, timer);
  spin_unlock_irqrestore(&base->lock, flags);
  return ret;
}

// v4.19 kernel/time/timer.c: call_timer_fn
void call_timer_fn(timer_list* timer) {
  FUNCTION(timer);
  const int count = current->preempt_count;
  timer->function(timer);
  if (current->preempt_count == count) return;
  Report(absl::StrCat("WARNING: a timer leaked preempt_count: 0x", absl::Hex(count), " -> 0x",
                      absl::Hex(current->preempt_count)));
}

// Takes the timer that is to fire next out of the wheel; null: none is due. The order within a
// bucket is that of the kernel's lists: the last one added comes first.
timer_list* TakeExpired(timer_base& base) {
  if (base.buckets.empty() || time_after_eq(base.buckets.begin()->first, base.clk)) return nullptr;
  timer_list* timer = base.buckets.begin()->second.back();
  CheckTimer(timer);
  detach_if_pending(base, timer);
  return timer;
}

// v4.19 kernel/time/timer.c: part of expire_timers. The lock is let go while the callback runs.
void expire_timer(timer_base& base, timer_list* timer) {
  const bool irqsafe = (timer->flags & TIMER_IRQSAFE) != 0;
  base.running_timer = timer;
  irqsafe ? spin_unlock(&base.lock) : spin_unlock_irq(&base.lock);
  call_timer_fn(timer);  // may free the timer
  irqsafe ? spin_lock(&base.lock) : spin_lock_irq(&base.lock);
  base.running_timer = nullptr;
}

// v4.19 kernel/time/timer.c: __run_timers, expire_timers
void __run_timers(timer_base& base) {
  FUNCTION();
  spin_lock_irq(&base.lock);
  base.clk = jiffies + 1;
  while (timer_list* timer = TakeExpired(base)) {
    expire_timer(base, timer);
  }
  UpdateTick(base, smp_processor_id());
  spin_unlock_irq(&base.lock);
}

// v4.19 kernel/time/timer.c: run_timer_softirq
void run_timer_softirq() {
  FUNCTION();
  __run_timers(timers->bases[smp_processor_id()]);
}

// v4.19 kernel/time/timer.c: run_local_timers
void run_local_timers() {
  FUNCTION();
  const timer_base& base = timers->bases[smp_processor_id()];
  if (base.buckets.empty() || time_after(base.buckets.begin()->first, jiffies)) return;
  raise_softirq_irqoff(TIMER_SOFTIRQ);
}

// v4.19 kernel/time/timer.c: struct process_timer
struct process_timer {
  timer_list timer;
  task_struct* task;
};

// v4.19 kernel/time/timer.c: process_timeout
void process_timeout(timer_list* timer) {
  FUNCTION();
  wake_up_process(container_of(timer, &process_timer::timer)->task);
}

}  // namespace

// v4.19 kernel/time/timer.c: init_timer_key
void timer_setup(timer_list* timer, void (*function)(timer_list* timer), unsigned flags) {
  *timer = {.flags = flags};
  timer->magic = timer_list::kMagic;
  timer->function = function;
  timer->cpu = smp_processor_id();
}

// v4.19 kernel/time/timer.c: mod_timer
int mod_timer(timer_list* timer, unsigned long expires) {
  FUNCTION(timer, expires);
  return fn.Return(__mod_timer(timer, expires));
}

// v4.19 kernel/time/timer.c: add_timer
void add_timer(timer_list* timer) {
  FUNCTION(timer);
  CheckTimer(timer);
  if (timer->pending) Report("BUG: add_timer of a timer that is pending");
  __mod_timer(timer, timer->expires);
}

// v4.19 kernel/time/timer.c: add_timer_on
void add_timer_on(timer_list* timer, int cpu) {
  FUNCTION(timer, cpu);
  CheckTimer(timer);
  if (timer->pending) Report("BUG: add_timer_on of a timer that is pending");
  unsigned long flags;
  timer_base* base = &lock_timer_base(timer, flags);
  if (timer->cpu != cpu) {
    spin_unlock_irqrestore(&base->lock, flags);
    timer->cpu = cpu;
    base = &lock_timer_base(timer, flags);
  }
  internal_add_timer(*base, timer);
  spin_unlock_irqrestore(&base->lock, flags);
}

// v4.19 kernel/time/timer.c: del_timer
int del_timer(timer_list* timer) {
  FUNCTION(timer);
  CheckTimer(timer);
  if (!timer->pending) return fn.Return(0);
  unsigned long flags;
  timer_base& base = lock_timer_base(timer, flags);
  const int ret = detach_if_pending(base, timer);
  spin_unlock_irqrestore(&base.lock, flags);
  return fn.Return(ret);
}

// v4.19 kernel/time/timer.c: try_to_del_timer_sync
int try_to_del_timer_sync(timer_list* timer) {
  FUNCTION(timer);
  CheckTimer(timer);
  unsigned long flags;
  timer_base& base = lock_timer_base(timer, flags);
  int ret = -1;
  if (base.running_timer != timer) ret = detach_if_pending(base, timer);
  spin_unlock_irqrestore(&base.lock, flags);
  return fn.Return(ret);
}

// v4.19 kernel/time/timer.c: del_timer_sync
int del_timer_sync(timer_list* timer) {
  FUNCTION(timer);
  if (in_irq() && (timer->flags & TIMER_IRQSAFE) == 0) {
    Report("WARNING: del_timer_sync in a hardirq");
  }
  while (true) {
    const int ret = try_to_del_timer_sync(timer);
    if (ret >= 0) return fn.Return(ret);
    if (timer->cpu == smp_processor_id()) {
      Report("BUG: del_timer_sync in the timer's own callback never ends");
    }
    current->machine->Relax();
  }
}

// v4.19 kernel/time/timer.c: schedule_timeout
long schedule_timeout(long timeout) {
  FUNCTION(timeout);
  if (timeout == MAX_SCHEDULE_TIMEOUT) {
    schedule();
    return fn.Return(timeout);
  }
  if (timeout < 0) Report(absl::StrCat("schedule_timeout: wrong timeout value ", timeout));
  const unsigned long expire = jiffies + static_cast<unsigned long>(timeout);
  process_timer timer;
  timer_setup(&timer.timer, process_timeout);
  timer.task = current;
  __mod_timer(&timer.timer, expire);
  schedule();
  del_timer_sync(&timer.timer);
  const long left = static_cast<long>(expire - jiffies);
  return fn.Return(left < 0 ? 0 : left);
}

// v4.19 kernel/time/timer.c: schedule_timeout_interruptible
long schedule_timeout_interruptible(long timeout) {
  FUNCTION(timeout);
  __set_current_state(TASK_INTERRUPTIBLE);
  return fn.Return(schedule_timeout(timeout));
}

// v4.19 kernel/time/timer.c: schedule_timeout_uninterruptible
long schedule_timeout_uninterruptible(long timeout) {
  FUNCTION(timeout);
  __set_current_state(TASK_UNINTERRUPTIBLE);
  return fn.Return(schedule_timeout(timeout));
}

// v4.19 kernel/time/timer.c: msleep
void msleep(unsigned msecs) {
  FUNCTION(msecs);
  long timeout = static_cast<long>(msecs_to_jiffies(msecs)) + 1;
  while (timeout != 0) timeout = schedule_timeout_uninterruptible(timeout);
}

void init_timers(Machine& machine) {
  EnterMachine enter(machine);
  open_softirq(TIMER_SOFTIRQ, run_timer_softirq);
  tick_hooks->run_local_timers = run_local_timers;
}

// v4.19 kernel/time/timer.c: round_jiffies_common
static unsigned long round_jiffies_common(unsigned long j, int cpu, bool force_up) {
  FUNCTION(j, cpu, force_up);
  const unsigned long original = j;
  const auto skew = static_cast<unsigned long>(cpu) * 3;
  j += skew;
  const unsigned long rem = j % HZ;
  // Up to a quarter of a second it is rounded down, unless that must not be.
  j = rem < HZ / 4 && !force_up ? j - rem : j - rem + HZ;
  j -= skew;
  return fn.Return(time_after(j, jiffies) ? j : original);
}

unsigned long round_jiffies_up(unsigned long j) {
  FUNCTION(j);
  return fn.Return(round_jiffies_common(j, smp_processor_id(), /*force_up=*/true));
}

unsigned long __msecs_to_jiffies(unsigned msecs) {
  FUNCTION(msecs);
  return fn.Return(msecs_to_jiffies(msecs));
}

}  // namespace kpath
