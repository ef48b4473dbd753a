// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/graph_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/trace/call_tree.h"

namespace kpath {
namespace {

constexpr absl::string_view kNoDuration = "              |  ";
constexpr absl::string_view kDashes = " ------------------------------------------\n";
constexpr absl::string_view kHeader =
    "# tracer: function_graph\n"
    "#\n"
    "# CPU  DURATION                  FUNCTION CALLS\n"
    "# |     |   |                     |   |   |   |\n";
constexpr absl::string_view kHeaderWithTasks =
    "# tracer: function_graph\n"
    "#\n"
    "# CPU  TASK/PID         DURATION                  FUNCTION CALLS\n"
    "# |     |    |           |   |                     |   |   |   |\n";

int Digits(int number) {
  int digits = 1;
  for (; number >= 10; number /= 10) ++digits;
  return digits;
}

char OverheadMark(int64_t duration_ns) {
  struct Mark {
    int64_t above_ns;
    char sign;
  };
  static constexpr Mark kMarks[] = {
      {1000000000, '$'}, {100000000, '@'}, {10000000, '*'},
      {1000000, '#'},    {100000, '!'},    {10000, '+'},
  };
  for (const Mark& mark : kMarks) {
    if (duration_ns > mark.above_ns) return mark.sign;
  }
  return ' ';
}

// Microseconds in at most 8 characters: decimals make room for digits, and go away with the
// seventh digit; then " us" and spaces up to the column's end.
std::string DurationColumn(int64_t duration_ns, bool overhead_mark) {
  std::string number = absl::StrCat(duration_ns / 1000);
  if (number.size() < 7) {
    const std::string decimals = absl::StrFormat("%03d", duration_ns % 1000);
    absl::StrAppend(&number, ".", decimals.substr(0, std::min<size_t>(3, 7 - number.size())));
  }
  const char mark = overhead_mark ? OverheadMark(duration_ns) : ' ';
  const size_t padding = number.size() < 8 ? 8 - number.size() : 0;
  return absl::StrCat(absl::string_view(&mark, 1), " ", number, " us ", std::string(padding, ' '),
                      "|  ");
}

// "comm-pid" with at most 7 characters of the name, in the middle of 14; "<...>" for a task whose
// name was not told yet.
std::string TaskColumn(absl::string_view comm, int pid) {
  if (comm.empty()) comm = "<...>";
  const std::string text = absl::StrCat(comm.substr(0, 7), "-", pid);
  const size_t spaces = text.size() < 14 ? 14 - text.size() : 0;
  return absl::StrCat(std::string(spaces / 2, ' '), text, std::string(spaces - spaces / 2, ' '));
}

}  // namespace

GraphWriter::GraphWriter(Sink sink, const GraphWriterOptions& options)
    : sink_(std::move(sink)),
      options_(options),
      cpu_width_(Digits(std::max(0, options.cpus - 1))) {}

void GraphWriter::Header() { sink_(options_.task_column ? kHeaderWithTasks : kHeader); }

void GraphWriter::Enter(int cpu, absl::string_view comm, int pid, absl::string_view name,
                        int64_t time_ns) {
  WriteHeldBack(cpu);
  Task& task = FindTask(pid, cpu);
  WriteHeldBack(task.held_back_on);
  task.comm = std::string(comm);
  task.open.push_back({std::string(name), time_ns});
  task.held_back_on = cpu;
  cpus_[cpu].held_back = &task;
}

void GraphWriter::Exit(int cpu, int pid, int64_t time_ns) {
  Task& task = FindTask(pid, cpu);
  if (task.open.empty()) return;
  const bool is_leaf = task.held_back_on == cpu;
  if (is_leaf) {
    cpus_[cpu].held_back = nullptr;
    task.held_back_on = kNotHeldBack;
  } else {
    WriteHeldBack(cpu);
    WriteHeldBack(task.held_back_on);
  }

  const OpenCall call = std::move(task.open.back());
  task.open.pop_back();
  MarkSwitch(cpu, task);
  if (is_leaf) WriteInterruptMark(cpu, task, call.name, "==========>");
  const std::string duration = DurationColumn(time_ns - call.start_ns, options_.overhead_marks);
  const std::string text = is_leaf                  ? absl::StrCat(call.name, "();\n")
                           : options_.closing_names ? absl::StrCat("} /* ", call.name, " */\n")
                                                    : "}\n";
  WriteCall(cpu, task, duration, task.open.size(), text);
  WriteInterruptMark(cpu, task, call.name, "<==========");
}

void GraphWriter::Annotate(int cpu, int pid, absl::string_view text) {
  WriteHeldBack(cpu);
  const Task& task = FindTask(pid, cpu);
  WriteHeldBack(task.held_back_on);
  MarkSwitch(cpu, task);
  WriteCall(cpu, task, kNoDuration, task.open.size(), absl::StrCat("/* ", text, " */\n"));
}

void GraphWriter::Finish() {
  for (const auto& [cpu, state] : cpus_) WriteHeldBack(cpu);
}

GraphWriter::Task& GraphWriter::FindTask(int pid, int cpu) {
  Task& task = tasks_[MakeTaskKey(pid, cpu)];
  task.pid = pid;
  return task;
}

void GraphWriter::WriteHeldBack(int cpu) {
  const auto state = cpus_.find(cpu);
  if (state == cpus_.end() || state->second.held_back == nullptr) return;
  Task* task = std::exchange(state->second.held_back, nullptr);
  task->held_back_on = kNotHeldBack;
  const OpenCall& call = task->open.back();
  MarkSwitch(cpu, *task);
  WriteInterruptMark(cpu, *task, call.name, "==========>");
  WriteCall(cpu, *task, kNoDuration, task->open.size() - 1, absl::StrCat(call.name, "() {\n"));
}

void GraphWriter::MarkSwitch(int cpu, const Task& task) {
  const Task* before = std::exchange(cpus_[cpu].shown, &task);
  if (before == nullptr || before == &task) return;
  sink_(absl::StrCat(kDashes, CpuColumn(cpu), TaskColumn(before->comm, before->pid), " => ",
                     TaskColumn(task.comm, task.pid), "\n", kDashes, "\n"));
}

void GraphWriter::WriteCall(int cpu, const Task& task, absl::string_view duration_column,
                            size_t depth, absl::string_view text) {
  sink_(absl::StrCat(LineStart(cpu, task), duration_column, std::string(2 * depth, ' '), text));
}

void GraphWriter::WriteInterruptMark(int cpu, const Task& task, absl::string_view name,
                                     absl::string_view arrow) {
  if (!IsInterruptEntry(name)) return;
  sink_(absl::StrCat(LineStart(cpu, task), "  ", arrow, " |\n"));
}

std::string GraphWriter::LineStart(int cpu, const Task& task) const {
  if (!options_.task_column) return CpuColumn(cpu);
  return absl::StrCat(CpuColumn(cpu), TaskColumn(task.comm, task.pid), " | ");
}

std::string GraphWriter::CpuColumn(int cpu) const {
  return absl::StrFormat(" %*d) ", cpu_width_, cpu);
}

}  // namespace kpath
