// SPDX-License-Identifier: Apache-2.0
//
// The C side of the 32-bit system calls. v4.19 arch/x86/entry/common.c
//
//   entry_INT80_compat     (entry_64_compat.h)  do_int80_syscall_32
//   entry_SYSENTER_compat, entry_SYSCALL_compat  do_fast_syscall_32
//     do_syscall_32_irqs_on          ia32_sys_call_table[nr](regs)
//
// While such a call lasts TS_COMPAT is set in the thread's status: what in_compat_syscall and
// seccomp look at. It is cleared by prepare_exit_to_usermode, behind the signals.
//
// Context: interrupts off at entry and at return.
#pragma once

#include "sim/machine/machine.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// v4.19 arch/x86/entry/common.c: do_int80_syscall_32
void do_int80_syscall_32(pt_regs* regs);

// v4.19 arch/x86/entry/common.c: do_fast_syscall_32. 1: SYSRETL restores all that the vDSO wants;
// 0: IRET.
long do_fast_syscall_32(pt_regs* regs);

// v4.19 arch/x86/include/asm/vdso.h: vdso_image_32. Where the vDSO has the instruction behind its
// INT 0x80: the three ways in all return there. Every process has the vDSO at one place. Set by
// Boot.
struct VdsoImage32 {
  uint64_t int80_landing_pad = 0;
  // Where handlers return to: POP %eax, and sigreturn; rt_sigreturn.
  uint64_t sym___kernel_sigreturn = 0;
  uint64_t sym___kernel_rt_sigreturn = 0;
};
extern KernelGlobal<VdsoImage32> vdso_image_32;

}  // namespace kpath
