// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/tick.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sim/kernel/hrtimer.h"
#include "sim/kernel/jiffies.h"
#include "sim/kernel/softirq.h"
#include "sim/kernel/timekeeping.h"
#include "sim/machine/check.h"

namespace kpath {

KernelGlobal<TickHooks> tick_hooks;

namespace {

// An alarm of one CPU: when it goes off, its timer interrupt is raised.
struct Alarm {
  ktime_t at = KTIME_MAX;
  uint64_t event = 0;

  void Cancel(Machine& machine) {
    if (at != KTIME_MAX) machine.CancelEvent(event);
    at = KTIME_MAX;
  }
  void Set(Cpu& cpu, ktime_t time) {
    Cancel(cpu.machine());
    if (time == KTIME_MAX) return;
    at = time;
    event = cpu.machine().ScheduleEvent(time, [this, &cpu] {
      at = KTIME_MAX;
      cpu.RaiseInterrupt(LOCAL_TIMER_VECTOR);
    });
  }
};

constexpr int kTickReasons = 3;
constexpr unsigned long kNever = ~0ul;

struct cpu_tick {
  Alarm clock_event;  // for the next hrtimer
  Alarm tick;         // for the next tick
  std::array<unsigned long, kTickReasons> wanted = {kNever, kNever, kNever};  // jiffy, by reason
  pt_regs* irq_regs = nullptr;

  unsigned long next() const { return *std::min_element(wanted.begin(), wanted.end()); }
};

struct tick_globals {
  std::array<cpu_tick, Machine::kMaxCpus> cpus;
};

KernelGlobal<tick_globals> ticks;

cpu_tick& ThisCpu() { return ticks->cpus[smp_processor_id()]; }

// v4.19 arch/x86/kernel/apic/apic.c: lapic_next_event
void lapic_next_event(ktime_t expires) {
  FUNCTION(expires);
  ThisCpu().clock_event.Set(*current->cpu, expires);
}

// v4.19 kernel/time/clockevents.c: clockevents_program_event
void clockevents_program_event(ktime_t expires) {
  FUNCTION(expires);
  ktime_get();
  lapic_next_event(expires);
}

// Sets the alarm for the earliest tick that is wanted.
void Rearm(Cpu& cpu) {
  cpu_tick& tick = ticks->cpus[cpu.id()];
  const unsigned long next = tick.next();
  const ktime_t at = next == kNever ? KTIME_MAX : JiffyStartNs(next);
  if (at != tick.tick.at) tick.tick.Set(cpu, at);
}

// v4.19 kernel/sched/core.c: scheduler_tick
void scheduler_tick() {
  FUNCTION();
  if (!HasWaitingTasks(*current->cpu)) return;
  resched_curr(*current->cpu);
  SetTick(*current->cpu, TickReason::kScheduler, jiffies + 1);
}

// v4.19 kernel/time/timer.c: update_process_times
void update_process_times(bool user) {
  FUNCTION(user);
  if (tick_hooks->run_local_timers != nullptr) tick_hooks->run_local_timers();
  if (tick_hooks->rcu_check_callbacks != nullptr) tick_hooks->rcu_check_callbacks(user);
  scheduler_tick();
}

// v4.19 kernel/time/tick-sched.c: tick_sched_timer
void tick_sched_timer() {
  FUNCTION();
  update_process_times(user_mode(get_irq_regs()));
}

// Serves the tick of this CPU if it is due.
void RunTick() {
  cpu_tick& cpu = ThisCpu();
  if (time_before(jiffies, cpu.next())) return;
  for (unsigned long& jiffy : cpu.wanted) {
    if (time_before_eq(jiffy, jiffies)) jiffy = kNever;
  }
  Rearm(*current->cpu);
  tick_sched_timer();
}

// The registers in the order in which the entry code pushes them.
constexpr Reg kPushed[] = {Reg::rdi, Reg::rsi, Reg::rdx, Reg::rcx, Reg::rax,
                           Reg::r8,  Reg::r9,  Reg::r10, Reg::r11, Reg::rbx,
                           Reg::rbp, Reg::r12, Reg::r13, Reg::r14, Reg::r15};

void TimerGate(Cpu& cpu) {
  cpu.Push(~uint64_t{LOCAL_TIMER_VECTOR});
  for (Reg reg : kPushed) cpu.Push(cpu.regs[reg]);
  pt_regs* regs = PtRegsAt(cpu, cpu.regs[Reg::rsp]);
  KPATH_CHECK(!user_mode(regs), "the gate of InstallTimerInterrupt is for kernel mode");
  smp_apic_timer_interrupt(regs);
  for (auto reg = std::rbegin(kPushed); reg != std::rend(kPushed); ++reg) {
    cpu.regs[*reg] = cpu.Pop();
  }
  cpu.Pop();
  cpu.IretQ();
}

}  // namespace

void SetTick(Cpu& cpu, TickReason reason, unsigned long jiffy) {
  ticks->cpus[cpu.id()].wanted[static_cast<int>(reason)] = jiffy;
  Rearm(cpu);
}

void ClearTick(Cpu& cpu, TickReason reason) { SetTick(cpu, reason, kNever); }

bool TickIsSet(const Cpu& cpu, TickReason reason) {
  return ticks->cpus[cpu.id()].wanted[static_cast<int>(reason)] != kNever;
}

pt_regs* get_irq_regs() { return ThisCpu().irq_regs; }

pt_regs* set_irq_regs(pt_regs* regs) { return std::exchange(ThisCpu().irq_regs, regs); }

// v4.19 kernel/time/tick-oneshot.c: tick_program_event
void tick_program_event(ktime_t expires) {
  FUNCTION(expires);
  if (expires == KTIME_MAX) {
    ThisCpu().clock_event.Cancel(*current->machine);
    return;
  }
  clockevents_program_event(expires);
}

void smp_apic_timer_interrupt(pt_regs* regs) {
  FUNCTION();
  pt_regs* old_regs = set_irq_regs(regs);
  irq_enter();
  hrtimer_interrupt();
  RunTick();
  irq_exit();
  set_irq_regs(old_regs);
}

void InstallTimerInterrupt(Cpu& cpu) {
  cpu.idt[LOCAL_TIMER_VECTOR] = {.handler = TimerGate, .name = "apic_timer_interrupt"};
}

void tick_init(Machine& machine) {
  sched_hooks.Get(machine).tasks_waiting = [](Cpu& cpu, bool waiting) {
    if (!waiting) {
      ClearTick(cpu, TickReason::kScheduler);
    } else if (!TickIsSet(cpu, TickReason::kScheduler)) {
      SetTick(cpu, TickReason::kScheduler, jiffies + 1);
    }
  };
}

}  // namespace kpath
