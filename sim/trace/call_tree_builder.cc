// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/call_tree_builder.h"

#include <utility>

#include "sim/trace/call_tree_assembler.h"

namespace kpath {

void GraphBuilder::Keep(const Event& event) {
  if (chunks_.empty() || chunks_.back().size() == kEventsOfChunk) {
    chunks_.emplace_back().reserve(kEventsOfChunk);
  }
  chunks_.back().push_back(event);
}

void GraphBuilder::Enter(int cpu, absl::string_view comm, int pid, absl::string_view name,
                         int64_t time_ns) {
  const TaskKey key = MakeTaskKey(pid, cpu);
  if (tasks_.empty() || key != last_key_) {
    const auto [found, is_new] = task_index_.emplace(key, static_cast<uint32_t>(tasks_.size()));
    if (is_new) tasks_.push_back({std::string(comm), pid});
    last_key_ = key;
    last_task_ = found->second;
  }
  Keep({name.data(), time_ns, last_task_, static_cast<uint16_t>(name.size()),
        static_cast<int16_t>(cpu)});
}

void GraphBuilder::Exit(int cpu, int pid, int64_t time_ns) {
  const TaskKey key = MakeTaskKey(pid, cpu);
  uint32_t task = last_task_;
  if (tasks_.empty() || key != last_key_) {
    const auto found = task_index_.find(key);
    if (found == task_index_.end()) return;
    task = found->second;
  }
  Keep({nullptr, time_ns, task, 0, static_cast<int16_t>(cpu)});
}

Graph GraphBuilder::Take() {
  GraphAssembler assembler;
  std::vector<OpenCalls> open;  // by task; a task's first event is an entry
  uint32_t entries = 0;
  for (std::vector<Event>& chunk : chunks_) {
    for (const Event& event : chunk) {
      if (event.name != nullptr) {
        const Task& task = tasks_[event.task];
        if (event.task == open.size()) {
          open.push_back(assembler.AddTask(task.comm, task.pid, event.cpu));
        }
        const absl::string_view name(event.name, event.name_size);
        assembler.Enter(open[event.task], {.name = name,
                                           .cpu = event.cpu,
                                           .order = ++entries,
                                           .start_ns = event.time_ns,
                                           .interrupt = IsInterruptEntry(name)});
      } else if (!open[event.task].frames.empty()) {
        OpenCalls& calls = open[event.task];
        assembler.Exit(calls, event.time_ns - assembler.Innermost(calls).start_ns);
      }
    }
    chunk = {};
  }
  *this = GraphBuilder();
  return assembler.Take();
}

}  // namespace kpath
