// SPDX-License-Identifier: Apache-2.0
//
// Makes a Graph of a run. While the run goes on it only keeps what it is told, 24 bytes an event,
// as a tracer's ring buffer does; the graph is made when it is taken.
//
//   GraphBuilder builder;
//   builder.Enter(0, "aio", 7, "do_syscall_64", 1000);
//   builder.Exit(0, 7, 1500);
//   Graph graph = builder.Take();
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/trace/call_tree.h"
#include "sim/trace/call_tree_events.h"

namespace kpath {

class GraphBuilder : public CallEvents {
 public:
  // `name` is a literal, or lives as long as this. A task's `comm` is what it is called first.
  void Enter(int cpu, absl::string_view comm, int pid, absl::string_view name,
             int64_t time_ns) override;
  void Exit(int cpu, int pid, int64_t time_ns) override;

  // Remarks are no calls: a graph does not keep them.
  void Annotate(int /*cpu*/, int /*pid*/, absl::string_view /*text*/) override {}

  // The graph so far; the builder is then as new. Calls still open are marked as not returned.
  Graph Take();

 private:
  struct Event {
    const char* name;  // null: the innermost open call returns
    int64_t time_ns;
    uint32_t task;  // index into tasks_
    uint16_t name_size;
    int16_t cpu;
  };
  struct Task {
    std::string comm;
    int pid;
  };
  static constexpr size_t kEventsOfChunk = 4096;

  void Keep(const Event& event);

  std::vector<std::vector<Event>> chunks_;  // all but the last are full
  std::vector<Task> tasks_;
  std::map<TaskKey, uint32_t> task_index_;
  TaskKey last_key_ = {};
  uint32_t last_task_ = 0;  // of last_key_, once there is one
};

}  // namespace kpath
