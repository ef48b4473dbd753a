// SPDX-License-Identifier: Apache-2.0
//
// The C part of the system call path: dispatch, and the work that is due before user mode.
// v4.19 arch/x86/entry/common.c
//
//   entry_SYSCALL_64 (entry_64.h)
//     do_syscall_64
//       enter_from_user_mode
//       syscall_trace_enter         if a flag of _TIF_WORK_SYSCALL_ENTRY is set (syscall_work.h)
//       sys_call_table[nr]          if there is such a number
//       syscall_return_slowpath     always, in spite of its name
//         syscall_slow_exit_work      if a flag of SYSCALL_EXIT_WORK_FLAGS is set (syscall_work.h)
//         prepare_exit_to_usermode
//           exit_to_usermode_loop       if a flag of EXIT_TO_USERMODE_LOOP_FLAGS is set
//
// Context: process, on the kernel stack, `regs` being the registers that user mode comes back to.
//
// Invariants
//   1. Interrupts are off when do_syscall_64 is entered, and off when it returns.
//   2. User mode is entered with none of EXIT_TO_USERMODE_LOOP_FLAGS set: they are read with
//   interrupts
//      off, which stay off until SYSRET or IRET.
//   3. A task returns to user mode without locks.
#pragma once

#include <cstdint>

#include "sim/kernel/sched.h"
#include "sim/machine/cpu.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// v4.19 arch/x86/include/asm/thread_info.h
inline constexpr uint32_t _TIF_SYSCALL_TRACE = 1u << TIF_SYSCALL_TRACE;
inline constexpr uint32_t _TIF_NOTIFY_RESUME = 1u << TIF_NOTIFY_RESUME;
inline constexpr uint32_t _TIF_SIGPENDING = 1u << TIF_SIGPENDING;
inline constexpr uint32_t _TIF_NEED_RESCHED = 1u << TIF_NEED_RESCHED;
inline constexpr uint32_t _TIF_SINGLESTEP = 1u << TIF_SINGLESTEP;
inline constexpr uint32_t _TIF_SYSCALL_EMU = 1u << TIF_SYSCALL_EMU;
inline constexpr uint32_t _TIF_SYSCALL_AUDIT = 1u << TIF_SYSCALL_AUDIT;
inline constexpr uint32_t _TIF_SECCOMP = 1u << TIF_SECCOMP;
inline constexpr uint32_t _TIF_USER_RETURN_NOTIFY = 1u << TIF_USER_RETURN_NOTIFY;
inline constexpr uint32_t _TIF_UPROBE = 1u << TIF_UPROBE;
inline constexpr uint32_t _TIF_PATCH_PENDING = 1u << TIF_PATCH_PENDING;
inline constexpr uint32_t _TIF_NOHZ = 1u << TIF_NOHZ;
inline constexpr uint32_t _TIF_SYSCALL_TRACEPOINT = 1u << TIF_SYSCALL_TRACEPOINT;

inline constexpr uint32_t EXIT_TO_USERMODE_LOOP_FLAGS =
    _TIF_SIGPENDING | _TIF_NOTIFY_RESUME | _TIF_UPROBE | _TIF_NEED_RESCHED |
    _TIF_USER_RETURN_NOTIFY | _TIF_PATCH_PENDING;
static_assert(EXIT_TO_USERMODE_LOOP_FLAGS == 0x380e);

// v4.19 arch/x86/entry/common.c: do_syscall_64. `nr` is all of rax as it was at the SYSCALL
// instruction; the result goes to regs->ax, which the entry code has set to -ENOSYS.
void do_syscall_64(unsigned long nr, pt_regs* regs);

// v4.19 arch/x86/entry/common.c: syscall_return_slowpath. Interrupts on at entry, off at return.
void syscall_return_slowpath(pt_regs* regs);

// v4.19 arch/x86/entry/common.c: prepare_exit_to_usermode. The last C code before user mode,
// whatever brought the task into the kernel. Interrupts off at entry and at return; on in between
// if there is work. The task may have been moved to another CPU.
void prepare_exit_to_usermode(pt_regs* regs);

// What context tracking (CONFIG_CONTEXT_TRACKING) does where a CPU leaves and enters user mode,
// with interrupts off. Not set, as in the recorded kernel: nothing.
struct ContextTracking {
  void (*user_exit_irqoff)() = nullptr;
  void (*user_enter_irqoff)() = nullptr;
};
extern KernelGlobal<ContextTracking> context_tracking;

// v4.19 arch/x86/kernel/cpu/common.c: syscall_init. Programs the registers that SYSCALL, SYSENTER
// and SYSRET use: STAR, LSTAR, CSTAR, SFMASK, SYSENTER_CS, _ESP and _EIP.
void syscall_init(Cpu& cpu);

// Makes the current machine's kernel one without CONFIG_X86_X32: bit 30 of a number is then a bit
// as any other, and sys_call_table ends with the last 64-bit call.
void DisableX32();

}  // namespace kpath
