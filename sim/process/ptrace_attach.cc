// SPDX-License-Identifier: Apache-2.0
//
// Who traces whom. v4.19 kernel/ptrace.c
#include <algorithm>
#include <csignal>

#include "sim/process/family.h"
#include "sim/process/jobctl.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// v4.19 kernel/ptrace.c: __ptrace_link, ptrace_link
void ptrace_link(task_struct* child, task_struct* new_parent) {
  FUNCTION(child->pid, new_parent->pid);
  new_parent->ptraced.insert(new_parent->ptraced.begin(), child);
  child->parent = new_parent;
}

// v4.19 kernel/exit.c: ignoring_children
bool ignoring_children(task_struct* tracer) {
  spin_lock(&tracer->sighand->siglock);
  const k_sigaction& action = tracer->sighand->action[SIGCHLD - 1];
  const bool ret = action.handler == kSigIgn || (action.sa_flags & SA_NOCLDWAIT) != 0;
  spin_unlock(&tracer->sighand->siglock);
  return ret;
}

// v4.19 kernel/ptrace.c: __ptrace_detach. True: it had ended, and nobody waits for it any more.
bool __ptrace_detach(task_struct* tracer, task_struct* p) {
  FUNCTION(tracer->pid, p->pid);
  __ptrace_unlink(p);
  task_lifecycle* life = lifecycle(p);
  if (life->exit_state != EXIT_ZOMBIE) return fn.Return(false);
  bool dead = !thread_group_leader(p);
  if (!dead && thread_group_empty(p)) {
    if (p->real_parent == nullptr || !same_thread_group(p->real_parent, tracer)) {
      dead = do_notify_parent(p, life->exit_signal);
    } else if (ignoring_children(tracer)) {
      __wake_up_parent(p, tracer);
      dead = true;
    }
  }
  if (dead) life->exit_state = EXIT_DEAD;
  return fn.Return(dead);
}

// The checks that do not need a lock, of PTRACE_SEIZE.
int check_seize(unsigned long addr, unsigned long flags) {
  if (addr != 0) return Fail(EIO, "PTRACE_SEIZE: the address must be 0");
  if ((flags & ~PTRACE_O_MASK) != 0) {
    return Fail(EIO, "PTRACE_SEIZE: unknown options $0", Value::Address(flags & ~PTRACE_O_MASK));
  }
  return 0;
}

// REQUIRES: tasklist_lock for writing.
int link_to_tracer(task_struct* task, unsigned flags) {
  if (lifecycle(task)->exit_state != 0) return Fail(EPERM, "pid $0 has ended", task->pid);
  if (task->ptrace != 0) {
    return Fail(EPERM, "pid $0 is traced by $1", task->pid, task->parent->pid);
  }
  task->ptrace = flags;
  ptrace_link(task, current);
  if ((flags & PT_SEIZED) == 0) send_sig_info(SIGSTOP, SEND_SIG_FORCED, task);
  spin_lock(&task->sighand->siglock);
  // One that is stopped already changes over to TASK_TRACED, and the caller waits until it has.
  if (task_is_stopped(task) && task_set_jobctl_pending(task, JOBCTL_TRAP_STOP | JOBCTL_TRAPPING)) {
    signal_wake_up_state(task, __TASK_STOPPED);
  }
  spin_unlock(&task->sighand->siglock);
  return 0;
}

}  // namespace

bool ptrace_reparented(const task_struct* child) {
  if (child->parent == child->real_parent) return false;
  if (child->parent == nullptr || child->real_parent == nullptr) return true;
  return !same_thread_group(child->real_parent, child->parent);
}

void __ptrace_unlink(task_struct* child) {
  FUNCTION(child->pid);
  clear_tsk_thread_flag(child, TIF_SYSCALL_TRACE);
  std::erase(child->parent->ptraced, child);
  child->parent = child->real_parent;
  signal_struct& signal = *child->signal;
  spin_lock(&child->sighand->siglock);
  child->ptrace = 0;
  task_clear_jobctl_pending(child, JOBCTL_TRAP_MASK);
  task_clear_jobctl_trapping(child);
  // If its process is stopped, so is it from now on.
  if ((child->flags & PF_EXITING) == 0 &&
      ((signal.flags & SIGNAL_STOP_STOPPED) != 0 || signal.group_stop_count != 0)) {
    child->jobctl |= JOBCTL_STOP_PENDING;
    if ((child->jobctl & JOBCTL_STOP_SIGMASK) == 0) child->jobctl |= SIGSTOP;
  }
  if ((child->jobctl & JOBCTL_STOP_PENDING) != 0 || task_is_traced(child)) {
    ptrace_signal_wake_up(child, true);
  }
  spin_unlock(&child->sighand->siglock);
}

void exit_ptrace(task_struct* tracer, std::vector<task_struct*>* dead) {
  FUNCTION(tracer->pid);
  const std::vector<task_struct*> ptraced = tracer->ptraced;
  for (task_struct* p : ptraced) {
    if ((p->ptrace & PT_EXITKILL) != 0) send_sig_info(SIGKILL, SEND_SIG_FORCED, p);
    if (__ptrace_detach(tracer, p)) dead->push_back(p);
  }
}

void ptrace_init_task(task_struct* child, bool ptrace) {
  child->jobctl = 0;
  child->ptrace = 0;
  child->parent = child->real_parent;
  if (!ptrace || current->ptrace == 0) return;
  child->ptrace = current->ptrace;
  ptrace_link(child, current->parent);
  if ((child->ptrace & PT_SEIZED) != 0) {
    task_set_jobctl_pending(child, JOBCTL_TRAP_STOP);
  } else {
    sigaddset(&child->pending.signal, SIGSTOP);
  }
  set_tsk_thread_flag(child, TIF_SIGPENDING);
}

void ptrace_signal_wake_up(task_struct* t, bool resume) {
  signal_wake_up_state(t, resume ? __TASK_TRACED : 0);
}

void ptrace_trap_notify(task_struct* t) {
  FUNCTION(t->pid);
  task_set_jobctl_pending(t, JOBCTL_TRAP_NOTIFY);
  ptrace_signal_wake_up(t, (t->jobctl & JOBCTL_LISTENING) != 0);
}

// v4.19 kernel/ptrace.c: ptrace_traceme
int ptrace_traceme() {
  FUNCTION();
  write_lock_irq(&processes->tasklist_lock);
  int ret = 0;
  if (current->ptrace != 0) {
    ret = Fail(EPERM, "this task is traced already, by $0", current->parent->pid);
  } else if (current->real_parent != nullptr && (current->real_parent->flags & PF_EXITING) == 0) {
    current->ptrace = PT_PTRACED;
    ptrace_link(current, current->real_parent);
  }
  write_unlock_irq(&processes->tasklist_lock);
  return fn.Return(ret);
}

// v4.19 kernel/ptrace.c: ptrace_attach
// Departs: no cred_guard_mutex and no permission to be asked for.
int ptrace_attach(task_struct* task, long request, unsigned long addr, unsigned long flags) {
  FUNCTION(task->pid, request, Value::Address(flags));
  const bool seize = request == PTRACE_SEIZE;
  if (seize) {
    if (const int error = check_seize(addr, flags); error != 0) return fn.Return(error);
  }
  if ((task->flags & PF_KTHREAD) != 0) {
    return fn.Return<int>(Fail(EPERM, "$0 is a thread of the kernel", task->pid));
  }
  if (same_thread_group(task, current)) {
    return fn.Return<int>(Fail(EPERM, "pid $0 is of the same process", task->pid));
  }
  const unsigned pt_flags =
      seize ? PT_PTRACED | PT_SEIZED | static_cast<unsigned>(flags << PT_OPT_FLAG_SHIFT)
            : PT_PTRACED;
  write_lock_irq(&processes->tasklist_lock);
  const int retval = link_to_tracer(task, pt_flags);
  write_unlock_irq(&processes->tasklist_lock);
  if (retval == 0) {
    // wait_on_bit, TASK_KILLABLE; killed or not, it is attached.
    (void)wait_event_killable(&processes->trapping,
                              [task] { return (task->jobctl & JOBCTL_TRAPPING) == 0; });
  }
  return fn.Return(retval);
}

// v4.19 kernel/ptrace.c: ptrace_detach
int ptrace_detach(task_struct* child, unsigned data) {
  FUNCTION(child->pid, data);
  if (!valid_signal(static_cast<int>(data))) {
    return fn.Return<int>(Fail(EIO, "there is no signal $0", data));
  }
  // ptrace_disable
  process_hooks->user_disable_single_step(child);
  clear_tsk_thread_flag(child, TIF_SYSCALL_EMU);
  write_lock_irq(&processes->tasklist_lock);
  child->exit_code = static_cast<int>(data);
  __ptrace_detach(current, child);
  write_unlock_irq(&processes->tasklist_lock);
  return fn.Return(0);
}

}  // namespace kpath
