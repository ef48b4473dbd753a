// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/pid.h"

namespace kpath {
namespace {

// v4.19 kernel/pid.c: task_active_pid_ns. There is one namespace.
void task_active_pid_ns(const task_struct* task) { FUNCTION(task->pid); }

// v4.19 kernel/pid.c: pid_nr_ns
int pid_nr_ns(int nr) {
  FUNCTION(nr);
  return fn.Return(nr);
}

// v4.19 kernel/pid.c: find_task_by_pid_ns
task_struct* find_task_by_pid_ns(int nr) {
  FUNCTION(nr);
  return pid_task(nr);
}

}  // namespace

int __task_pid_nr_ns(const task_struct* task, int nr) {
  FUNCTION(task->pid);
  task_active_pid_ns(task);
  return fn.Return(pid_nr_ns(nr));
}

namespace {

// The namespace is given.
int __task_pid_nr_ns(const task_struct* task) {
  FUNCTION(task->pid);
  return fn.Return(pid_nr_ns(task->pid));
}

}  // namespace

int task_pid_nr_ns(const task_struct* task, const task_struct* whose) {
  task_active_pid_ns(whose);
  return __task_pid_nr_ns(task);
}

int find_vpid(int nr) {
  FUNCTION(nr);
  task_active_pid_ns(current);
  return fn.Return(nr);
}

task_struct* pid_task(int pid) {
  FUNCTION(pid);
  task_struct* task = FindTask(*current->machine, pid);
  return task == nullptr || !task->sighand ? nullptr : task;
}

task_struct* find_task_by_vpid(int nr) {
  FUNCTION(nr);
  task_active_pid_ns(current);
  return find_task_by_pid_ns(nr);
}

}  // namespace kpath
