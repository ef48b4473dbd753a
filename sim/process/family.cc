// SPDX-License-Identifier: Apache-2.0
#include "sim/process/family.h"

#include <csignal>

#include "sim/kernel/pid.h"
#include "sim/process/exit.h"
#include "sim/process/jobctl.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// v4.19 kernel/exit.c: __unhash_process. Takes the task out of its group.
void __unhash_process(task_struct* tsk) {
  FUNCTION(tsk->pid);
  std::erase(tsk->signal->thread_head, tsk);
}

// Nobody sends the task a signal any more; the last one of its group takes those of the process
// along.
void leave_signals(task_struct* tsk) {
  signal_struct& signal = *tsk->signal;
  const kptr<sighand_struct> sighand = tsk->sighand;
  spin_lock(&sighand->siglock);
  __unhash_process(tsk);
  const bool group_dead = signal.thread_head.empty();
  if (!group_dead && signal.curr_target == tsk) signal.curr_target = signal.thread_head.front();
  tsk->sighand = nullptr;
  spin_unlock(&sighand->siglock);
  __cleanup_sighand(sighand);
  flush_sigqueue(&tsk->pending);
  clear_tsk_thread_flag(tsk, TIF_SIGPENDING);
  if (group_dead) flush_sigqueue(&signal.shared_pending);
}

// v4.19 kernel/exit.c: __exit_signal. Takes the task out of its group, and out of its parent's
// children.
void __exit_signal(task_struct* tsk) {
  FUNCTION(tsk->pid);
  signal_struct& signal = *tsk->signal;
  leave_signals(tsk);
  // A thread in exec waits until it is the only one.
  if (signal.group_exit_task != nullptr) wake_up_process(signal.group_exit_task);
  if (!thread_group_leader(tsk) || tsk->real_parent == nullptr) return;
  std::erase(tsk->real_parent->signal->children, tsk);
}

// The last of the other threads has gone: the leader, a zombie for long, is now one that its parent
// hears of. Returns true if it is to be reaped, too. REQUIRES: tasklist_lock.
bool zap_leader(task_struct* leader) {
  task_lifecycle* life = lifecycle(leader);
  if (!thread_group_empty(leader) || life->exit_state != EXIT_ZOMBIE) return false;
  TellProcessEnded(leader);
  if (!do_notify_parent(leader, life->exit_signal)) return false;
  life->exit_state = EXIT_DEAD;
  return true;
}

}  // namespace

int exit_status(const task_struct* leader) {
  const signal_struct& signal = *leader->signal;
  return (signal.flags & SIGNAL_GROUP_EXIT) != 0 ? signal.group_exit_code : leader->exit_code;
}

void TellProcessEnded(const task_struct* leader) {
  if (process_hooks->process_ended) process_hooks->process_ended(leader, exit_status(leader));
}

// v4.19 kernel/time/time.c: nsec_to_clock_t
clock_t nsec_to_clock_t(int64_t x) {
  FUNCTION(x);
  constexpr int64_t kUserHz = 100;
  return fn.Return(static_cast<clock_t>(x / (NSEC_PER_SEC / kUserHz)));
}

namespace {

// How a process ended, as its parent is told. Nothing accounts for the time that it ran.
siginfo_t death_info(const task_struct* tsk, int sig) {
  siginfo_t info = {};
  info.si_signo = sig;
  info.si_pid = task_pid_nr_ns(tsk, tsk->parent);
  info.si_utime = nsec_to_clock_t(0);
  info.si_stime = nsec_to_clock_t(0);
  const int exit_code = exit_status(tsk);
  const bool killed = (exit_code & 0x7f) != 0;
  info.si_code = killed ? CLD_KILLED : CLD_EXITED;
  info.si_status = killed ? exit_code & 0x7f : exit_code >> 8;
  return info;
}

}  // namespace

bool do_notify_parent(task_struct* tsk, int sig) {
  FUNCTION(tsk->pid, sig);
  task_struct* parent = tsk->parent;  // its tracer, if there is one
  if (parent == nullptr) return fn.Return(true);
  const siginfo_t info = death_info(tsk, sig);
  const kptr<sighand_struct> psig = parent->sighand;
  bool autoreap = false;
  unsigned long flags;
  spin_lock_irqsave(&psig->siglock, flags);
  const k_sigaction& action = psig->action[SIGCHLD - 1];
  if (tsk->ptrace == 0 && sig == SIGCHLD &&
      (action.handler == kSigIgn || (action.sa_flags & SA_NOCLDWAIT) != 0)) {
    // The parent does not want to know: nobody has to wait for this child.
    autoreap = true;
    if (action.handler == kSigIgn) sig = 0;
  }
  if (valid_signal(sig) && sig != 0) __group_send_sig_info(sig, &info, parent);
  __wake_up_parent(tsk, parent);
  spin_unlock_irqrestore(&psig->siglock, flags);
  return fn.Return(autoreap);
}

void forget_original_parent(task_struct* father, std::vector<task_struct*>* dead) {
  FUNCTION(father->pid);
  for (task_struct* child : father->signal->children) {
    for (task_struct* t : child->signal->thread_head) {
      t->real_parent = nullptr;
      if (t->ptrace == 0) t->parent = nullptr;
    }
    // reparent_leader. Who is traced is its tracer's to wait for.
    task_lifecycle* life = lifecycle(child);
    if (child->ptrace != 0 || life->exit_state != EXIT_ZOMBIE || !thread_group_empty(child)) {
      continue;
    }
    life->exit_state = EXIT_DEAD;
    dead->push_back(child);
  }
  father->signal->children.clear();
}

void reap_task(task_struct* task) {
  FUNCTION(task->pid);
  bool leader_too = false;
  write_lock_irq(&processes->tasklist_lock);
  task_struct* leader = task->signal->group_leader;
  ptrace_unlink(task);  // ptrace_release_task
  __exit_signal(task);
  if (task != leader) leader_too = zap_leader(leader);
  write_unlock_irq(&processes->tasklist_lock);
  put_task_struct_rcu(task);
  if (leader_too) reap_task(leader);
}

}  // namespace kpath
