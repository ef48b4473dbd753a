// SPDX-License-Identifier: Apache-2.0
//
// Making a process out of nothing: what init's exec is for Linux.
//
//   StartProcess(machine, "prog", user::Program([] { user::write(1, "hello"); }), {});
//   machine.Run();
#pragma once

#include <functional>
#include <string>

#include "sim/process/exec.h"

namespace kpath {

struct StartOptions {
  int pid = 0;                   // 0: the next free one
  uint64_t start_ip = 0x401000;  // the instruction pointer that ring 3 starts with
  uint64_t stack_top = kStackTop;
  // Called in the new process, in kernel mode, when it has its address space and an empty table of
  // descriptors: opens and maps what the program is found with. 0, or a negative errno, which kills
  // it.
  std::function<int()> set_up = {};
};

// Makes a process without a parent and lets it run: `program` is called in ring 3 and must end in
// exit or exit_group (user::Program does that). What it needs is allocated in its own context when
// it first runs; where that fails it ends at once, killed by SIGKILL. May be called from outside of
// the machine or by its code. Boot has been called.
task_struct* StartProcess(Machine& machine, const std::string& comm, std::function<void()> program,
                          StartOptions options = {});

}  // namespace kpath
