// SPDX-License-Identifier: Apache-2.0
//
// Signals of programs whose pointers have 32 bits: i386 and x32. v4.19 kernel/signal.c,
// include/linux/compat.h, arch/x86/kernel/signal_compat.c
//
// A handler's frame has the layout of the code that set the handler, and the kernel remembers in
// sa_flags how that was: by a call with i386's numbers, with x32's, or with those of 64-bit code.
//
// Context: process.
#pragma once

#include <cstdint>

#include "sim/kernel/compat.h"
#include "sim/process/signal.h"

namespace kpath {

// v4.19 arch/x86/include/asm/signal.h. User mode neither sets nor sees them.
inline constexpr uint64_t SA_IA32_ABI = 0x02000000;
inline constexpr uint64_t SA_X32_ABI = 0x01000000;

// v4.19 arch/x86/kernel/signal_compat.c: sigaction_compat_abi. Either may be null.
void sigaction_compat_abi(k_sigaction* act, k_sigaction* oact);

// v4.19 include/linux/compat.h: struct compat_sigaction
struct compat_sigaction {
  compat_uptr_t handler;  // sa_handler, which is a macro of the host's
  compat_ulong_t sa_flags;
  compat_uptr_t sa_restorer;
  uint32_t sa_mask[2];
};
static_assert(sizeof(compat_sigaction) == 20);

// v4.19 include/linux/compat.h: compat_stack_t
struct compat_stack_t {
  compat_uptr_t ss_sp;
  int ss_flags;
  compat_size_t ss_size;
};

// v4.19 include/linux/compat.h: compat_siginfo_t, of i386; its union as words.
struct compat_siginfo_t {
  int si_signo, si_errno, si_code;
  int fields[29];
};
static_assert(sizeof(compat_siginfo_t) == 128);

// v4.19 kernel/signal.c: copy_siginfo_to_user32. 0 or -EFAULT.
int copy_siginfo_to_user32(user_ptr<compat_siginfo_t> to, const siginfo_t* from);

// v4.19 kernel/signal.c: compat_save_altstack_ex, compat_restore_altstack
compat_stack_t compat_save_altstack_ex();
int compat_restore_altstack(user_ptr<const compat_stack_t> uss);

}  // namespace kpath
