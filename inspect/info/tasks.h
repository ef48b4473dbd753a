// SPDX-License-Identifier: Apache-2.0
//
// `info tasks`, `info cpus`, `info locks`: who there is, who runs, and who holds what.
//
//      PID   TGID  COMM   STATE            CPU  WAITS FOR
//   *    1      1  prog   R running        0*
//        2      2  other  D uninterruptible  1  &ctx->ring_lock, held by prog/1, in mutex_lock
#pragma once

#include <string>

#include "inspect/info/view.h"

namespace kpath {

// All tasks by pid, the idle tasks that run before them. A `*` before the pid marks the selected
// one, a `*` behind the CPU's number those that are executed; the other tasks were there last.
std::string InfoTasks(const View& view);

// Each CPU: what it executes, ring, interrupt flag, depth of interrupts (irq_count is -1 outside of
// them), preempt_count, whether interrupts are pending. A `*` marks the selected task's CPU.
std::string InfoCpus(const View& view);

// The locks that each task holds, in the order in which it took them, and the one it waits for.
std::string InfoLocks(const View& view);

// `S interruptible`, `D uninterruptible`, `T stopped` …
std::string StateName(const task_struct& task);

}  // namespace kpath
