// SPDX-License-Identifier: Apache-2.0
//
// wait4: a parent learns how its children ended. v4.19 kernel/exit.c
//
// Departs: children do not stop or continue (WUNTRACED and WCONTINUED have nothing to report); the
// usage that is stored is all zero.
#include <sys/wait.h>

#include <climits>
#include <csignal>
#include <vector>

#include "sim/kernel/container_of.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/exit.h"
#include "sim/process/family.h"

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

// v4.19 kernel/exit.c: eligible_child. "Clone" children are those that do not send SIGCHLD.
bool eligible_child(const wait_opts* wo, const task_struct* p) {
  if (!eligible_pid(wo, p)) return false;
  if ((wo->wo_flags & __WALL) != 0) return true;
  const bool clone_child = lifecycle(p)->exit_signal != SIGCHLD;
  return clone_child == ((wo->wo_flags & __WCLONE) != 0);
}

// v4.19 kernel/exit.c: child_wait_callback
int child_wait_callback(wait_queue_entry* wait, unsigned mode, int sync, void* key) {
  const wait_opts* wo = container_of(wait, &wait_opts::child_wait);
  if (!eligible_pid(wo, static_cast<const task_struct*>(key))) return 0;
  return default_wake_function(wait, mode, sync, key);
}

// v4.19 kernel/exit.c: wait_task_zombie. Drops tasklist_lock.
int wait_task_zombie(wait_opts* wo, task_struct* p) {
  FUNCTION(p->pid);
  const int pid = p->pid;
  lifecycle(p)->exit_state = EXIT_DEAD;
  wo->wo_stat = exit_status(p);
  spin_unlock_irq(&processes->tasklist_lock);
  reap_task(p);
  return fn.Return(pid);
}

// v4.19 kernel/exit.c: wait_consider_task. Not 0: the wait has come to its end, and the lock was
// dropped.
int wait_consider_task(wait_opts* wo, task_struct* p) {
  FUNCTION(p->pid);
  const int exit_state = lifecycle(p)->exit_state;
  if (exit_state == EXIT_DEAD) return fn.Return(0);
  if (!eligible_child(wo, p)) return fn.Return(0);
  // A leader whose threads still run has not ended for its parent: delay_group_leader.
  if (exit_state == EXIT_ZOMBIE && thread_group_empty(p)) return wait_task_zombie(wo, p);
  wo->notask_error = 0;
  return fn.Return(0);
}

// v4.19 kernel/exit.c: do_wait_thread. Not 0: as wait_consider_task.
int do_wait_thread(wait_opts* wo) {
  // A copy: whoever ends one consideration ends the walk.
  const std::vector<task_struct*> children = current->signal->children;
  for (task_struct* p : children) {
    const int ret = wait_consider_task(wo, p);
    if (ret != 0) return ret;
  }
  return 0;
}

long FailNoChild(const wait_opts& wo) {
  if (current->signal->children.empty()) return Fail(ECHILD, "no children");
  return Fail(ECHILD, "no child fits pid $0", wo.wo_pid);
}

// One look at all children: a pid, 0 if there are some but none has ended, or -ECHILD.
long look_at_children(wait_opts* wo) {
  wo->notask_error = -ECHILD;
  set_current_state(TASK_INTERRUPTIBLE);
  spin_lock_irq(&processes->tasklist_lock);
  const int pid = do_wait_thread(wo);
  if (pid != 0) return pid;
  spin_unlock_irq(&processes->tasklist_lock);
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

void set_pid_type(wait_opts* wo, int upid) {
  if (upid == -1) return;
  wo->wo_type = upid > 0 ? PIDTYPE_PID : PIDTYPE_PGID;
  wo->wo_pid = upid > 0 ? upid : upid < 0 ? -upid : current->signal->pgrp;
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
