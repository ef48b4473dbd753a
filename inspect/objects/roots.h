// SPDX-License-Identifier: Apache-2.0
//
// Where looking begins: what an expression may name that is no value of a frame.
//
//   current   the task of the scope                ctx    its AIO context
//   plug      current->plug                        regs   its pt_regs
//   cpu(N)    a CPU                                task(PID)
//   aio_nr, aio_max_nr, jiffies                    as the kernel's variables
//   tasks, disks                                   all of them
//
// Context: as inspect/types.h.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "inspect/types.h"

namespace kpath {

struct Root {
  const char* name;
  // False with a reason in *why: there is none now.
  bool (*get)(const Look& look, Datum* value, std::string* why);
};
// Null: nothing is called so.
const Root* FindRoot(absl::string_view name);

// A root that takes a number: cpu, task.
struct NumberedRoot {
  const char* name;
  bool (*get)(const Look& look, uint64_t number, Datum* value, std::string* why);
};
const NumberedRoot* FindNumberedRoot(absl::string_view name);

}  // namespace kpath
