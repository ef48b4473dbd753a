// SPDX-License-Identifier: Apache-2.0
#include "sim/process/signal_compat.h"

#include <csignal>

#include "sim/kernel/fail.h"
#include "sim/kernel/uaccess.h"

namespace kpath {
namespace {

bool in_ia32_syscall() { return (current->ti.status & TS_COMPAT) != 0; }

// An address of the program, of which it knows the low half.
int Low(const void* pointer) {
  return static_cast<int>(static_cast<uint32_t>(reinterpret_cast<uint64_t>(pointer)));
}

// v4.19 kernel/signal.c: siginfo_layout. Which fields are there.
enum class Layout { kKill, kTimer, kPoll, kFault, kChild, kQueued, kSys };
Layout siginfo_layout(const siginfo_t& info) {
  if (info.si_code == SI_TIMER) return Layout::kTimer;
  if (info.si_code == SI_SIGIO) return Layout::kPoll;
  if (info.si_code < 0) return Layout::kQueued;
  if (info.si_code == SI_USER || info.si_code == SI_KERNEL) return Layout::kKill;
  switch (info.si_signo) {
    case SIGILL:
    case SIGFPE:
    case SIGSEGV:
    case SIGBUS:
    case SIGTRAP:
      return Layout::kFault;
    case SIGCHLD:
      return Layout::kChild;
    case SIGPOLL:
      return Layout::kPoll;
    case SIGSYS:
      return Layout::kSys;
    default:
      return Layout::kKill;
  }
}

k_sigaction FromCompat(const compat_sigaction& act) {
  k_sigaction ka;
  ka.handler = act.handler;
  ka.sa_flags = act.sa_flags;
  ka.sa_restorer = act.sa_restorer;
  ka.sa_mask.sig = act.sa_mask[0] | uint64_t{act.sa_mask[1]} << 32;
  return ka;
}

compat_sigaction ToCompat(const k_sigaction& ka) {
  return {.handler = static_cast<compat_uptr_t>(ka.handler),
          .sa_flags = static_cast<compat_ulong_t>(ka.sa_flags),
          .sa_restorer = static_cast<compat_uptr_t>(ka.sa_restorer),
          .sa_mask = {static_cast<uint32_t>(ka.sa_mask.sig),
                      static_cast<uint32_t>(ka.sa_mask.sig >> 32)}};
}

}  // namespace

void sigaction_compat_abi(k_sigaction* act, k_sigaction* oact) {
  if (oact != nullptr) oact->sa_flags &= ~(SA_IA32_ABI | SA_X32_ABI);
  if (act == nullptr) return;
  act->sa_flags &= ~(SA_IA32_ABI | SA_X32_ABI);
  if (in_ia32_syscall()) act->sa_flags |= SA_IA32_ABI;
  if (in_x32_syscall()) act->sa_flags |= SA_X32_ABI;
}

int copy_siginfo_to_user32(user_ptr<compat_siginfo_t> to, const siginfo_t* from) {
  FUNCTION(to);
  compat_siginfo_t info = {};
  info.si_signo = from->si_signo;
  info.si_errno = from->si_errno;
  info.si_code = from->si_code;
  switch (siginfo_layout(*from)) {
    case Layout::kKill:
      info.fields[0] = from->si_pid;
      info.fields[1] = static_cast<int>(from->si_uid);
      break;
    case Layout::kTimer:
      info.fields[0] = from->si_timerid;
      info.fields[1] = from->si_overrun;
      info.fields[2] = from->si_value.sival_int;
      break;
    case Layout::kQueued:
      info.fields[0] = from->si_pid;
      info.fields[1] = static_cast<int>(from->si_uid);
      info.fields[2] = from->si_value.sival_int;
      break;
    case Layout::kPoll:
      info.fields[0] = static_cast<int>(from->si_band);
      info.fields[1] = from->si_fd;
      break;
    case Layout::kFault:
      info.fields[0] = Low(from->si_addr);
      break;
    case Layout::kChild:
      info.fields[0] = from->si_pid;
      info.fields[1] = static_cast<int>(from->si_uid);
      info.fields[2] = from->si_status;
      info.fields[3] = static_cast<int>(from->si_utime);
      info.fields[4] = static_cast<int>(from->si_stime);
      break;
    case Layout::kSys:
      info.fields[0] = Low(from->si_call_addr);
      info.fields[1] = from->si_syscall;
      info.fields[2] = static_cast<int>(from->si_arch);
      break;
  }
  return fn.Return(copy_to_user(to, &info, sizeof(info)) != 0 ? -EFAULT : 0);
}

compat_stack_t compat_save_altstack_ex() {
  const stack_t stack = save_altstack_ex();
  return {.ss_sp = static_cast<compat_uptr_t>(Low(stack.ss_sp)),
          .ss_flags = stack.ss_flags,
          .ss_size = static_cast<compat_size_t>(stack.ss_size)};
}

int compat_restore_altstack(user_ptr<const compat_stack_t> uss) {
  FUNCTION(uss);
  compat_stack_t kept;
  if (copy_from_user(&kept, uss, sizeof(kept)) != 0) return fn.Return<int>(Error(EFAULT));
  stack_t stack = {};
  stack.ss_sp = reinterpret_cast<void*>(uint64_t{kept.ss_sp});  // the program's
  stack.ss_flags = kept.ss_flags;
  stack.ss_size = kept.ss_size;
  restore_altstack_of(stack);
  return fn.Return(0);
}

// v4.19 kernel/signal.c: compat_sys_rt_sigaction
COMPAT_SYSCALL_DEFINE4(rt_sigaction, int, sig, user_ptr<const compat_sigaction>, act,
                       user_ptr<compat_sigaction>, oact, compat_size_t, sigsetsize) {
  if (sigsetsize != sizeof(sigset_t)) {
    return Fail(EINVAL, "a set of signals has 8 bytes, not $0", sigsetsize);
  }
  compat_sigaction kept;
  k_sigaction new_ka, old_ka;
  if (act) {
    if (copy_from_user(&kept, act, sizeof(kept)) != 0) return Error(EFAULT);
    new_ka = FromCompat(kept);
  }
  const int ret = do_sigaction(sig, act ? &new_ka : nullptr, oact ? &old_ka : nullptr);
  if (ret != 0 || !oact) return ret;
  kept = ToCompat(old_ka);
  return copy_to_user(oact, &kept, sizeof(kept)) != 0 ? Error(EFAULT) : Error(0);
}

// v4.19 kernel/signal.c: compat_sys_rt_sigprocmask
COMPAT_SYSCALL_DEFINE4(rt_sigprocmask, int, how, user_ptr<const sigset_t>, nset, user_ptr<sigset_t>,
                       oset, compat_size_t, sigsetsize) {
  if (sigsetsize != sizeof(sigset_t)) {
    return Fail(EINVAL, "a set of signals has 8 bytes, not $0", sigsetsize);
  }
  const sigset_t old_set = current->blocked;
  if (nset) {
    sigset_t new_set;
    if (copy_from_user(&new_set, nset, sizeof(new_set)) != 0) return Error(EFAULT);
    sigdelsetmask(&new_set, SIG_KERNEL_ONLY_MASK);
    if (const int error = sigprocmask(how, &new_set, nullptr); error != 0) return error;
  }
  if (oset && copy_to_user(oset, &old_set, sizeof(old_set)) != 0) return Error(EFAULT);
  return 0;
}

}  // namespace kpath
