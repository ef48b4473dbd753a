// SPDX-License-Identifier: Apache-2.0
//
// A tracee stops. v4.19 kernel/signal.c, include/linux/ptrace.h
#include <csignal>

#include "sim/kernel/pid.h"
#include "sim/process/jobctl.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// v4.19 kernel/signal.c: may_ptrace_stop
bool may_ptrace_stop() { return current->ptrace != 0; }

// The stop itself. Nobody may be there to end it: the tracer has died, or detached, a moment ago.
void stop_for_tracer(int why, int clear_code, bool gstop_done) {
  read_lock(&processes->tasklist_lock);
  if (may_ptrace_stop()) {
    do_notify_parent_cldstop(current, true, why);
    if (gstop_done && ptrace_reparented(current)) do_notify_parent_cldstop(current, false, why);
    read_unlock(&processes->tasklist_lock);
    schedule();  // at once, unless the task is being killed
    return;
  }
  if (gstop_done) do_notify_parent_cldstop(current, false, why);
  __set_current_state(TASK_RUNNING);
  if (clear_code != 0) current->exit_code = 0;
  read_unlock(&processes->tasklist_lock);
}

// v4.19 include/linux/signal.h: clear_siginfo, and what a tracer's own signal says of its sender.
siginfo_t signal_of_tracer(int signr) {
  siginfo_t info = {};
  info.si_signo = signr;
  info.si_code = SI_USER;
  rcu_read_lock();
  info.si_pid = __task_pid_nr_ns(current->parent, current->parent->pid);
  rcu_read_unlock();
  return info;
}

}  // namespace

void ptrace_stop(int exit_code, int why, int clear_code, siginfo_t* info) {
  FUNCTION(Value::Address(static_cast<uint64_t>(exit_code)), why, clear_code);
  // Who resumes it must not come between the reason and the sleep.
  set_special_state(TASK_TRACED);
  current->last_siginfo = info;
  current->exit_code = exit_code;
  bool gstop_done = false;
  if (why == CLD_STOPPED && (current->jobctl & JOBCTL_STOP_PENDING) != 0) {
    gstop_done = task_participate_group_stop(current);
  }
  task_clear_jobctl_pending(current, JOBCTL_TRAP_STOP);
  if (info != nullptr && info->si_code >> 8 == PTRACE_EVENT_STOP) {
    task_clear_jobctl_pending(current, JOBCTL_TRAP_NOTIFY);
  }
  task_clear_jobctl_trapping(current);
  spin_unlock_irq(&current->sighand->siglock);
  stop_for_tracer(why, clear_code, gstop_done);
  spin_lock_irq(&current->sighand->siglock);
  current->last_siginfo = nullptr;
  current->jobctl &= ~JOBCTL_LISTENING;
  // The tracer, or SIGKILL, may have left something.
  recalc_sigpending_tsk(current);
}

void ptrace_do_notify(int signr, int exit_code, int why) {
  FUNCTION(signr, Value::Address(static_cast<uint64_t>(exit_code)), why);
  siginfo_t info = {};
  info.si_signo = signr;
  info.si_code = exit_code;
  info.si_pid = __task_pid_nr_ns(current, current->pid);  // task_pid_vnr
  ptrace_stop(exit_code, why, 1, &info);
}

void ptrace_notify(int exit_code) {
  FUNCTION(Value::Address(static_cast<uint64_t>(exit_code)));
  if (!current->task_works.empty()) task_work_run();
  spin_lock_irq(&current->sighand->siglock);
  ptrace_do_notify(SIGTRAP, exit_code, CLD_TRAPPED);
  spin_unlock_irq(&current->sighand->siglock);
}

void ptrace_event(int event, unsigned long message) {
  if (ptrace_event_enabled(current, event)) {
    current->ptrace_message = message;
    ptrace_notify(event << 8 | SIGTRAP);
  } else if (event == PTRACE_EVENT_EXEC) {
    // A tracer that has not asked for events learns of an exec by a signal.
    if ((current->ptrace & (PT_PTRACED | PT_SEIZED)) == PT_PTRACED) send_sig(SIGTRAP, current, 0);
  }
}

int ptrace_signal(int signr, siginfo_t* info) {
  FUNCTION(signr);
  // The tracer may let a stop signal through: then it counts as taken now.
  current->jobctl |= JOBCTL_STOP_DEQUEUED;
  ptrace_stop(signr, CLD_TRAPPED, 0, info);
  signr = current->exit_code;
  if (signr == 0) return fn.Return(0);
  current->exit_code = 0;
  // Another one: who changes the signal and not what it carries sends a new one.
  if (signr != info->si_signo) *info = signal_of_tracer(signr);
  if (!sigismember(&current->blocked, signr)) return fn.Return(signr);
  specific_send_sig_info(signr, info, current);
  return fn.Return(0);
}

}  // namespace kpath
