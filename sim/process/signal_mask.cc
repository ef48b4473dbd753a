// SPDX-License-Identifier: Apache-2.0
//
// What a thread blocks. v4.19 kernel/signal.c
#include <utility>

#include "sim/kernel/fail.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/signal.h"

namespace kpath {

void retarget_shared_pending(task_struct* tsk, const sigset_t* which) {
  FUNCTION(tsk->pid, Value::Address(which->sig));
  uint64_t retarget = tsk->signal->shared_pending.signal.sig & which->sig;
  if (retarget == 0) return;
  for (task_struct* t : tsk->signal->thread_head) {
    if (t == tsk || (t->flags & PF_EXITING) != 0) continue;
    if ((retarget & ~t->blocked.sig) == 0) continue;
    retarget &= t->blocked.sig;  // the others are this thread's
    if (!signal_pending(t)) signal_wake_up(t, false);
    if (retarget == 0) return;
  }
}

void __set_task_blocked(task_struct* tsk, const sigset_t* newset) {
  FUNCTION(tsk->pid, Value::Address(newset->sig));
  if (signal_pending(tsk) && !thread_group_empty(tsk)) {
    const sigset_t newblocked = {newset->sig & ~current->blocked.sig};
    retarget_shared_pending(tsk, &newblocked);
  }
  tsk->blocked = *newset;
  recalc_sigpending();
}

void set_current_blocked(sigset_t* newset) {
  FUNCTION(Value::Address(newset->sig));
  sigdelsetmask(newset, SIG_KERNEL_ONLY_MASK);
  __set_current_blocked(newset);
}

void __set_current_blocked(const sigset_t* newset) {
  FUNCTION(Value::Address(newset->sig));
  task_struct* tsk = current;
  if (tsk->blocked == *newset) return;
  spin_lock_irq(&tsk->sighand->siglock);
  __set_task_blocked(tsk, newset);
  spin_unlock_irq(&tsk->sighand->siglock);
}

int sigprocmask(int how, const sigset_t* set, sigset_t* oldset) {
  FUNCTION(how, Value::Address(set->sig));
  const sigset_t blocked = current->blocked;  // nobody else changes it
  if (oldset != nullptr) *oldset = blocked;
  sigset_t newset;
  switch (how) {
    case SIG_BLOCK:
      newset.sig = blocked.sig | set->sig;
      break;
    case SIG_UNBLOCK:
      newset.sig = blocked.sig & ~set->sig;
      break;
    case SIG_SETMASK:
      newset = *set;
      break;
    default:
      return fn.Return(Fail(EINVAL, "how=$0 is not SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK", how));
  }
  __set_current_blocked(&newset);
  return fn.Return(0);
}

void restore_saved_sigmask() {
  if (std::exchange(current->restore_sigmask, false)) {
    __set_current_blocked(&current->saved_sigmask);
  }
}

namespace {

Error FailSetSize(unsigned long size) {
  return Fail(EINVAL, "a set of signals has 8 bytes, not $0", size);
}

// v4.19 kernel/signal.c: do_sigpending
void do_sigpending(sigset_t* set) {
  FUNCTION();
  spin_lock_irq(&current->sighand->siglock);
  set->sig = current->pending.signal.sig | current->signal->shared_pending.signal.sig;
  spin_unlock_irq(&current->sighand->siglock);
  set->sig &= current->blocked.sig;
}

// v4.19 kernel/signal.c: sigsuspend
long sigsuspend(sigset_t* set) {
  FUNCTION(Value::Address(set->sig));
  current->saved_sigmask = current->blocked;
  set_current_blocked(set);
  while (!signal_pending(current)) {
    __set_current_state(TASK_INTERRUPTIBLE);
    schedule();
  }
  set_restore_sigmask();
  return fn.Return<long>(Fail(ERESTARTNOHAND, "a signal came"));
}

}  // namespace

// v4.19 kernel/signal.c: sys_rt_sigprocmask
SYSCALL_DEFINE4(rt_sigprocmask, int, how, user_ptr<sigset_t>, nset, user_ptr<sigset_t>, oset,
                unsigned long, sigsetsize) {
  if (sigsetsize != sizeof(sigset_t)) return FailSetSize(sigsetsize);
  const sigset_t old_set = current->blocked;
  if (nset) {
    sigset_t new_set;
    if (copy_from_user(&new_set, nset, sizeof(new_set)) != 0) return Error(EFAULT);
    sigdelsetmask(&new_set, SIG_KERNEL_ONLY_MASK);
    const int error = sigprocmask(how, &new_set, nullptr);
    if (error != 0) return error;
  }
  if (oset && copy_to_user(oset, &old_set, sizeof(old_set)) != 0) return Error(EFAULT);
  return 0;
}

// v4.19 kernel/signal.c: sys_rt_sigpending
SYSCALL_DEFINE2(rt_sigpending, user_ptr<sigset_t>, uset, unsigned long, sigsetsize) {
  if (sigsetsize > sizeof(sigset_t)) return FailSetSize(sigsetsize);
  sigset_t set;
  do_sigpending(&set);
  if (copy_to_user(uset, &set, sigsetsize) != 0) return Error(EFAULT);
  return 0;
}

// v4.19 kernel/signal.c: sys_rt_sigsuspend
SYSCALL_DEFINE2(rt_sigsuspend, user_ptr<sigset_t>, unewset, unsigned long, sigsetsize) {
  if (sigsetsize != sizeof(sigset_t)) return FailSetSize(sigsetsize);
  sigset_t newset;
  if (copy_from_user(&newset, unewset, sizeof(newset)) != 0) return Error(EFAULT);
  return sigsuspend(&newset);
}

}  // namespace kpath
