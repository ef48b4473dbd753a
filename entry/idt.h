// SPDX-License-Identifier: Apache-2.0
//
// The interrupt descriptor table and the stacks that its gates name. v4.19 arch/x86/kernel/idt.c,
// arch/x86/kernel/cpu/common.c
//
//   0 … 19       exceptions           idtentry_64.h, traps.h, fault.h
//   0x20         irq_move_cleanup_interrupt
//   0x21 … 0xeb  irq_entries_start    interrupts_64.h, irq.h
//   0x80         entry_INT80_compat   entry_64_compat.h
//   0xec … 0xff  the local APIC's     interrupts_64.h, irq.h
//
// User code may raise 3, 4 and 0x80 with INT n; any other number is a #GP.
#pragma once

#include "sim/machine/cpu.h"

namespace kpath {

// v4.19 arch/x86/include/asm/page_64_types.h: the entries of the interrupt stack table.
enum : uint8_t { DOUBLEFAULT_STACK = 1, NMI_STACK, DEBUG_STACK, MCE_STACK };

// v4.19 arch/x86/kernel/idt.c: idt_setup_traps, idt_setup_apic_and_irq_gates
void idt_setup(Cpu& cpu);

// v4.19 arch/x86/kernel/cpu/common.c: cpu_init. The interrupt stack and the stacks of the interrupt
// stack table. REQUIRES: called once for each CPU.
void interrupt_stacks_init(Cpu& cpu);

}  // namespace kpath
