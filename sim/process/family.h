// SPDX-License-Identifier: Apache-2.0
//
// Parents and children when somebody ends. v4.19 kernel/exit.c, kernel/signal.c. Inside
// sim/process.
//
// Locks: all of it under processes->tasklist_lock, but reap_task (exit.h), which takes it.
#pragma once

#include <vector>

#include "sim/process/process.h"

namespace kpath {

// v4.19 kernel/signal.c: do_notify_parent. The last thread of a process has ended: tells its
// parent. Returns true if the parent does not want to hear of it, so that there is no zombie.
bool do_notify_parent(task_struct* tsk);

// v4.19 kernel/exit.c: forget_original_parent. The children of an ending process are nobody's;
// those that have ended already are added to `dead`, to be reaped.
void forget_original_parent(task_struct* father, std::vector<task_struct*>* dead);

// The status of a process that has ended, as wait4 reports it.
int exit_status(const task_struct* leader);

}  // namespace kpath
