// SPDX-License-Identifier: Apache-2.0
//
// The calls of a run, one event at a time, as a tracer sees them. GraphWriter writes them as text,
// GraphBuilder makes a Graph of them.
#pragma once

#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"

namespace kpath {

// Events come in the order of the run. Within one task, exits match entries like brackets; a call
// made by an interrupt carries the pid of the task that was interrupted. An exit of a call whose
// entry was never seen (the listener came later) is passed over.
class CallEvents {
 public:
  virtual ~CallEvents() = default;

  // The task `pid`, called `comm`, enters function `name` on `cpu` at virtual time `time_ns`.
  virtual void Enter(int cpu, absl::string_view comm, int pid, absl::string_view name,
                     int64_t time_ns) = 0;

  // The innermost open call of the task returns.
  virtual void Exit(int cpu, int pid, int64_t time_ns) = 0;

  // A remark at this point of the task's calls: one line, without "*/".
  virtual void Annotate(int cpu, int pid, absl::string_view text) = 0;
};

// One key for one task: every CPU has an idle task of its own, and all of them have pid 0.
using TaskKey = std::pair<int, int>;
inline TaskKey MakeTaskKey(int pid, int cpu) { return {pid, pid == 0 ? cpu : -1}; }

}  // namespace kpath
