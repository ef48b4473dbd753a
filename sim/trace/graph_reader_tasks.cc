// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/graph_reader_tasks.h"

#include <algorithm>
#include <deque>
#include <map>

#include "sim/trace/call_tree_events.h"

namespace kpath {
namespace {

using Kind = GraphLine::Kind;

class MarkedTasks : public TaskSplitter {
 public:
  MarkedTasks(const std::vector<GraphLine>& lines, GraphAssembler* assembler)
      : lines_(lines), assembler_(assembler) {}

  ReaderTask* TaskOf(size_t index) override;

 private:
  ReaderTask* Named(const GraphTask& task, int cpu);
  ReaderTask* Add(const GraphTask& task, int cpu);
  void Switch(const GraphLine& line);
  void LoseEvents(int cpu);

  const std::vector<GraphLine>& lines_;
  GraphAssembler* const assembler_;
  std::deque<ReaderTask> tasks_;
  std::map<TaskKey, ReaderTask*> by_key_;
  std::map<int, ReaderTask*> current_;  // by CPU
};

ReaderTask* MarkedTasks::TaskOf(size_t index) {
  const GraphLine& line = lines_[index];
  if (line.kind == Kind::kNothing) return nullptr;
  if (line.kind == Kind::kSwitch) {
    Switch(line);
    return nullptr;
  }
  if (line.kind == Kind::kLostEvents) {
    LoseEvents(line.cpu);
    return nullptr;
  }
  ReaderTask*& current = current_[line.cpu];
  if (line.has_task_column) current = Named(line.task, line.cpu);
  if (current == nullptr) current = Add(GraphTask(), line.cpu);
  current->last_cpu = line.cpu;
  return current;
}

ReaderTask* MarkedTasks::Named(const GraphTask& task, int cpu) {
  ReaderTask*& found = by_key_[MakeTaskKey(task.pid, cpu)];
  if (found == nullptr) found = Add(task, cpu);
  return found;
}

ReaderTask* MarkedTasks::Add(const GraphTask& task, int cpu) {
  tasks_.emplace_back();
  tasks_.back().open = assembler_->AddTask(task.comm, task.pid, cpu);
  return &tasks_.back();
}

// The first mark on a CPU also tells who wrote the lines before it.
void MarkedTasks::Switch(const GraphLine& line) {
  ReaderTask*& current = current_[line.cpu];
  ReaderTask*& previous = by_key_[MakeTaskKey(line.previous.pid, line.cpu)];
  if (previous == nullptr && current != nullptr) {
    Stream& stream = assembler_->stream(current->open.stream);
    if (stream.pid < 0) {
      stream.pid = line.previous.pid;
      stream.comm = std::string(line.previous.comm);
      previous = current;
    }
  }
  current = Named(line.task, line.cpu);
}

void MarkedTasks::LoseEvents(int cpu) {
  for (ReaderTask& task : tasks_) {
    if (task.last_cpu == cpu) task.Forget();
  }
}

}  // namespace

bool TasksAreMarked(const std::vector<GraphLine>& lines, bool has_tracer_header) {
  return has_tracer_header || std::any_of(lines.begin(), lines.end(), [](const GraphLine& line) {
           return line.kind == Kind::kSwitch || line.has_task_column;
         });
}

std::unique_ptr<TaskSplitter> SplitMarkedTasks(const std::vector<GraphLine>& lines,
                                               GraphAssembler* assembler) {
  return std::make_unique<MarkedTasks>(lines, assembler);
}

}  // namespace kpath
