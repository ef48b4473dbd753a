// SPDX-License-Identifier: Apache-2.0
//
// wait4: a parent learns how its children ended, stopped and went on; a tracer learns it of its
// tracees. v4.19 kernel/exit.c
//
// Departs: the usage that is stored is all zero.
#include <sys/wait.h>

#include <climits>
#include <csignal>
#include <utility>
#include <vector>

#include "sim/kernel/container_of.h"
#include "sim/kernel/pid.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/exit.h"
#include "sim/process/family.h"
#include "sim/process/jobctl.h"
#include "sim/process/ptrace.h"
#include "sim/process/sighand.h"

namespace kpath {
namespace {

// include/uapi/linux/resource.h: struct rusage, which nobody fills.
constexpr unsigned long kRusageBytes = 144;

// v4.19 kernel/exit.c: struct wait_opts
struct wait_opts {
  pid_type wo_type = PIDTYPE_MAX;
  int wo_flags = 0;
  int wo_pid = 0;
  int wo_stat = 0;
  wait_queue_entry child_wait;
  int notask_error = 0;
};

// v4.19 kernel/exit.c: eligible_pid
bool eligible_pid(const wait_opts* wo, const task_struct* p) {
  if (wo->wo_type == PIDTYPE_MAX) return true;
  return wo->wo_type == PIDTYPE_PID ? p->pid == wo->wo_pid : p->signal->pgrp == wo->wo_pid;
}

// v4.19 kernel/exit.c: eligible_child. "Clone" children are those that do not send SIGCHLD; a
// tracer waits for all its tracees.
bool eligible_child(const wait_opts* wo, bool ptrace, const task_struct* p) {
  if (!eligible_pid(wo, p)) return false;
  if (ptrace || (wo->wo_flags & __WALL) != 0) return true;
  const bool clone_child = lifecycle(p)->exit_signal != SIGCHLD;
  return clone_child == ((wo->wo_flags & __WCLONE) != 0);
}

// v4.19 kernel/exit.c: child_wait_callback
int child_wait_callback(wait_queue_entry* wait, unsigned mode, int sync, void* key) {
  const wait_opts* wo = container_of(wait, &wait_opts::child_wait);
  const auto* p = static_cast<const task_struct*>(key);
  FUNCTION(p->pid);
  if (!eligible_pid(wo, p)) return fn.Return(0);
  if ((wo->wo_flags & __WNOTHREAD) != 0 && wait->task != p->parent) return fn.Return(0);
  return fn.Return(default_wake_function(wait, mode, sync, key));
}

// The tracer has seen the end of a process that is somebody else's child, who is told now. Returns
// whether it is to be reaped.
bool give_back_to_parent(task_struct* p) {
  task_lifecycle* life = lifecycle(p);
  write_lock_irq(&processes->tasklist_lock);
  ptrace_unlink(p);
  const bool dead = do_notify_parent(p, life->exit_signal);
  life->exit_state = dead ? EXIT_DEAD : EXIT_ZOMBIE;
  write_unlock_irq(&processes->tasklist_lock);
  return dead;
}

// v4.19 kernel/exit.c: wait_task_zombie. Drops tasklist_lock.
int wait_task_zombie(wait_opts* wo, task_struct* p) {
  FUNCTION(p->pid);
  const int pid = p->pid;
  const bool of_tracer = ptrace_reparented(p) && thread_group_leader(p);
  lifecycle(p)->exit_state = of_tracer ? EXIT_TRACE : EXIT_DEAD;
  wo->wo_stat = exit_status(p);
  read_unlock(&processes->tasklist_lock);
  if (!of_tracer || give_back_to_parent(p)) reap_task(p);
  return fn.Return(pid);
}

// v4.19 kernel/exit.c: task_stopped_code. Where it stands why the task is stopped; null: it is not.
int* task_stopped_code(task_struct* p, bool ptrace) {
  FUNCTION(p->pid, ptrace);
  if (ptrace) {
    if (task_is_traced(p) && (p->jobctl & JOBCTL_LISTENING) == 0) return &p->exit_code;
  } else if ((p->signal->flags & SIGNAL_STOP_STOPPED) != 0) {
    return &p->signal->group_exit_code;
  }
  return nullptr;
}

// Takes the code, so that it is reported once; 0: there is none.
int take_stopped_code(task_struct* p, bool ptrace) {
  int exit_code = 0;
  spin_lock_irq(&p->sighand->siglock);
  if (int* p_code = task_stopped_code(p, ptrace); p_code != nullptr) {
    exit_code = std::exchange(*p_code, 0);
  }
  spin_unlock_irq(&p->sighand->siglock);
  return exit_code;
}

// The pid to report. Drops tasklist_lock.
int report_pid(task_struct* p) {
  get_task_struct(p);
  const int pid = __task_pid_nr_ns(p, p->pid);  // task_pid_vnr
  read_unlock(&processes->tasklist_lock);
  put_task_struct(p);
  return pid;
}

// v4.19 kernel/exit.c: wait_task_stopped. Not 0: drops tasklist_lock.
int wait_task_stopped(wait_opts* wo, bool ptrace, task_struct* p) {
  FUNCTION(p->pid, ptrace);
  if (!ptrace && (wo->wo_flags & WUNTRACED) == 0) return fn.Return(0);
  if (task_stopped_code(p, ptrace) == nullptr) return fn.Return(0);
  const int exit_code = take_stopped_code(p, ptrace);
  if (exit_code == 0) return fn.Return(0);  // reported already
  const int pid = report_pid(p);
  wo->wo_stat = exit_code << 8 | 0x7f;
  return fn.Return(pid);
}

// v4.19 kernel/exit.c: wait_task_continued. Not 0: drops tasklist_lock.
int wait_task_continued(wait_opts* wo, task_struct* p) {
  FUNCTION(p->pid);
  if ((wo->wo_flags & WCONTINUED) == 0) return fn.Return(0);
  if ((p->signal->flags & SIGNAL_STOP_CONTINUED) == 0) return fn.Return(0);
  spin_lock_irq(&p->sighand->siglock);
  const bool continued = (p->signal->flags & SIGNAL_STOP_CONTINUED) != 0;
  p->signal->flags &= ~SIGNAL_STOP_CONTINUED;
  spin_unlock_irq(&p->sighand->siglock);
  if (!continued) return fn.Return(0);
  const int pid = report_pid(p);
  wo->wo_stat = 0xffff;
  return fn.Return(pid);
}

// v4.19 kernel/exit.c: wait_consider_task. `ptrace`: as a tracee, else as a child. Not 0: the wait
// has come to its end, and the lock was dropped.
int wait_consider_task(wait_opts* wo, bool ptrace, task_struct* p) {
  FUNCTION(p->pid, ptrace);
  const int exit_state = lifecycle(p)->exit_state;
  if (exit_state == EXIT_DEAD) return fn.Return(0);
  if (!eligible_child(wo, ptrace, p)) return fn.Return(0);
  if (exit_state == EXIT_TRACE) {
    // Its tracer is about to give it back.
    if (!ptrace) wo->notask_error = 0;
    return fn.Return(0);
  }
  // A child that this process traces, too, is waited for as both.
  if (!ptrace && p->ptrace != 0 && !ptrace_reparented(p)) ptrace = true;
  if (exit_state == EXIT_ZOMBIE) {
    // A leader whose threads still run has not ended for its parent.
    if (!delay_group_leader(p) && (ptrace || p->ptrace == 0)) {
      return fn.Return(wait_task_zombie(wo, p));
    }
  }
  wo->notask_error = 0;
  const int ret = wait_task_stopped(wo, ptrace, p);
  return fn.Return(ret != 0 ? ret : wait_task_continued(wo, p));
}

// v4.19 kernel/exit.c: do_wait_thread. Not 0: as wait_consider_task.
int do_wait_thread(wait_opts* wo) {
  // A copy: whoever ends one consideration ends the walk.
  const std::vector<task_struct*> children = current->signal->children;
  for (task_struct* p : children) {
    const int ret = wait_consider_task(wo, false, p);
    if (ret != 0) return ret;
  }
  return 0;
}

// v4.19 kernel/exit.c: ptrace_do_wait, for each thread of the process. Not 0: as
// wait_consider_task.
int ptrace_do_wait(wait_opts* wo) {
  for (const task_struct* tsk : current->signal->thread_head) {
    if ((wo->wo_flags & __WNOTHREAD) != 0 && tsk != current) continue;
    const std::vector<task_struct*> ptraced = tsk->ptraced;
    for (task_struct* p : ptraced) {
      const int ret = wait_consider_task(wo, true, p);
      if (ret != 0) return ret;
    }
  }
  return 0;
}

long FailNoChild(const wait_opts& wo) {
  if (current->signal->children.empty() && current->ptraced.empty())
    return Fail(ECHILD, "no children");
  return Fail(ECHILD, "no child fits pid $0", wo.wo_pid);
}

// One look at all children: a pid, 0 if there are some but none has ended, or -ECHILD.
long look_at_children(wait_opts* wo) {
  wo->notask_error = -ECHILD;
  set_current_state(TASK_INTERRUPTIBLE);
  read_lock(&processes->tasklist_lock);
  int pid = do_wait_thread(wo);
  if (pid == 0) pid = ptrace_do_wait(wo);
  if (pid != 0) return pid;
  read_unlock(&processes->tasklist_lock);
  return wo->notask_error;
}

// v4.19 kernel/exit.c: do_wait
long do_wait(wait_opts* wo) {
  FUNCTION(wo->wo_pid, wo->wo_flags);
  wait_queue_head_t* queue = &current->signal->wait_chldexit;
  init_waitqueue_func_entry(&wo->child_wait, child_wait_callback);
  wo->child_wait.task = current;
  add_wait_queue(queue, &wo->child_wait);
  long ret;
  while ((ret = look_at_children(wo)) == 0 && (wo->wo_flags & WNOHANG) == 0) {
    if (signal_pending(current)) {
      ret = Fail(ERESTARTSYS, "a signal came while no child had ended");
      break;
    }
    schedule();
  }
  __set_current_state(TASK_RUNNING);
  remove_wait_queue(queue, &wo->child_wait);
  if (ret == -ECHILD) return fn.Return(FailNoChild(*wo));
  return fn.Return(ret);
}

// v4.19 kernel/pid.c: find_get_pid, get_task_pid, put_pid. A pid is its number.
int find_get_pid(int nr) {
  FUNCTION(nr);
  return fn.Return(find_vpid(nr));
}
int get_task_pid(const task_struct* task) {
  FUNCTION(task->pid);
  return fn.Return(task->signal->pgrp);
}
void put_pid(int pid) { FUNCTION(pid); }

void set_pid_type(wait_opts* wo, int upid) {
  if (upid == -1) return;
  wo->wo_type = upid > 0 ? PIDTYPE_PID : PIDTYPE_PGID;
  wo->wo_pid = upid == 0 ? get_task_pid(current) : find_get_pid(upid > 0 ? upid : -upid);
}

// v4.19 kernel/exit.c: kernel_wait4
long kernel_wait4(int upid, user_ptr<int> stat_addr, int options) {
  FUNCTION(upid, stat_addr, options);
  constexpr int kKnown = WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL;
  if ((options & ~kKnown) != 0) {
    return fn.Return(Fail(EINVAL, "unknown options $0", Value::Address(options & ~kKnown)));
  }
  if (upid == INT_MIN) return fn.Return(Fail(ESRCH, "pid $0 has no negative", upid));
  wait_opts wo;
  wo.wo_flags = options;
  set_pid_type(&wo, upid);
  const long ret = do_wait(&wo);
  put_pid(wo.wo_pid);
  if (ret > 0 && stat_addr && put_user(wo.wo_stat, stat_addr) != 0) return fn.Return(-EFAULT);
  return fn.Return(ret);
}

}  // namespace

SYSCALL_DEFINE4(wait4, int, upid, user_ptr<int>, stat_addr, int, options, user_ptr<void>, ru) {
  const long ret = kernel_wait4(upid, stat_addr, options);
  if (ret > 0 && ru && clear_user(ru, kRusageBytes) != 0) return -EFAULT;
  return ret;
}

}  // namespace kpath
