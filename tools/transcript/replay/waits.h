// SPDX-License-Identifier: Apache-2.0
//
// Waiting: where in the kernel a task does, for who asks why a call does not return; and for what a
// recording shows.
#pragma once

#include <functional>
#include <string>

#include "sim/kernel/sched.h"

namespace kpath {

// "waits in schedule < pipe_wait < pipe_read < …"; `task` null: "its process has ended". Context:
// from outside of the machine.
std::string DescribeWait(const task_struct* task);

// Lets virtual time pass, some seconds at most, until `is_true`. Returns what it said last.
// Context: ring 3; what it asks for is done with system calls of the process, outside of the trace.
bool WaitUntil(const std::function<bool()>& is_true);

}  // namespace kpath
