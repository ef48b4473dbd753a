// SPDX-License-Identifier: Apache-2.0
//
// The C side of the exceptions. v4.19 arch/x86/kernel/traps.c
//
//   vector                             from user mode        from kernel mode
//   0  do_divide_error                 SIGFPE FPE_INTDIV     die
//   1  do_debug                        SIGTRAP               nothing
//   2  do_nmi                          nothing               nothing
//   3  do_int3                         SIGTRAP               die
//   4  do_overflow                     SIGSEGV               die
//   5  do_bounds                       SIGSEGV               die
//   6  do_invalid_op                   SIGILL ILL_ILLOPN     die
//   7  do_device_not_available         die                   die
//   8  do_double_fault                 die                   die
//   9  do_coprocessor_segment_overrun  SIGFPE                die
//   10 do_invalid_TSS                  SIGSEGV               die
//   11 do_segment_not_present          SIGBUS                die
//   12 do_stack_segment                SIGBUS                die
//   13 do_general_protection           SIGSEGV               fixup, or die
//   14 do_page_fault                   fault.h
//   15 do_spurious_interrupt_bug       nothing               nothing
//   16 do_coprocessor_error            SIGFPE                fixup, or die
//   17 do_alignment_check              SIGBUS BUS_ADRALN     die
//   18 do_mce                          die                   die
//   19 do_simd_coprocessor_error       SIGFPE                fixup, or die
//
// Signals without a code of their own have SI_KERNEL. To die is an oops, which here is a report
// that stops the machine.
//
// Departs: no die notifiers (kprobes, kgdb), no VM86, UMIP or MPX. There is no FPU: a math error
// has the code FPE_FLTINV. There are no debug registers: what raises #DB from user code is INT1. An
// NMI is of no known reason and is passed over.
//
// Context: interrupts off at entry and at return; the stack that the entry code chose.
#pragma once

#include "sim/machine/pt_regs.h"

namespace kpath {

// v4.19 arch/x86/include/asm/traps.h
enum TrapNumber : int {
  X86_TRAP_DE = 0,
  X86_TRAP_DB,
  X86_TRAP_NMI,
  X86_TRAP_BP,
  X86_TRAP_OF,
  X86_TRAP_BR,
  X86_TRAP_UD,
  X86_TRAP_NM,
  X86_TRAP_DF,
  X86_TRAP_OLD_MF,
  X86_TRAP_TS,
  X86_TRAP_NP,
  X86_TRAP_SS,
  X86_TRAP_GP,
  // 14: X86_TRAP_PF is in sim/kernel/extable.h.
  X86_TRAP_SPURIOUS = 15,
  X86_TRAP_MF,
  X86_TRAP_AC,
  X86_TRAP_MC,
  X86_TRAP_XF,
};

void do_divide_error(pt_regs* regs, long error_code);
void do_debug(pt_regs* regs, long error_code);
void do_nmi(pt_regs* regs, long error_code);
void do_int3(pt_regs* regs, long error_code);
void do_overflow(pt_regs* regs, long error_code);
void do_bounds(pt_regs* regs, long error_code);
void do_invalid_op(pt_regs* regs, long error_code);
void do_device_not_available(pt_regs* regs, long error_code);
void do_double_fault(pt_regs* regs, long error_code);
void do_coprocessor_segment_overrun(pt_regs* regs, long error_code);
void do_invalid_TSS(pt_regs* regs, long error_code);
void do_segment_not_present(pt_regs* regs, long error_code);
void do_stack_segment(pt_regs* regs, long error_code);
void do_general_protection(pt_regs* regs, long error_code);
void do_spurious_interrupt_bug(pt_regs* regs, long error_code);
void do_coprocessor_error(pt_regs* regs, long error_code);
void do_alignment_check(pt_regs* regs, long error_code);
void do_mce(pt_regs* regs, long error_code);
void do_simd_coprocessor_error(pt_regs* regs, long error_code);

}  // namespace kpath
