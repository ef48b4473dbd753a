// SPDX-License-Identifier: Apache-2.0
//
// Makes a Graph of a run while it happens.
//
//   GraphBuilder builder;
//   builder.Enter(0, "aio", 7, "do_syscall_64", 1000);
//   builder.Exit(0, 7, 1500);
//   Graph graph = builder.Take();
#pragma once

#include <map>

#include "sim/trace/call_tree.h"
#include "sim/trace/call_tree_assembler.h"
#include "sim/trace/call_tree_events.h"

namespace kpath {

class GraphBuilder : public CallEvents {
 public:
  void Enter(int cpu, absl::string_view comm, int pid, absl::string_view name,
             int64_t time_ns) override;
  void Exit(int cpu, int pid, int64_t time_ns) override;

  // Remarks are no calls: a graph does not keep them.
  void Annotate(int /*cpu*/, int /*pid*/, absl::string_view /*text*/) override {}

  // The graph so far; the builder is then as new. Calls still open are marked as not returned.
  Graph Take();

 private:
  GraphAssembler assembler_;
  std::map<TaskKey, OpenCalls> tasks_;
  uint32_t entries_ = 0;
};

}  // namespace kpath
