// SPDX-License-Identifier: Apache-2.0
//
// Frames of signal handlers that are 32-bit code, and the way back. v4.19
// arch/x86/ia32/ia32_signal.c, arch/x86/include/asm/sigframe.h,
// arch/x86/include/uapi/asm/sigcontext.h
//
//   esp ->  pretcode   where the handler's RET goes: __kernel_sigreturn, or __kernel_rt_sigreturn
//           sig        the handler's argument; with SA_SIGINFO also the addresses of info and uc
//           …          the registers that were interrupted, the mask
//
// Departs: there are no floating point registers, so fpstate is null.
//
// Context: process, on the way to user mode, interrupts on.
#pragma once

#include <cstdint>

#include "sim/machine/pt_regs.h"
#include "sim/process/signal_compat.h"

namespace kpath {

// v4.19 arch/x86/include/uapi/asm/sigcontext.h: struct sigcontext_32
struct sigcontext_32 {
  uint16_t gs, __gsh, fs, __fsh, es, __esh, ds, __dsh;
  uint32_t di, si, bp, sp, bx, dx, cx, ax, trapno, err, ip;
  uint16_t cs, __csh;
  uint32_t flags, sp_at_signal;
  uint16_t ss, __ssh;
  uint32_t fpstate, oldmask, cr2;
};
static_assert(sizeof(sigcontext_32) == 88);

// v4.19 arch/x86/include/asm/sigframe.h: struct ucontext_ia32
struct ucontext_ia32 {
  uint32_t uc_flags, uc_link;
  compat_stack_t uc_stack;
  sigcontext_32 uc_mcontext;
  uint32_t uc_sigmask[2];
};
static_assert(sizeof(ucontext_ia32) == 116);

// v4.19 arch/x86/include/asm/sigframe.h: struct sigframe_ia32
struct sigframe_ia32 {
  uint32_t pretcode;
  int sig;
  sigcontext_32 sc;
  uint8_t fpstate_unused[624];
  uint32_t extramask;
  uint8_t retcode[8];
};
static_assert(sizeof(sigframe_ia32) == 732);

// v4.19 arch/x86/include/asm/sigframe.h: struct rt_sigframe_ia32
struct rt_sigframe_ia32 {
  uint32_t pretcode;
  int sig;
  uint32_t pinfo, puc;
  compat_siginfo_t info;
  ucontext_ia32 uc;
  uint8_t retcode[8];
};
static_assert(sizeof(rt_sigframe_ia32) == 268);

// v4.19 arch/x86/ia32/ia32_signal.c: ia32_setup_frame, ia32_setup_rt_frame (SA_SIGINFO). `set`:
// the mask to be restored. 0 or -EFAULT.
int ia32_setup_frame(const ksignal* ksig, const sigset_t* set, pt_regs* regs);
int ia32_setup_rt_frame(const ksignal* ksig, const sigset_t* set, pt_regs* regs);

}  // namespace kpath
