// SPDX-License-Identifier: Apache-2.0
//
// The end of threads and processes. v4.19 kernel/exit.c
//
// An exit code here is what wait4 reports: the status that a program gave in bits 8 to 15, or the
// number of the signal that ended it in bits 0 to 6.
//
// Departs: no core dumps, accounting, namespaces, robust futexes or process-group orphans.
// A process whose parent has ended is nobody's child (Linux: init's), and is released as soon as it
// ends.
//
// Context: process; they do not return.
#pragma once

#include "sim/process/process.h"

namespace kpath {

// v4.19 kernel/exit.c: do_exit. Ends the current thread.
[[noreturn]] void do_exit(long code);

// v4.19 kernel/exit.c: do_group_exit. Ends all threads of the process; the code of the first one
// that called it is the process's.
[[noreturn]] void do_group_exit(int exit_code);

// ---- Inside sim/process ----

// A zombie that nobody will wait for any more: takes it out of all lists and frees it after a grace
// period of RCU. Linux's release_task, but for the pid and the stack, which go with the task's
// memory. REQUIRES: its exit_state is EXIT_DEAD, and nobody else is doing this.
void reap_task(task_struct* task);

}  // namespace kpath
