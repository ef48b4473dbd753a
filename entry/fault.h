// SPDX-License-Identifier: Apache-2.0
//
// Page faults: what the kernel does when the hardware found no entry that allows an access.
// v4.19 arch/x86/mm/fault.c
//
// A fault in user memory makes the page present, if the process has a right to it, and the
// instruction is done again. If it has not, kernel code continues at the instruction's fixup
// (extable.h) and fails with -EFAULT, for a reason that has been told; user code gets a signal;
// kernel code without a fixup is an oops.
//
// Context: an exception of a task; interrupts are off on entry.
#pragma once

#include "sim/kernel/sched.h"
#include "sim/machine/cpu.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// v4.19 arch/x86/include/asm/traps.h: bits of the error code of #PF.
inline constexpr unsigned long X86_PF_PROT = 1 << 0;   // 0: not present; 1: not allowed
inline constexpr unsigned long X86_PF_WRITE = 1 << 1;  // 0: read; 1: write
inline constexpr unsigned long X86_PF_USER = 1 << 2;   // 0: kernel mode; 1: user mode
inline constexpr unsigned long X86_PF_RSVD = 1 << 3;
inline constexpr unsigned long X86_PF_INSTR = 1 << 4;  // an instruction fetch

// v4.19 arch/x86/mm/fault.c: do_page_fault. The faulting address is in CR2.
void do_page_fault(pt_regs* regs, unsigned long error_code);

// A gate at vector 14 that saves the registers, calls do_page_fault and returns; for machines
// without the entry code of exceptions.
void InstallPageFaultGate(Cpu& cpu);

// ---- Calls upwards, into the code that delivers signals ----
struct FaultHooks {
  // v4.19 kernel/signal.c: force_sig_info, with si_addr. `signo`: SIGSEGV or SIGBUS, `code`:
  // SEGV_*, BUS_*. While there is none, a bad access of user code stops the machine with a report.
  void (*force_sig_fault)(int signo, int code, unsigned long address) = nullptr;
};
extern KernelGlobal<FaultHooks> fault_hooks;

}  // namespace kpath
