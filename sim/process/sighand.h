// SPDX-License-Identifier: Apache-2.0
//
// What a process does with each signal. v4.19 include/linux/sched/signal.h (struct sighand_struct),
// include/linux/signal_types.h (struct k_sigaction)
//
// Shared by tasks that were cloned with CLONE_SIGHAND: all threads of a process, at least.
//
// Locks: siglock guards the actions, the pending signals of the tasks and of their signal_struct,
// and the flags of signal_struct. It is taken with interrupts off, inside tasklist_lock.
#pragma once

#include <array>
#include <cstdint>

#include "sim/kernel/rcu.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/signal_types.h"
#include "sim/kernel/spinlock.h"

namespace kpath {

// v4.19 include/uapi/asm-generic/signal-defs.h: SIG_DFL and SIG_IGN, which the host has as
// pointers.
inline constexpr uint64_t kSigDfl = 0;
inline constexpr uint64_t kSigIgn = 1;
// v4.19 arch/x86/include/uapi/asm/signal.h; not among the host's. All others are.
inline constexpr uint64_t SA_RESTORER = 0x04000000;

// v4.19 include/linux/signal_types.h: struct k_sigaction, and what user mode hands over.
struct k_sigaction {
  uint64_t handler = kSigDfl;  // sa_handler, which is a macro of the host's
  uint64_t sa_flags = 0;       // SA_*
  uint64_t sa_restorer = 0;    // where the handler returns to
  sigset_t sa_mask;            // blocked while the handler runs
};
static_assert(sizeof(k_sigaction) == 32);

// v4.19 include/linux/sched/signal.h: struct sighand_struct
struct sighand_struct {
  static constexpr const char* kSlabName = "sighand_cache";

  int count = 1;  // tasks that use it
  std::array<k_sigaction, kSignals> action;
  spinlock_t siglock;
  rcu_head rcu;
};
extern KernelGlobal<kmem_cache<sighand_struct>> sighand_cachep;

// All actions the default. Null: out of memory.
kptr<sighand_struct> alloc_sighand();
// v4.19 kernel/fork.c: __cleanup_sighand. One task less uses it; the last one frees it.
// Departs: after a grace period of RCU. Linux gives it back at once, but keeps the slab's memory
// for objects of its kind.
void __cleanup_sighand(kptr<sighand_struct> sighand);

// v4.19 include/linux/sched/signal.h: lock_task_sighand. Takes the task's siglock. Null, and no
// lock: it has ended and is out of all lists.
kptr<sighand_struct> lock_task_sighand(task_struct* task, unsigned long* flags);
void unlock_task_sighand(task_struct* task, unsigned long flags);

// ---- Which signals do what. v4.19 include/linux/signal.h ----

inline constexpr uint64_t SIG_KERNEL_ONLY_MASK = SignalBit(SIGKILL) | SignalBit(SIGSTOP);
inline constexpr uint64_t SIG_KERNEL_STOP_MASK =
    SignalBit(SIGSTOP) | SignalBit(SIGTSTP) | SignalBit(SIGTTIN) | SignalBit(SIGTTOU);
inline constexpr uint64_t SIG_KERNEL_COREDUMP_MASK =
    SignalBit(SIGQUIT) | SignalBit(SIGILL) | SignalBit(SIGTRAP) | SignalBit(SIGABRT) |
    SignalBit(SIGFPE) | SignalBit(SIGSEGV) | SignalBit(SIGBUS) | SignalBit(SIGSYS) |
    SignalBit(SIGXCPU) | SignalBit(SIGXFSZ);
inline constexpr uint64_t SIG_KERNEL_IGNORE_MASK =
    SignalBit(SIGCONT) | SignalBit(SIGCHLD) | SignalBit(SIGWINCH) | SignalBit(SIGURG);

constexpr bool valid_signal(int sig) { return sig >= 0 && sig <= kSignals; }
constexpr bool siginmask(int sig, uint64_t mask) {
  return sig > 0 && sig < kSigRtMin && (mask & SignalBit(sig)) != 0;
}
constexpr bool sig_kernel_only(int sig) { return siginmask(sig, SIG_KERNEL_ONLY_MASK); }
constexpr bool sig_kernel_stop(int sig) { return siginmask(sig, SIG_KERNEL_STOP_MASK); }
constexpr bool sig_kernel_coredump(int sig) { return siginmask(sig, SIG_KERNEL_COREDUMP_MASK); }
constexpr bool sig_kernel_ignore(int sig) { return siginmask(sig, SIG_KERNEL_IGNORE_MASK); }

}  // namespace kpath
