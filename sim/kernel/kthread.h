// SPDX-License-Identifier: Apache-2.0
//
// What a thread of the kernel's own keeps with its task. v4.19 include/linux/kthread.h,
// kernel/kthread.c
//
// Context: any.
#pragma once

#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 kernel/kthread.c: kthread_data. What the thread was made for, as its maker has stored it in
// task_struct::kthread_data.
inline void* kthread_data(const task_struct* task) {
  FUNCTION(task->pid);
  return task->kthread_data;
}

}  // namespace kpath
