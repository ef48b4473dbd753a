// SPDX-License-Identifier: Apache-2.0
//
// A signal handler's frame on the user's stack, the way into the handler and back, and the restart
// of the system call that was interrupted. v4.19 arch/x86/kernel/signal.c,
// arch/x86/include/asm/sigframe.h, arch/x86/include/uapi/asm/sigcontext.h, ucontext.h
//
//   rsp ->  pretcode      where the handler's RET goes: the restorer, which calls rt_sigreturn
//           uc            the registers that were interrupted, the mask, the alternate stack
//           info          the siginfo
//           (128 bytes of the interrupted code's red zone)
//
// Departs: there are no floating point registers, so uc_mcontext.fpstate is null and nothing is
// saved between uc and the red zone.
//
// The frames of x32 are here, too; those of 32-bit code are in ia32_signal.h.
//
// Context: process, on the way to user mode, interrupts on.
#pragma once

#include <csignal>  // siginfo_t, stack_t
#include <cstddef>
#include <cstdint>

#include "sim/kernel/signal_types.h"
#include "sim/machine/pt_regs.h"
#include "sim/process/signal_compat.h"

namespace kpath {

// v4.19 arch/x86/include/uapi/asm/sigcontext.h: struct sigcontext_64
struct sigcontext_64 {
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint64_t di, si, bp, bx, dx, ax, cx, sp, ip, flags;
  uint16_t cs, gs, fs, ss;
  uint64_t err, trapno, oldmask, cr2;
  uint64_t fpstate;
  uint64_t reserved1[8];
};
static_assert(sizeof(sigcontext_64) == 256);

// v4.19 arch/x86/include/uapi/asm/ucontext.h
inline constexpr uint64_t UC_SIGCONTEXT_SS = 0x2;
inline constexpr uint64_t UC_STRICT_RESTORE_SS = 0x4;

// v4.19 include/uapi/asm-generic/ucontext.h: struct ucontext
struct ucontext {
  uint64_t uc_flags;
  uint64_t uc_link;
  stack_t uc_stack;
  sigcontext_64 uc_mcontext;
  sigset_t uc_sigmask;
};
static_assert(sizeof(ucontext) == 304);

// v4.19 arch/x86/include/asm/sigframe.h: struct rt_sigframe
struct rt_sigframe {
  uint64_t pretcode;
  ucontext uc;
  siginfo_t info;
};
static_assert(sizeof(rt_sigframe) == 440);
static_assert(offsetof(rt_sigframe, info) == 312);

// v4.19 arch/x86/include/asm/sigframe.h: struct ucontext_x32, struct rt_sigframe_x32
struct ucontext_x32 {
  uint32_t uc_flags, uc_link;
  compat_stack_t uc_stack;
  uint32_t uc__pad0;
  sigcontext_64 uc_mcontext;
  sigset_t uc_sigmask;
};
static_assert(sizeof(ucontext_x32) == 288);
struct rt_sigframe_x32 {
  uint64_t pretcode;
  ucontext_x32 uc;
  compat_siginfo_t info;
};
static_assert(sizeof(rt_sigframe_x32) == 424);

// v4.19 arch/x86/include/asm/sighandling.h: FIX_EFLAGS. The flags that a handler may change.
inline constexpr uint64_t FIX_EFLAGS =
    X86_EFLAGS_AC | X86_EFLAGS_OF | X86_EFLAGS_DF | X86_EFLAGS_TF | X86_EFLAGS_SF | X86_EFLAGS_ZF |
    X86_EFLAGS_AF | X86_EFLAGS_PF | X86_EFLAGS_CF | X86_EFLAGS_RF;

// v4.19 arch/x86/kernel/signal.c: signal_fault. A frame to return by cannot be read: SIGSEGV.
void signal_fault(const pt_regs* regs, uint64_t frame);

// v4.19 arch/x86/kernel/signal.c: do_signal. Called on the way to user mode while TIF_SIGPENDING is
// set. Enters the handler of one signal, or ends the process, or, when no handler is to run, makes
// an interrupted system call start again.
void do_signal(pt_regs* regs);

}  // namespace kpath
