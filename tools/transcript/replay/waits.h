// SPDX-License-Identifier: Apache-2.0
//
// Where in the kernel a task waits, for who asks why a call does not return.
#pragma once

#include <string>

#include "sim/kernel/sched.h"

namespace kpath {

// "waits in schedule < pipe_wait < pipe_read < …"; `task` null: "its process has ended". Context:
// from outside of the machine.
std::string DescribeWait(const task_struct* task);

}  // namespace kpath
