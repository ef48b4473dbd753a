// SPDX-License-Identifier: Apache-2.0
//
// Sets of signals, and the signals that wait for a task. v4.19 include/linux/signal_types.h,
// include/linux/signal.h. What is done with them is in sim/process/signal.h.
//
// What a signal carries is the host's siginfo_t, whose layout is that of every x86-64 Linux.
#pragma once

#include <csignal>  // SIG*, siginfo_t
#include <cstdint>
#include <vector>

#include "sim/kernel/slab.h"

namespace kpath {

// v4.19 arch/x86/include/uapi/asm/signal.h. The host's SIGRTMIN is libc's, which keeps two of them.
inline constexpr int kSigRtMin = 32;
inline constexpr int kSignals = 64;

// v4.19 include/linux/signal.h: sigmask. The host has a macro of that name.
constexpr uint64_t SignalBit(int sig) { return uint64_t{1} << (sig - 1); }

// v4.19 arch/x86/include/asm/signal.h: sigset_t. Bit n - 1 stands for signal n.
struct sigset_t {
  uint64_t sig = 0;
  friend bool operator==(const sigset_t&, const sigset_t&) = default;
};
static_assert(sizeof(sigset_t) == 8);

inline bool sigismember(const sigset_t* set, int sig) { return (set->sig & SignalBit(sig)) != 0; }
inline void sigaddset(sigset_t* set, int sig) { set->sig |= SignalBit(sig); }
inline void sigdelset(sigset_t* set, int sig) { set->sig &= ~SignalBit(sig); }
inline void sigdelsetmask(sigset_t* set, uint64_t mask) { set->sig &= ~mask; }
inline bool sigisemptyset(const sigset_t* set) { return set->sig == 0; }

// v4.19 include/linux/signal_types.h: struct sigqueue. A signal that waits, and what it carries.
struct sigqueue {
  static constexpr const char* kSlabName = "sigqueue";
  siginfo_t info = {};
};

// v4.19 include/linux/signal_types.h: struct sigpending. Guarded by sighand_struct::siglock.
// A signal may be in `signal` alone: there was no memory for what it carries, or it is SIGKILL.
struct sigpending {
  std::vector<kptr<sigqueue>> list;  // oldest first
  sigset_t signal;
};

}  // namespace kpath
