// SPDX-License-Identifier: Apache-2.0
//
// What ptrace, seccomp, audit and the tracepoints do at the beginning and at the end of a system
// call. v4.19 arch/x86/entry/common.c, include/linux/tracehook.h
//
// The order in which they have their turn is here; they themselves are in sim/process: ptrace.h,
// seccomp.h, tracepoint.h, audit.h. Each of them sets a flag of the task that leads to it.
//
// Context: process, interrupts on.
#pragma once

#include <cstdint>

#include "entry/common.h"

namespace kpath {

// v4.19 arch/x86/entry/common.c
inline constexpr uint32_t _TIF_WORK_SYSCALL_ENTRY = _TIF_SYSCALL_TRACE | _TIF_SYSCALL_EMU |
                                                    _TIF_SYSCALL_AUDIT | _TIF_SECCOMP | _TIF_NOHZ |
                                                    _TIF_SYSCALL_TRACEPOINT;
static_assert(_TIF_WORK_SYSCALL_ENTRY == 0x100801c1);
inline constexpr uint32_t SYSCALL_EXIT_WORK_FLAGS =
    _TIF_SYSCALL_AUDIT | _TIF_SYSCALL_TRACE | _TIF_SINGLESTEP | _TIF_SYSCALL_TRACEPOINT;
static_assert(SYSCALL_EXIT_WORK_FLAGS == 0x10000091);

// v4.19 arch/x86/entry/common.c: syscall_trace_enter. Returns the number to dispatch, which may be
// another one than was asked for; -1: none.
long syscall_trace_enter(pt_regs* regs);

// v4.19 arch/x86/entry/common.c: syscall_slow_exit_work. `cached_flags` are the thread's flags at
// the end of the call.
void syscall_slow_exit_work(pt_regs* regs, uint32_t cached_flags);

}  // namespace kpath
