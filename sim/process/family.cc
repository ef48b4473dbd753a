// SPDX-License-Identifier: Apache-2.0
#include "sim/process/family.h"

#include "sim/process/exit.h"

namespace kpath {
namespace {

// v4.19 kernel/exit.c: __wake_up_parent. child_wait_callback lets those sleep on who wait for
// others.
void __wake_up_parent(task_struct* p, task_struct* parent) {
  FUNCTION(p->pid, parent->pid);
  __wake_up_sync_key(&parent->signal->wait_chldexit, TASK_INTERRUPTIBLE, 1, p);
}

// v4.19 kernel/exit.c: __exit_signal. Takes the task out of its group, and out of its parent's
// children.
void __exit_signal(task_struct* tsk) {
  FUNCTION(tsk->pid);
  signal_struct& signal = *tsk->signal;
  std::erase(signal.thread_head, tsk);
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
  if (!do_notify_parent(leader)) return false;
  life->exit_state = EXIT_DEAD;
  return true;
}

}  // namespace

int exit_status(const task_struct* leader) {
  const signal_struct& signal = *leader->signal;
  return (signal.flags & SIGNAL_GROUP_EXIT) != 0 ? signal.group_exit_code : leader->exit_code;
}

bool do_notify_parent(task_struct* tsk) {
  FUNCTION(tsk->pid);
  if (process_hooks->process_ended) process_hooks->process_ended(tsk, exit_status(tsk));
  task_struct* parent = tsk->real_parent;
  if (parent == nullptr) return fn.Return(true);
  const int sig = lifecycle(tsk)->exit_signal;
  if (process_hooks->notify_parent != nullptr && sig != 0) {
    process_hooks->notify_parent(parent, tsk, sig);
  }
  __wake_up_parent(tsk, parent);
  return fn.Return(false);
}

void forget_original_parent(task_struct* father, std::vector<task_struct*>* dead) {
  FUNCTION(father->pid);
  for (task_struct* child : father->signal->children) {
    child->real_parent = nullptr;
    task_lifecycle* life = lifecycle(child);
    if (life->exit_state != EXIT_ZOMBIE || !thread_group_empty(child)) continue;
    life->exit_state = EXIT_DEAD;  // reparent_leader
    dead->push_back(child);
  }
  father->signal->children.clear();
}

void reap_task(task_struct* task) {
  FUNCTION(task->pid);
  bool leader_too = false;
  spin_lock_irq(&processes->tasklist_lock);
  task_struct* leader = task->signal->group_leader;
  __exit_signal(task);
  if (task != leader) leader_too = zap_leader(leader);
  spin_unlock_irq(&processes->tasklist_lock);
  put_task_struct_rcu(task);
  if (leader_too) reap_task(leader);
}

}  // namespace kpath
