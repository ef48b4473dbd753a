// SPDX-License-Identifier: Apache-2.0
//
// Tasks told apart without marks: finish_task_switch begins the part of another task, see
// graph_reader.h.
#include <algorithm>
#include <cstdlib>
#include <deque>
#include <limits>
#include <map>
#include <tuple>

#include "sim/trace/graph_reader_tasks.h"

namespace kpath {
namespace {

using Kind = GraphLine::Kind;

bool IsCall(const GraphLine& line) { return line.kind == Kind::kEnter || line.kind == Kind::kLeaf; }

// What is seen of a task between one switch and the next.
struct Segment {
  // The lines that close calls opened before the segment, innermost first.
  std::vector<const GraphLine*> closings;
};

// The lines that begin a segment, by index.
std::map<size_t, Segment> FindSegments(const std::vector<GraphLine>& lines) {
  struct Walk {
    Segment* segment = nullptr;
    size_t depth = 0;                     // calls open from before the segment and not yet closed
    const GraphLine* previous = nullptr;  // the line before on this CPU
  };
  std::map<size_t, Segment> segments;
  std::map<int, Walk> walks;  // by CPU
  for (size_t index = 0; index < lines.size(); ++index) {
    const GraphLine& line = lines[index];
    if (!IsCall(line) && line.kind != Kind::kExit) continue;
    Walk& walk = walks[line.cpu];
    const bool in_new_task = walk.previous != nullptr && walk.previous->kind == Kind::kEnter &&
                             walk.previous->name == "schedule_tail";
    walk.previous = &line;
    if (IsCall(line) &&
        (line.name == "schedule_tail" || (line.name == "finish_task_switch" && !in_new_task))) {
      walk.segment = &segments[index];
      walk.depth = line.depth;
    } else if (line.kind == Kind::kExit && walk.segment != nullptr &&
               line.depth + 1 == walk.depth) {
      walk.segment->closings.push_back(&line);
      walk.depth = line.depth;
    }
  }
  return segments;
}

// A task with the times, on the clock that its CPU's durations make, at which its open calls were
// entered: kUnknownTime for a call opened before the recording began.
struct TimedTask : ReaderTask {
  std::vector<int64_t> entered_ns;
  uint64_t left_at = 0;  // rank of the switch away from it
};

// How well a task fits a segment; a greater one fits better.
struct Fit {
  int names = -1;  // how many of the calls closed are known to be open; -1: it does not fit
  int64_t minus_misfit_ns = std::numeric_limits<int64_t>::min();
  uint64_t left_at = 0;

  bool operator>(const Fit& other) const {
    return std::tie(names, minus_misfit_ns, left_at) >
           std::tie(other.names, other.minus_misfit_ns, other.left_at);
  }
};

class UnmarkedTasks : public TaskSplitter {
 public:
  UnmarkedTasks(const std::vector<GraphLine>& lines, GraphAssembler* assembler)
      : lines_(lines), assembler_(assembler), segments_(FindSegments(lines)) {}

  ReaderTask* TaskOf(size_t index) override;

 private:
  struct CpuState {
    std::deque<TimedTask> tasks;
    TimedTask* current = nullptr;
    int64_t clock_ns = 0;  // the time that the durations so far account for
  };

  TimedTask* Add(CpuState& cpu, const GraphLine& line);
  TimedTask* Resumed(CpuState& cpu, size_t index);
  Fit FitOf(const TimedTask& task, size_t index, int64_t clock_ns) const;
  static void KeepTime(CpuState& cpu, const GraphLine& line);

  const std::vector<GraphLine>& lines_;
  GraphAssembler* const assembler_;
  const std::map<size_t, Segment> segments_;
  std::map<int, CpuState> cpus_;
  uint64_t switches_ = 0;
};

ReaderTask* UnmarkedTasks::TaskOf(size_t index) {
  const GraphLine& line = lines_[index];
  CpuState& cpu = cpus_[line.cpu];
  if (line.kind == Kind::kLostEvents) {
    for (TimedTask& task : cpu.tasks) task.Forget();
    cpu.current = nullptr;
    return nullptr;
  }
  if (segments_.contains(index)) {
    if (cpu.current != nullptr) cpu.current->left_at = ++switches_;
    cpu.current = Resumed(cpu, index);
  }
  if (cpu.current == nullptr) cpu.current = Add(cpu, line);
  KeepTime(cpu, line);
  return cpu.current;
}

TimedTask* UnmarkedTasks::Add(CpuState& cpu, const GraphLine& line) {
  cpu.tasks.emplace_back();
  cpu.tasks.back().open = assembler_->AddTask("", -1, line.cpu);
  return &cpu.tasks.back();
}

// The task that goes on at lines_[index]; nullptr if none is known.
TimedTask* UnmarkedTasks::Resumed(CpuState& cpu, size_t index) {
  if (lines_[index].name == "schedule_tail") return nullptr;  // a new task's first call
  TimedTask* best = nullptr;
  Fit best_fit;
  for (TimedTask& task : cpu.tasks) {
    if (&task == cpu.current) continue;  // nobody is switched to from himself
    const Fit fit = FitOf(task, index, cpu.clock_ns);
    if (fit.names < 0 || !(fit > best_fit)) continue;
    best = &task;
    best_fit = fit;
  }
  return best;
}

Fit UnmarkedTasks::FitOf(const TimedTask& task, size_t index, int64_t clock_ns) const {
  Fit fit;
  size_t frame = lines_[index].depth;
  if (task.is_fresh || task.open.frames.size() != frame) return fit;
  int names = 0;
  for (const GraphLine* closing : segments_.at(index).closings) {
    const std::string& open = assembler_->FrameName(task.open, --frame);
    if (open.empty() || closing->name.empty()) continue;
    if (open != closing->name) return fit;
    ++names;
  }
  fit.names = names;
  fit.left_at = task.left_at;

  if (segments_.at(index).closings.empty() || task.entered_ns.empty()) return fit;
  const int64_t duration_ns = segments_.at(index).closings.front()->duration_ns;
  const int64_t entered_ns = task.entered_ns.back();
  if (duration_ns == kUnknownTime || entered_ns == kUnknownTime) return fit;
  fit.minus_misfit_ns = -std::abs(entered_ns + duration_ns - clock_ns);
  return fit;
}

// To be called before the line's call is entered into the task.
void UnmarkedTasks::KeepTime(CpuState& cpu, const GraphLine& line) {
  std::vector<int64_t>& entered_ns = cpu.current->entered_ns;
  if (IsCall(line)) {
    entered_ns.resize(line.depth, kUnknownTime);
    if (line.kind == Kind::kEnter) entered_ns.push_back(cpu.clock_ns);
    if (line.kind == Kind::kLeaf) cpu.clock_ns += std::max<int64_t>(0, line.duration_ns);
  } else if (line.kind == Kind::kExit) {
    entered_ns.resize(line.depth + 1, kUnknownTime);
    const int64_t entered = entered_ns.back();
    entered_ns.pop_back();
    if (entered == kUnknownTime || line.duration_ns == kUnknownTime) return;
    cpu.clock_ns = std::max(cpu.clock_ns, entered + line.duration_ns);
  }
}

}  // namespace

std::unique_ptr<TaskSplitter> SplitUnmarkedTasks(const std::vector<GraphLine>& lines,
                                                 GraphAssembler* assembler) {
  return std::make_unique<UnmarkedTasks>(lines, assembler);
}

}  // namespace kpath
