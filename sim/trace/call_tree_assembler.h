// SPDX-License-Identifier: Apache-2.0
//
// Puts entries and exits together into a Graph. The two makers of graphs share it: GraphBuilder
// (live events) and the reader of function_graph text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sim/trace/call_tree.h"

namespace kpath {

// The open calls of one task, outermost first. An interrupt that came meanwhile, and its calls, are
// on top of them; they are written to the stream of the CPU's interrupts.
struct OpenCalls {
  struct Frame {
    size_t stream;
    CallId call;
    bool is_interrupt;  // an interrupt begins with it
  };

  size_t stream = 0;  // of the task itself
  std::vector<Frame> frames;
};

// What is known when a call is entered.
struct CallEntry {
  absl::string_view name;
  int cpu = 0;
  uint32_t order = 0;
  int64_t start_ns = kUnknownTime;
  bool interrupt = false;  // this call is where an interrupt begins
};

class GraphAssembler {
 public:
  // Starts the stream of a task; `comm` empty and `pid` -1 where not known.
  OpenCalls AddTask(absl::string_view comm, int pid, int cpu);

  void Enter(OpenCalls& open, const CallEntry& entry);

  // A call that was running before the recording began; its name comes with its exit, if ever.
  void EnterUnseen(OpenCalls& open, int cpu);

  // The innermost call returns. Requires that there is one.
  void Exit(OpenCalls& open, int64_t duration_ns);

  // The innermost open call. Requires that there is one.
  const CallNode& Innermost(const OpenCalls& open) const;
  const std::string& InnermostName(const OpenCalls& open) const;
  void NameInnermost(const OpenCalls& open, absl::string_view name);

  // The name of an open call, 0 the outermost; empty if not known.
  const std::string& FrameName(const OpenCalls& open, size_t frame) const;

  Stream& stream(size_t index) { return graph_.streams[index]; }

  // Hands over the graph. Calls that are still open stay marked as not returned.
  Graph Take();

 private:
  size_t InterruptStream(int cpu);
  CallNode& Node(const OpenCalls::Frame& frame);

  Graph graph_;
  std::map<int, size_t> interrupt_streams_;  // by CPU
};

}  // namespace kpath
