// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/call_tree_builder.h"

namespace kpath {

void GraphBuilder::Enter(int cpu, absl::string_view comm, int pid, absl::string_view name,
                         int64_t time_ns) {
  const TaskKey key = MakeTaskKey(pid, cpu);
  auto task = tasks_.find(key);
  if (task == tasks_.end()) task = tasks_.emplace(key, assembler_.AddTask(comm, pid, cpu)).first;

  CallEntry entry;
  entry.name = name;
  entry.cpu = cpu;
  entry.order = ++entries_;
  entry.start_ns = time_ns;
  entry.interrupt = IsInterruptEntry(name);
  assembler_.Enter(task->second, entry);
}

void GraphBuilder::Exit(int cpu, int pid, int64_t time_ns) {
  const auto task = tasks_.find(MakeTaskKey(pid, cpu));
  if (task == tasks_.end() || task->second.frames.empty()) return;
  assembler_.Exit(task->second, time_ns - assembler_.Innermost(task->second).start_ns);
}

Graph GraphBuilder::Take() {
  tasks_.clear();
  entries_ = 0;
  return assembler_.Take();
}

}  // namespace kpath
