// SPDX-License-Identifier: Apache-2.0
//
// The tick: the timer interrupt at the beginning of a jiffy, and the programming of each CPU's
// timer. v4.19 kernel/time/tick-sched.c, kernel/time/clockevents.c, arch/x86/kernel/apic/apic.c
//
// A CPU has a tick at a jiffy only if somebody needs it (TickReason). So a machine in which nothing
// is due has nothing pending.
//
// Departs: in the kernel a CPU that is not idle ticks always, and the tick is an hrtimer. Here a
// tick that nobody needs is left out, as it would only count.
//
// Contexts: SetTick and ClearTick in any, also for another CPU; they pass no probe.
#pragma once

#include "sim/kernel/time64.h"
#include "sim/machine/machine.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// v4.19 arch/x86/include/asm/irq_vectors.h
inline constexpr uint8_t LOCAL_TIMER_VECTOR = 0xec;

// Who needs a tick.
enum class TickReason : uint8_t {
  kTimer,      // a timer_list is due then
  kRcu,        // RCU wants something of the CPU
  kScheduler,  // tasks wait for their share of the CPU
};

// The CPU is to have a tick when `jiffy` begins, at once if that is past, in place of what was
// asked for this reason before.
void SetTick(Cpu& cpu, TickReason reason, unsigned long jiffy);
// Not any more.
void ClearTick(Cpu& cpu, TickReason reason);
bool TickIsSet(const Cpu& cpu, TickReason reason);

// What is done at each tick, in this order; set by the subsystems when they start.
struct TickHooks {
  void (*run_local_timers)() = nullptr;              // timer.h
  void (*rcu_check_callbacks)(bool user) = nullptr;  // rcu.h
};
extern KernelGlobal<TickHooks> tick_hooks;

// v4.19 kernel/time/tick-oneshot.c: tick_program_event. The next hrtimer of the current CPU expires
// at `expires`; KTIME_MAX: none does.
void tick_program_event(ktime_t expires);

// v4.19 arch/x86/kernel/apic/apic.c: smp_apic_timer_interrupt. The C side of vector 0xec; `regs` is
// what was interrupted.
void smp_apic_timer_interrupt(pt_regs* regs);

// Gives the CPU a gate for the timer interrupt that needs no modelled assembly; it can be raised in
// kernel mode only. For machines without entry/.
void InstallTimerInterrupt(Cpu& cpu);

// v4.19 include/asm-generic/irq_regs.h: get_irq_regs. What the interrupt that is being served on
// this CPU has interrupted; null outside of one.
pt_regs* get_irq_regs();
// v4.19 include/asm-generic/irq_regs.h: set_irq_regs. Returns what was set before.
pt_regs* set_irq_regs(pt_regs* regs);
// v4.19 arch/x86/include/asm/ptrace.h: user_mode
inline bool user_mode(const pt_regs* regs) { return (regs->cs & 3) == 3; }

// Starts time: called once by InitKernel (init.h).
void tick_init(Machine& machine);

}  // namespace kpath
