// SPDX-License-Identifier: Apache-2.0
#include "sim/user/signal.h"

#include <sys/time.h>

#include <utility>

namespace kpath::user {
namespace {

constexpr uint64_t kSetBytes = sizeof(SignalSet);
constexpr uint64_t kSaRestorer = 0x04000000;
constexpr int64_t kUsPerSecond = 1'000'000;
constexpr int64_t kNsPerSecond = 1'000'000'000;

// The kernel's struct sigaction, which is not the C library's.
struct KernelSigaction {
  uint64_t handler = 0;
  uint64_t flags = 0;
  uint64_t restorer = 0;
  SignalSet mask = 0;
};

// Two objects that a system call reads and writes, on the stack.
template <typename T>
uint64_t OnStack(const T& value, size_t count = 1) {
  const uint64_t address = StackBytes(count * sizeof(T));
  for (size_t i = 0; i < count; ++i) Store<T>(address + i * sizeof(T), value);
  return address;
}

int64_t SetAction(int sig, const KernelSigaction& action) {
  return Syscall(NR_rt_sigaction, sig, OnStack(action), 0, kSetBytes);
}

}  // namespace

int64_t sigaction(int sig, Handler handler, uint64_t flags, SignalSet mask) {
  const uint64_t code = LoadCode(*current_context->machine, [handler = std::move(handler)] {
    // A copy: with SA_RESETHAND and a new action it may be replaced while it runs.
    const Handler running = handler;
    const Registers& regs = current_context->cpu->regs;
    running({.signo = static_cast<int>(regs[Reg::rdi]),
             .info = Pointer<siginfo_t>(regs[Reg::rsi]),
             .ucontext = regs[Reg::rdx]});
  });
  return SetAction(sig, {code, flags | kSaRestorer, kRestorer, mask});
}

int64_t DefaultSignal(int sig) { return SetAction(sig, {.handler = 0}); }

int64_t IgnoreSignal(int sig) { return SetAction(sig, {.handler = 1}); }

int64_t HandlerOf(int sig) {
  const uint64_t old = OnStack(KernelSigaction{});
  const int64_t result = Syscall(NR_rt_sigaction, sig, 0, old, kSetBytes);
  return result < 0 ? result : static_cast<int64_t>(Load<KernelSigaction>(old).handler);
}

int64_t sigaltstack(uint64_t sp, uint64_t size, int flags) {
  stack_t stack = {};
  stack.ss_sp = reinterpret_cast<void*>(sp);  // simulated, never followed here
  stack.ss_flags = flags;
  stack.ss_size = size;
  return Syscall(NR_sigaltstack, OnStack(stack), 0);
}

int64_t setitimer(int64_t value_us, int64_t interval_us) {
  const itimerval timer = {.it_interval = {interval_us / kUsPerSecond, interval_us % kUsPerSecond},
                           .it_value = {value_us / kUsPerSecond, value_us % kUsPerSecond}};
  return Syscall(NR_setitimer, int{ITIMER_REAL}, OnStack(timer), 0);
}

int64_t getitimer() {
  const uint64_t place = OnStack(itimerval{});
  const int64_t result = Syscall(NR_getitimer, int{ITIMER_REAL}, place);
  if (result < 0) return result;
  const timeval left = Load<itimerval>(place).it_value;
  return left.tv_sec * kUsPerSecond + left.tv_usec;
}

namespace {

siginfo_t Queued(int sig, int value) {
  siginfo_t info = {};
  info.si_signo = sig;
  info.si_code = SI_QUEUE;
  info.si_pid = static_cast<pid_t>(Syscall(NR_getpid));
  info.si_value.sival_int = value;
  return info;
}

}  // namespace

int64_t sigqueue(int pid, int sig, int value) {
  return Syscall(NR_rt_sigqueueinfo, pid, sig, OnStack(Queued(sig, value)));
}

int64_t SigqueueThread(int tid, int sig, int value) {
  const siginfo_t info = Queued(sig, value);
  return Syscall(NR_rt_tgsigqueueinfo, info.si_pid, tid, sig, OnStack(info));
}

int64_t sigprocmask(int how, SignalSet set, SignalSet* old) {
  const uint64_t sets = OnStack(set, 2);
  const int64_t result = Syscall(NR_rt_sigprocmask, how, sets, sets + kSetBytes, kSetBytes);
  if (old != nullptr) *old = Load<SignalSet>(sets + kSetBytes);
  return result;
}

SignalSet BlockedSignals() {
  SignalSet blocked = 0;
  sigprocmask(SIG_BLOCK, 0, &blocked);
  return blocked;
}

SignalSet sigpending() {
  const uint64_t set = OnStack(SignalSet{0});
  Syscall(NR_rt_sigpending, set, kSetBytes);
  return Load<SignalSet>(set);
}

int64_t sigsuspend(SignalSet blocked) {
  return Syscall(NR_rt_sigsuspend, OnStack(blocked), kSetBytes);
}

int64_t sigtimedwait(SignalSet set, siginfo_t* info, int64_t ns) {
  struct Arguments {
    SignalSet set;
    int64_t timespec[2];
    siginfo_t info;
  };
  const uint64_t at = OnStack(Arguments{set, {ns / kNsPerSecond, ns % kNsPerSecond}, siginfo_t{}});
  const uint64_t info_at = at + offsetof(Arguments, info);
  const int64_t result = Syscall(NR_rt_sigtimedwait, at + offsetof(Arguments, set), info_at,
                                 ns < 0 ? 0 : at + offsetof(Arguments, timespec), kSetBytes);
  if (result > 0 && info != nullptr) *info = Load<siginfo_t>(info_at);
  return result;
}

int64_t setrlimit(int resource, uint64_t soft, uint64_t hard) {
  struct Limit {
    uint64_t soft, hard;
  };
  return Syscall(NR_setrlimit, resource, OnStack(Limit{soft, hard}));
}

uint64_t getrlimit(int resource) {
  const uint64_t limit = OnStack(uint64_t{0}, 2);
  Syscall(NR_getrlimit, resource, limit);
  return Load<uint64_t>(limit);
}

}  // namespace kpath::user
