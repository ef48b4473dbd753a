// SPDX-License-Identifier: Apache-2.0
//
// What a process does with a signal, and on which stack. v4.19 kernel/signal.c
#include "sim/kernel/fail.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/signal.h"
#include "sim/process/signal_compat.h"

namespace kpath {
namespace {

// v4.19 arch/x86/include/uapi/asm/signal.h, include/uapi/linux/signal.h; not among the host's.
constexpr uint64_t kMinSigStkSz = 2048;
constexpr unsigned SS_AUTODISARM = 1u << 31;
constexpr unsigned SS_FLAG_BITS = SS_AUTODISARM;

bool ignored(const k_sigaction& action, int sig) {
  return action.handler == kSigIgn || (action.handler == kSigDfl && sig_kernel_ignore(sig));
}

uint64_t AddressOf(const stack_t& stack) { return reinterpret_cast<uint64_t>(stack.ss_sp); }

stack_t kept_altstack(int flags) {
  stack_t stack = {};
  stack.ss_sp = reinterpret_cast<void*>(current->sas_ss_sp);
  stack.ss_flags = flags;
  stack.ss_size = current->sas_ss_size;
  return stack;
}

// v4.19 kernel/signal.c: do_sigaltstack
int do_sigaltstack(const stack_t* ss, stack_t* oss, uint64_t sp) {
  FUNCTION(Value::Address(sp));
  if (oss != nullptr) {
    *oss = kept_altstack(sas_ss_flags(sp) | static_cast<int>(current->sas_ss_flags & SS_FLAG_BITS));
  }
  if (ss == nullptr) return fn.Return(0);
  if (on_sig_stack(sp)) return fn.Return(Fail(EPERM, "the alternate stack is in use"));
  const unsigned mode = static_cast<unsigned>(ss->ss_flags) & ~SS_FLAG_BITS;
  if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0) {
    return fn.Return(Fail(EINVAL, "unknown ss_flags $0", Value::Address(mode)));
  }
  if (mode == SS_DISABLE) {
    current->sas_ss_sp = current->sas_ss_size = 0;
  } else if (ss->ss_size < kMinSigStkSz) {
    return fn.Return(
        Fail(ENOMEM, "a stack of $0 bytes is smaller than $1", ss->ss_size, kMinSigStkSz));
  } else {
    current->sas_ss_sp = AddressOf(*ss);
    current->sas_ss_size = ss->ss_size;
  }
  current->sas_ss_flags = static_cast<unsigned>(ss->ss_flags);
  return fn.Return(0);
}

}  // namespace

int do_sigaction(int sig, k_sigaction* act, k_sigaction* oact) {
  FUNCTION(sig, act != nullptr);
  if (!valid_signal(sig) || sig < 1) {
    return fn.Return(Fail(EINVAL, "there is no signal $0", sig));
  }
  if (act != nullptr && sig_kernel_only(sig)) {
    return fn.Return(Fail(EINVAL, "SIGKILL and SIGSTOP cannot be caught"));
  }
  task_struct* p = current;
  k_sigaction& k = p->sighand->action[sig - 1];
  spin_lock_irq(&p->sighand->siglock);
  if (oact != nullptr) *oact = k;
  sigaction_compat_abi(act, oact);
  if (act != nullptr) {
    sigdelsetmask(&act->sa_mask, SIG_KERNEL_ONLY_MASK);
    k = *act;
    // What waits is dropped when it becomes ignored, blocked or not.
    if (ignored(k, sig)) {
      const sigset_t mask = {SignalBit(sig)};
      flush_sigqueue_mask(&mask, &p->signal->shared_pending);
      for (task_struct* t : p->signal->thread_head) flush_sigqueue_mask(&mask, &t->pending);
    }
  }
  spin_unlock_irq(&p->sighand->siglock);
  return fn.Return(0);
}

void flush_signal_handlers(task_struct* t) {
  FUNCTION(t->pid);
  for (k_sigaction& ka : t->sighand->action) {
    const uint64_t handler = ka.handler == kSigIgn ? kSigIgn : kSigDfl;
    ka = {};
    ka.handler = handler;
  }
}

// ---- The alternate stack ----

bool on_sig_stack(uint64_t sp) {
  // While such a stack is in use it is not registered.
  if ((current->sas_ss_flags & SS_AUTODISARM) != 0) return false;
  return sp > current->sas_ss_sp && sp - current->sas_ss_sp <= current->sas_ss_size;
}

int sas_ss_flags(uint64_t sp) {
  if (current->sas_ss_size == 0) return SS_DISABLE;
  return on_sig_stack(sp) ? SS_ONSTACK : 0;
}

void sas_ss_reset(task_struct* task) {
  task->sas_ss_sp = task->sas_ss_size = 0;
  task->sas_ss_flags = SS_DISABLE;
}

stack_t save_altstack_ex() {
  const stack_t stack = kept_altstack(static_cast<int>(current->sas_ss_flags));
  if ((current->sas_ss_flags & SS_AUTODISARM) != 0) sas_ss_reset(current);
  return stack;
}

int restore_altstack(user_ptr<const stack_t> uss) {
  FUNCTION(uss);
  stack_t stack = {};
  if (copy_from_user(&stack, uss, sizeof(stack)) != 0) return fn.Return<int>(Error(EFAULT));
  restore_altstack_of(stack);
  return fn.Return(0);
}

void restore_altstack_of(const stack_t& stack) {
  // What is wrong with it does not matter, and is nobody's reason.
  const Reason kept = current->reason;
  do_sigaltstack(&stack, nullptr, task_pt_regs(current)->sp);
  current->reason = kept;
}

int copy_siginfo_to_user(user_ptr<siginfo_t> to, const siginfo_t* from) {
  FUNCTION(to);
  if (copy_to_user(to, from, sizeof(*from)) != 0) return fn.Return<int>(Error(EFAULT));
  return fn.Return(0);
}

// v4.19 kernel/signal.c: sys_rt_sigaction
SYSCALL_DEFINE4(rt_sigaction, int, sig, user_ptr<const k_sigaction>, act, user_ptr<k_sigaction>,
                oact, unsigned long, sigsetsize) {
  if (sigsetsize != sizeof(sigset_t)) {
    return Fail(EINVAL, "a set of signals has 8 bytes, not $0", sigsetsize);
  }
  k_sigaction new_sa, old_sa;
  if (act && copy_from_user(&new_sa, act, sizeof(new_sa)) != 0) return Error(EFAULT);
  const int ret = do_sigaction(sig, act ? &new_sa : nullptr, oact ? &old_sa : nullptr);
  if (ret != 0) return ret;
  if (oact && copy_to_user(oact, &old_sa, sizeof(old_sa)) != 0) return Error(EFAULT);
  return 0;
}

// v4.19 kernel/signal.c: sys_sigaltstack
SYSCALL_DEFINE2(sigaltstack, user_ptr<const stack_t>, uss, user_ptr<stack_t>, uoss) {
  stack_t new_stack = {}, old_stack = {};
  if (uss && copy_from_user(&new_stack, uss, sizeof(new_stack)) != 0) return Error(EFAULT);
  const int err = do_sigaltstack(uss ? &new_stack : nullptr, uoss ? &old_stack : nullptr,
                                 task_pt_regs(current)->sp);
  if (err == 0 && uoss && copy_to_user(uoss, &old_stack, sizeof(old_stack)) != 0) {
    return Error(EFAULT);
  }
  return err;
}

}  // namespace kpath
