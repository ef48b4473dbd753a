// SPDX-License-Identifier: Apache-2.0
//
// Signals, from the program's side.
//
//   int alarms = 0;
//   user::sigaction(SIGALRM, [&](const user::Signal& signal) { ++alarms; });
//   user::alarm(1);
//   user::pause();                      // -EINTR, when the handler has run
//
// A handler is C++ code that runs on the simulated stack pointer that the kernel gave it, and may
// do what any code of ring 3 may: make system calls, touch memory, be interrupted by another
// signal. It must return; what it captures by reference must live as long as it may be called.
//
// All return what the kernel returned: a negative errno on failure.
//
// Context: ring 3.
#pragma once

#include <csignal>  // SIG*, SA_*, siginfo_t: the same on every x86-64 Linux
#include <cstdint>
#include <functional>
#include <initializer_list>

#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"

namespace kpath::user {

// A set of signals: bit n - 1 for signal n.
using SignalSet = uint64_t;
constexpr SignalSet Signals(std::initializer_list<int> signals) {
  SignalSet set = 0;
  for (const int sig : signals) set |= SignalSet{1} << (sig - 1);
  return set;
}

// What a handler is called with.
struct Signal {
  int signo = 0;
  Pointer<siginfo_t> info;  // valid with SA_SIGINFO
  uint64_t ucontext = 0;    // address of the struct ucontext of its frame
};
using Handler = std::function<void(const Signal& signal)>;

// ---- Actions ----

// `flags`: SA_*; SA_RESTORER is added, as the C library does. `mask`: what is blocked besides the
// signal itself while the handler runs.
int64_t sigaction(int sig, Handler handler, uint64_t flags = SA_SIGINFO, SignalSet mask = 0);
// The default action; nothing.
int64_t DefaultSignal(int sig);
int64_t IgnoreSignal(int sig);
// The address of the handler that is set, or 0 (SIG_DFL), 1 (SIG_IGN).
int64_t HandlerOf(int sig);
// `sp`: the lowest address. `flags`: 0 or SS_DISABLE.
int64_t sigaltstack(uint64_t sp, uint64_t size, int flags = 0);

// ---- Sending ----

inline int64_t kill(int pid, int sig) { return Syscall(NR_kill, pid, sig); }
inline int64_t tgkill(int tgid, int tid, int sig) { return Syscall(NR_tgkill, tgid, tid, sig); }
inline int64_t tkill(int tid, int sig) { return Syscall(NR_tkill, tid, sig); }
// Returns the seconds that an earlier alarm still had to go.
inline int64_t alarm(unsigned seconds) { return Syscall(NR_alarm, seconds); }
// ITIMER_REAL, in microseconds. 0: stops it; `interval` 0: once.
int64_t setitimer(int64_t value_us, int64_t interval_us);
// What is left of it, in microseconds.
int64_t getitimer();
// sigqueue(3): with a value, from this process. pthread_sigqueue(3): the same to a thread of it.
int64_t sigqueue(int pid, int sig, int value);
int64_t SigqueueThread(int tid, int sig, int value);

// ---- Blocking and waiting ----

// `how`: SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK. What was blocked goes to `*old` unless null.
int64_t sigprocmask(int how, SignalSet set, SignalSet* old = nullptr);
// What is blocked.
SignalSet BlockedSignals();
// Those that are blocked and wait.
SignalSet sigpending();
int64_t sigsuspend(SignalSet blocked);
inline int64_t pause() { return Syscall(NR_pause); }
// Waits up to `ns` nanoseconds, -1: for ever. Returns the signal; what it carries is in `*info`
// unless null.
int64_t sigtimedwait(SignalSet set, siginfo_t* info, int64_t ns);

// ---- Limits ----

// `resource`: RLIMIT_*. Sets the soft limit and the hard one.
int64_t setrlimit(int resource, uint64_t soft, uint64_t hard);
// The soft limit.
uint64_t getrlimit(int resource);

}  // namespace kpath::user
