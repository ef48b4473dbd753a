// SPDX-License-Identifier: Apache-2.0
//
// Parents and children when somebody ends. v4.19 kernel/exit.c, kernel/signal.c. Inside
// sim/process.
//
// Locks: all of it under processes->tasklist_lock, but reap_task (exit.h), which takes it.
#pragma once

#include <ctime>
#include <vector>

#include "sim/process/process.h"

namespace kpath {

// v4.19 kernel/signal.c: do_notify_parent. The last thread of a process has ended, or a traced
// thread: tells its parent, or its tracer, by the signal `sig` (0, -1: by none). Returns true if
// nobody wants to hear of it, so that there is no zombie.
bool do_notify_parent(task_struct* tsk, int sig);
// Tells who looks on that a whole process has ended (ProcessHooks::process_ended).
void TellProcessEnded(const task_struct* leader);

// v4.19 kernel/exit.c: forget_original_parent. The children of an ending process are nobody's;
// those that have ended already, and that nobody traces, are added to `dead`, to be reaped.
void forget_original_parent(task_struct* father, std::vector<task_struct*>* dead);

// v4.19 kernel/time/time.c: nsec_to_clock_t
clock_t nsec_to_clock_t(int64_t x);

// The status of a process that has ended, as wait4 reports it.
int exit_status(const task_struct* leader);

}  // namespace kpath
