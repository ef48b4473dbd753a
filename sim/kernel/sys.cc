// SPDX-License-Identifier: Apache-2.0
//
// Who am I. v4.19 kernel/sys.c, kernel/pid.c
#include "sim/kernel/syscalls.h"

namespace kpath {
namespace {

// v4.19 kernel/pid.c: task_active_pid_ns. There is one namespace.
void task_active_pid_ns(const task_struct* task) { FUNCTION(task->pid); }

// v4.19 kernel/pid.c: pid_nr_ns
int pid_nr_ns(int nr) {
  FUNCTION(nr);
  return fn.Return(nr);
}

// v4.19 kernel/pid.c: __task_pid_nr_ns
int __task_pid_nr_ns(const task_struct* task, int nr) {
  FUNCTION(task->pid);
  task_active_pid_ns(task);
  return fn.Return(pid_nr_ns(nr));
}

}  // namespace

// v4.19 kernel/sys.c: sys_getpid
SYSCALL_DEFINE0(getpid) { return __task_pid_nr_ns(current, current->tgid); }

// v4.19 kernel/sys.c: sys_gettid
SYSCALL_DEFINE0(gettid) { return __task_pid_nr_ns(current, current->pid); }

// v4.19 kernel/sys.c: sys_getppid
SYSCALL_DEFINE0(getppid) {
  const task_struct* parent = current->real_parent;
  return parent == nullptr ? 0 : __task_pid_nr_ns(parent, parent->tgid);
}

}  // namespace kpath
