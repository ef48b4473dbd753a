// SPDX-License-Identifier: Apache-2.0
//
// From a pid to a task and back. v4.19 kernel/pid.c
//
// Departs: there is one pid namespace and no struct pid: a pid is its number.
//
// Context: inside an RCU read-side section, as long as the task is used.
#pragma once

#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 kernel/pid.c: __task_pid_nr_ns. `nr`: which of the task's numbers, its pid or its tgid.
int __task_pid_nr_ns(const task_struct* task, int nr);
// v4.19 include/linux/sched.h: task_pid_nr_ns. The task's pid as `whose` namespace has it.
int task_pid_nr_ns(const task_struct* task, const task_struct* whose);
// v4.19 kernel/pid.c: find_vpid
int find_vpid(int nr);
// v4.19 kernel/pid.c: pid_task. The process's thread of this pid that is not yet released. Null:
// there is none, or it is a thread of the kernel's own.
task_struct* pid_task(int pid);
// v4.19 kernel/pid.c: find_task_by_vpid. The same, from what user mode says.
task_struct* find_task_by_vpid(int nr);

}  // namespace kpath
