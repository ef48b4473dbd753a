// SPDX-License-Identifier: Apache-2.0
#include "sim/process/jobctl.h"

#include <csignal>

#include "sim/kernel/pid.h"
#include "sim/process/family.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// v4.19 include/linux/sched/signal.h: signal_set_stop_flags
void signal_set_stop_flags(signal_struct& signal, unsigned flags) {
  signal.flags = (signal.flags & ~SIGNAL_STOP_MASK) | flags;
}

// A group stop begins: every thread is told. REQUIRES: siglock.
void begin_group_stop(int signr) {
  signal_struct& signal = *current->signal;
  const unsigned long gstop =
      JOBCTL_STOP_PENDING | JOBCTL_STOP_CONSUME | static_cast<unsigned long>(signr);
  // The first of several stop signals is the one that the parent hears of.
  if ((signal.flags & SIGNAL_STOP_STOPPED) == 0) signal.group_exit_code = signr;
  signal.group_stop_count = 0;
  if (task_set_jobctl_pending(current, gstop)) ++signal.group_stop_count;
  for (task_struct* t : signal.thread_head) {
    if (t == current || task_is_stopped(t) || !task_set_jobctl_pending(t, gstop)) continue;
    ++signal.group_stop_count;
    if ((t->ptrace & PT_SEIZED) == 0) {
      signal_wake_up(t, false);
    } else {
      ptrace_trap_notify(t);
    }
  }
}

// The thread stops until SIGCONT comes. Drops siglock.
void stop_with_group() {
  const bool last = task_participate_group_stop(current);
  set_special_state(TASK_STOPPED);
  spin_unlock_irq(&current->sighand->siglock);
  if (last) {
    read_lock(&processes->tasklist_lock);
    do_notify_parent_cldstop(current, false, CLD_STOPPED);
    read_unlock(&processes->tasklist_lock);
  }
  schedule();
}

// v4.19 kernel/signal.c: do_jobctl_trap
void do_jobctl_trap() {
  FUNCTION(Value::Address(current->jobctl));
  const signal_struct& signal = *current->signal;
  int signr = static_cast<int>(current->jobctl & JOBCTL_STOP_SIGMASK);
  if ((current->ptrace & PT_SEIZED) != 0) {
    if (signal.group_stop_count == 0 && (signal.flags & SIGNAL_STOP_STOPPED) == 0) signr = SIGTRAP;
    ptrace_do_notify(signr, signr | PTRACE_EVENT_STOP << 8, CLD_STOPPED);
  } else {
    ptrace_stop(signr, CLD_STOPPED, 0, nullptr);
    current->exit_code = 0;
  }
}

}  // namespace

bool task_set_jobctl_pending(task_struct* task, unsigned long mask) {
  FUNCTION(task->pid, Value::Address(mask));
  if (fatal_signal_pending(task) || (task->flags & PF_EXITING) != 0) return fn.Return(false);
  if ((mask & JOBCTL_STOP_SIGMASK) != 0) task->jobctl &= ~JOBCTL_STOP_SIGMASK;
  task->jobctl |= mask;
  return fn.Return(true);
}

void task_clear_jobctl_trapping(task_struct* task) {
  FUNCTION(task->pid);
  if ((task->jobctl & JOBCTL_TRAPPING) == 0) return;
  task->jobctl &= ~JOBCTL_TRAPPING;
  wake_up_all(&processes->trapping);
}

void task_clear_jobctl_pending(task_struct* task, unsigned long mask) {
  FUNCTION(task->pid, Value::Address(mask));
  if ((mask & JOBCTL_STOP_PENDING) != 0) mask |= JOBCTL_STOP_CONSUME | JOBCTL_STOP_DEQUEUED;
  task->jobctl &= ~mask;
  if ((task->jobctl & JOBCTL_PENDING_MASK) == 0) task_clear_jobctl_trapping(task);
}

bool task_participate_group_stop(task_struct* task) {
  FUNCTION(task->pid);
  signal_struct& signal = *task->signal;
  const bool consume = (task->jobctl & JOBCTL_STOP_CONSUME) != 0;
  task_clear_jobctl_pending(task, JOBCTL_STOP_PENDING);
  if (!consume) return fn.Return(false);
  if (signal.group_stop_count > 0) --signal.group_stop_count;
  // A process that is stopped already is not stopped again for its parent.
  if (signal.group_stop_count != 0 || (signal.flags & SIGNAL_STOP_STOPPED) != 0) {
    return fn.Return(false);
  }
  signal_set_stop_flags(signal, SIGNAL_STOP_STOPPED);
  return fn.Return(true);
}

bool do_signal_stop(int signr) {
  FUNCTION(signr);
  if ((current->jobctl & JOBCTL_STOP_PENDING) == 0) {
    // SIGCONT, or the end, may have come since the stop signal was taken.
    if ((current->jobctl & JOBCTL_STOP_DEQUEUED) == 0 || signal_group_exit(*current->signal)) {
      return fn.Return(false);
    }
    begin_group_stop(signr);
  }
  if (current->ptrace == 0) {
    stop_with_group();
    return fn.Return(true);
  }
  task_set_jobctl_pending(current, JOBCTL_TRAP_STOP);
  return fn.Return(false);
}

bool tell_parent_of_change() {
  signal_struct& signal = *current->signal;
  if ((signal.flags & SIGNAL_CLD_MASK) == 0) return false;
  const int why = (signal.flags & SIGNAL_CLD_CONTINUED) != 0 ? CLD_CONTINUED : CLD_STOPPED;
  signal.flags &= ~SIGNAL_CLD_MASK;
  spin_unlock_irq(&current->sighand->siglock);
  read_lock(&processes->tasklist_lock);
  do_notify_parent_cldstop(current, false, why);
  if (ptrace_reparented(signal.group_leader)) {
    do_notify_parent_cldstop(signal.group_leader, true, why);
  }
  read_unlock(&processes->tasklist_lock);
  return true;
}

bool act_on_jobctl() {
  if ((current->jobctl & JOBCTL_STOP_PENDING) != 0 && do_signal_stop(0)) return true;
  if ((current->jobctl & JOBCTL_TRAP_MASK) == 0) return false;
  do_jobctl_trap();
  spin_unlock_irq(&current->sighand->siglock);
  return true;
}

void prepare_sigcont(task_struct* p) {
  signal_struct& signal = *p->signal;
  for (task_struct* t : signal.thread_head) {
    task_clear_jobctl_pending(t, JOBCTL_STOP_PENDING);
    if ((t->ptrace & PT_SEIZED) == 0) {
      wake_up_state(t, __TASK_STOPPED);
    } else {
      ptrace_trap_notify(t);
    }
  }
  // The parent hears of a stop that was not complete yet, too.
  unsigned why = 0;
  if ((signal.flags & SIGNAL_STOP_STOPPED) != 0) {
    why = SIGNAL_CLD_CONTINUED;
  } else if (signal.group_stop_count != 0) {
    why = SIGNAL_CLD_STOPPED;
  }
  if (why == 0) return;
  signal_set_stop_flags(signal, why | SIGNAL_STOP_CONTINUED);
  signal.group_stop_count = 0;
  signal.group_exit_code = 0;
}

// v4.19 kernel/exit.c: __wake_up_parent. child_wait_callback lets those sleep on who wait for
// others.
void __wake_up_parent(task_struct* p, task_struct* parent) {
  FUNCTION(p->pid, parent->pid);
  __wake_up_sync_key(&parent->signal->wait_chldexit, TASK_INTERRUPTIBLE, 1, p);
}

void do_notify_parent_cldstop(task_struct* tsk, bool for_ptracer, int why) {
  FUNCTION(tsk->pid, for_ptracer, why);
  if (!for_ptracer) tsk = tsk->signal->group_leader;
  task_struct* parent = for_ptracer ? tsk->parent : tsk->real_parent;
  if (parent == nullptr) return;  // Departs: init's children are nobody's
  siginfo_t info = {};
  info.si_signo = SIGCHLD;
  info.si_pid = task_pid_nr_ns(tsk, parent);
  info.si_utime = nsec_to_clock_t(0);
  info.si_stime = nsec_to_clock_t(0);
  info.si_code = why;
  const int code = why == CLD_STOPPED ? tsk->signal->group_exit_code : tsk->exit_code;
  info.si_status = why == CLD_CONTINUED ? SIGCONT : code & 0x7f;
  unsigned long flags;
  spin_lock_irqsave(&parent->sighand->siglock, flags);
  const k_sigaction& action = parent->sighand->action[SIGCHLD - 1];
  if (action.handler != kSigIgn && (action.sa_flags & SA_NOCLDSTOP) == 0) {
    __group_send_sig_info(SIGCHLD, &info, parent);
  }
  __wake_up_parent(tsk, parent);
  spin_unlock_irqrestore(&parent->sighand->siglock, flags);
}

}  // namespace kpath
