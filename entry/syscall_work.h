// SPDX-License-Identifier: Apache-2.0
//
// What ptrace, seccomp, audit and the tracepoints do at the beginning and at the end of a system
// call. v4.19 arch/x86/entry/common.c, include/linux/tracehook.h
//
// The order in which they have their turn is modelled here; they themselves are not. Who models one
// of them sets its function in syscall_work_hooks and, per task, the flag that leads to it; a flag
// without a function is a bug of kpath.
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

// v4.19 include/uapi/linux/seccomp.h: struct seccomp_data
struct seccomp_data {
  int nr;
  uint32_t arch;
  uint64_t instruction_pointer;
  uint64_t args[6];
};
// v4.19 include/uapi/linux/audit.h
inline constexpr uint32_t AUDIT_ARCH_X86_64 = 0xc000003e;
inline constexpr uint32_t AUDIT_ARCH_I386 = 0x40000003;

struct SyscallWorkHooks {
  // v4.19 include/linux/tracehook.h: tracehook_report_syscall_entry (TIF_SYSCALL_TRACE,
  // TIF_SYSCALL_EMU). Not 0: the call is not to be made. May change `regs`, as may all that follow.
  int (*report_syscall_entry)(pt_regs* regs) = nullptr;
  // v4.19 kernel/seccomp.c: __secure_computing (TIF_SECCOMP). -1: the call is not to be made.
  int (*secure_computing)(const seccomp_data& data) = nullptr;
  // v4.19 include/trace/events/syscalls.h: sys_enter, sys_exit (TIF_SYSCALL_TRACEPOINT).
  void (*trace_sys_enter)(pt_regs* regs, long nr) = nullptr;
  void (*trace_sys_exit)(pt_regs* regs, long result) = nullptr;
  // v4.19 kernel/auditsc.c (TIF_SYSCALL_AUDIT).
  void (*audit_syscall_entry)(pt_regs* regs) = nullptr;
  void (*audit_syscall_exit)(pt_regs* regs) = nullptr;
  // v4.19 include/linux/tracehook.h: tracehook_report_syscall_exit (TIF_SYSCALL_TRACE,
  // TIF_SINGLESTEP). `step`: report a single step instead of a system call.
  void (*report_syscall_exit)(pt_regs* regs, bool step) = nullptr;
};
extern KernelGlobal<SyscallWorkHooks> syscall_work_hooks;

// v4.19 arch/x86/entry/common.c: syscall_trace_enter. Returns the number to dispatch, which may be
// another one than was asked for; -1: none.
long syscall_trace_enter(pt_regs* regs);

// v4.19 arch/x86/entry/common.c: syscall_slow_exit_work. `cached_flags` are the thread's flags at
// the end of the call.
void syscall_slow_exit_work(pt_regs* regs, uint32_t cached_flags);

}  // namespace kpath
