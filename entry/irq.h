// SPDX-License-Identifier: Apache-2.0
//
// The C side of the interrupts. v4.19 arch/x86/kernel/irq.c, arch/x86/kernel/smp.c,
// arch/x86/kernel/apic/apic.c
//
//   0x21-0xeb  do_IRQ                              a device's: sim/kernel/irq.h
//   0x20       smp_irq_move_cleanup_interrupt      nothing: interrupts do not move here
//   0xec       smp_apic_timer_interrupt            sim/kernel/tick.h
//   0xf6       smp_irq_work_interrupt              nothing: nobody queues such work
//   0xf7       smp_x86_platform_ipi                nothing: no platform asks for it
//   0xf8       smp_reboot_interrupt                stops the CPU
//   0xfb       smp_call_function_single_interrupt  sim/kernel/smp.h
//   0xfc       smp_call_function_interrupt         sim/kernel/smp.h
//   0xfd       smp_reschedule_interrupt            who was interrupted calls schedule
//   0xfe       smp_error_interrupt                 counted
//   0xff       smp_spurious_interrupt              counted
// The other vectors from 0xec up, which only hypervisors, NUMA machines and thermal sensors use,
// are spurious interrupts, too.
//
// Context: interrupts off, on the interrupt stack.
#pragma once

#include <array>
#include <cstdint>

#include "sim/machine/machine.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

void do_IRQ(pt_regs* regs);
void smp_irq_move_cleanup_interrupt(pt_regs* regs);
void smp_x86_platform_ipi(pt_regs* regs);
void smp_irq_work_interrupt(pt_regs* regs);
void smp_reboot_interrupt(pt_regs* regs);
void smp_call_function_single_interrupt(pt_regs* regs);
void smp_call_function_interrupt(pt_regs* regs);
void smp_reschedule_interrupt(pt_regs* regs);
void smp_error_interrupt(pt_regs* regs);
void smp_spurious_interrupt(pt_regs* regs);

// v4.19 arch/x86/include/asm/hardirq.h: irq_cpustat_t. Counted by each CPU; read with
// irq_stat.Get(machine)[cpu].
struct irq_cpustat_t {
  unsigned irq_spurious_count = 0;
  unsigned irq_resched_count = 0;
  unsigned irq_call_count = 0;
  unsigned irq_error_count = 0;
  unsigned irq_unhandled_count = 0;  // vectors without a descriptor
};
struct IrqStats {
  std::array<irq_cpustat_t, Machine::kMaxCpus> cpus;
  irq_cpustat_t& operator[](int cpu) { return cpus[cpu]; }
};
extern KernelGlobal<IrqStats> irq_stat;

}  // namespace kpath
