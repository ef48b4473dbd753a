// SPDX-License-Identifier: Apache-2.0
//
// The gates of the interrupt descriptor table. v4.19 arch/x86/kernel/idt.c, traps.c, smp.c
//
//   14    page_fault             do_page_fault (fault.h)
//   13    general_protection     a signal for user code, a fixup or an oops for the kernel's
//   0xec  apic_timer_interrupt   smp_apic_timer_interrupt (sim/kernel/tick.h)
//   0xfd  reschedule_interrupt   what was interrupted calls schedule on its way to user mode
//
// Departs: the assembly that saves and restores the registers around these handlers is done in one
// step and not modelled line by line, and interrupts run on the stack of the task that they
// interrupt.
#pragma once

#include "sim/machine/cpu.h"

namespace kpath {

// v4.19 arch/x86/include/asm/irq_vectors.h
inline constexpr uint8_t RESCHEDULE_VECTOR = 0xfd;

// v4.19 arch/x86/kernel/idt.c: idt_setup_traps, idt_setup_apic_and_irq_gates
void idt_setup(Cpu& cpu);

}  // namespace kpath
