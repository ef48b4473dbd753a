// SPDX-License-Identifier: Apache-2.0
//
// What sched.cc and task.cc know of each other.
#pragma once

#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 kernel/sched/core.c: schedule_tail. The first thing that a new task does.
void schedule_tail();

// Gives a new task its kernel stack.
void AllocateStack(task_struct* task);

}  // namespace kpath
