// SPDX-License-Identifier: Apache-2.0
//
// A signal is carried out, on the thread's way to user mode. v4.19 kernel/signal.c
#include <csignal>

#include "sim/process/exit.h"
#include "sim/process/jobctl.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// What get_signal does with a signal that it has dequeued. kRelock: siglock was dropped, to look
// again at all that may have changed. kNone: no signal is left.
enum class Action { kNothing, kHandler, kDie, kRelock, kNone };

// v4.19 include/trace/events/signal.h: signal_deliver
void trace_signal_deliver(const siginfo_t& info, uint64_t handler) {
  STEP("signal_deliver", info.si_signo, Value::Address(handler));
  if (process_hooks->signal_deliver) process_hooks->signal_deliver(info, handler);
}

// REQUIRES: siglock.
Action choose_action(int signr, ksignal* ksig) {
  k_sigaction& ka = current->sighand->action[signr - 1];
  trace_signal_deliver(ksig->info, ka.handler);
  if (ka.handler == kSigIgn) return Action::kNothing;
  if (ka.handler != kSigDfl) {
    ksig->ka = ka;
    if ((ka.sa_flags & SA_RESETHAND) != 0) ka.handler = kSigDfl;
    return Action::kHandler;
  }
  if (sig_kernel_ignore(signr)) return Action::kNothing;
  // The signal may be another one than was sent: a tracer has a say.
  if (sig_kernel_stop(signr)) {
    return do_signal_stop(ksig->info.si_signo) ? Action::kRelock : Action::kNothing;
  }
  return Action::kDie;
}

// The loop of get_signal. REQUIRES: siglock.
Action next_action(ksignal* ksig, int* signr) {
  Action action = Action::kNothing;
  while (action == Action::kNothing) {
    if (act_on_jobctl()) return Action::kRelock;
    *signr = dequeue_signal(current, &current->blocked, &ksig->info);
    if (*signr == 0) return Action::kNone;
    if (current->ptrace != 0 && *signr != SIGKILL) {
      *signr = ptrace_signal(*signr, &ksig->info);
      if (*signr == 0) continue;
    }
    action = choose_action(*signr, ksig);
  }
  return action;
}

// v4.19 kernel/signal.c: signal_delivered
void signal_delivered(ksignal* ksig, int stepping) {
  FUNCTION(ksig->sig, stepping);
  // The frame has it, and rt_sigreturn will restore it.
  clear_restore_sigmask();
  sigset_t blocked = {current->blocked.sig | ksig->ka.sa_mask.sig};
  if ((ksig->ka.sa_flags & SA_NODEFER) == 0) sigaddset(&blocked, ksig->sig);
  set_current_blocked(&blocked);
  // tracehook_signal_handler: who steps stops at the handler's first instruction.
  if (stepping != 0) ptrace_notify(SIGTRAP);
}

}  // namespace

bool get_signal(ksignal* ksig) {
  FUNCTION();
  if (!current->task_works.empty()) task_work_run();
  const kptr<sighand_struct> sighand = current->sighand;
  int signr = 0;
  Action action = Action::kRelock;
  while (action == Action::kRelock) {
    spin_lock_irq(&sighand->siglock);
    if (tell_parent_of_change()) continue;
    action = next_action(ksig, &signr);
  }
  spin_unlock_irq(&sighand->siglock);
  if (action == Action::kDie) {
    current->flags |= PF_SIGNALED;
    do_group_exit(ksig->info.si_signo);
  }
  ksig->sig = signr;
  return fn.Return(signr > 0);
}

void signal_setup_done(int failed, ksignal* ksig, int stepping) {
  FUNCTION(failed, ksig->sig, stepping);
  if (failed != 0) {
    force_sigsegv(ksig->sig, current);
  } else {
    signal_delivered(ksig, stepping);
  }
}

void exit_signals(task_struct* tsk) {
  FUNCTION(tsk->pid);
  if (thread_group_empty(tsk) || signal_group_exit(*tsk->signal)) {
    tsk->flags |= PF_EXITING;
    return;
  }
  spin_lock_irq(&tsk->sighand->siglock);
  tsk->flags |= PF_EXITING;
  if (signal_pending(tsk)) {
    // What the process has been sent, and this thread was woken for, is for others now.
    const sigset_t unblocked = {~tsk->blocked.sig};
    retarget_shared_pending(tsk, &unblocked);
  }
  const bool group_stop =
      (tsk->jobctl & JOBCTL_STOP_PENDING) != 0 && task_participate_group_stop(tsk);
  spin_unlock_irq(&tsk->sighand->siglock);
  if (!group_stop) return;
  // It was the last one that had not stopped yet.
  read_lock(&processes->tasklist_lock);
  do_notify_parent_cldstop(tsk, false, CLD_STOPPED);
  read_unlock(&processes->tasklist_lock);
}

}  // namespace kpath
