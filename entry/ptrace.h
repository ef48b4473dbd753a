// SPDX-License-Identifier: Apache-2.0
//
// The part of ptrace that is about the processor: the registers of a stopped tracee, and stepping.
// v4.19 arch/x86/kernel/ptrace.c, step.c. All else is in sim/process/ptrace.h, which calls this by
// way of ProcessHooks.
//
// A tracee's registers are its pt_regs, at the top of its kernel stack; what a tracer writes there
// is what user mode gets, or the system call that is about to be made. To step, TF is set in its
// flags: the processor raises #DB after one instruction of user mode; a system call is one, whose
// end is reported by syscall_slow_exit_work, as SYSCALL clears TF. That the tracer has set TF, and
// not the program, is remembered (TIF_FORCED_TF), so that the program's flags look as it left them.
//
// Departs: data segments, their bases, floating point and debug registers (breakpoints) are not
// modelled: they read as 0; what is written to the segments is lost, what is written to the debug
// registers is refused. The layout is that of 64-bit code, whatever code the tracee runs.
//
// Context: the tracer's, the tracee being stopped (or new: in fork).
#pragma once

#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 arch/x86/kernel/ptrace.c: arch_ptrace. PTRACE_PEEKUSR, _POKEUSR, _GETREGS, _SETREGS; hands
// all other requests on.
long arch_ptrace(task_struct* child, long request, unsigned long addr, unsigned long data);

// v4.19 arch/x86/kernel/ptrace.c: genregs_get, genregs_set. See ProcessHooks.
void genregs_get(const task_struct* target, unsigned long* regs);
int genregs_set(task_struct* target, const unsigned long* regs, size_t count);

// v4.19 arch/x86/kernel/step.c: user_enable_single_step, user_disable_single_step
void user_enable_single_step(task_struct* child);
void user_disable_single_step(task_struct* child);

}  // namespace kpath
