// SPDX-License-Identifier: Apache-2.0
//
// A tracee stops for its tracer at the beginning and at the end of a system call. v4.19
// include/linux/tracehook.h
//
// Context: process, interrupts on; they sleep until the tracer resumes the task.
#pragma once

#include "sim/machine/pt_regs.h"

namespace kpath {

// v4.19 include/linux/tracehook.h: tracehook_report_syscall_entry. Not 0: the call is not to be
// made, the task is being killed. The tracer may have changed `regs`.
int tracehook_report_syscall_entry(pt_regs* regs);

// v4.19 include/linux/tracehook.h: tracehook_report_syscall_exit. `step`: report a single step, by
// a SIGTRAP that goes the way of all signals, instead of a system call.
void tracehook_report_syscall_exit(pt_regs* regs, bool step);

}  // namespace kpath
