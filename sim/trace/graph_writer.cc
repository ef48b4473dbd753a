// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/graph_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
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

// Decimal, with `pad` in front up to `width` characters.
void AppendNumber(std::string& line, int64_t number, int width = 0, char pad = ' ') {
  char digits[20];
  char* const end = digits + sizeof(digits);
  char* begin = end;
  do {
    *--begin = static_cast<char>('0' + number % 10);
    number /= 10;
  } while (number != 0);
  if (width > end - begin) line.append(static_cast<size_t>(width - (end - begin)), pad);
  line.append(begin, end);
}

// Microseconds in at most 8 characters: decimals make room for digits, and go away with the
// seventh digit; then " us" and spaces up to the column's end.
void AppendDuration(std::string& line, int64_t duration_ns, bool overhead_mark) {
  line += overhead_mark ? OverheadMark(duration_ns) : ' ';
  line += ' ';
  const size_t begin = line.size();
  AppendNumber(line, duration_ns / 1000);
  const size_t digits = line.size() - begin;
  if (digits < 7) {
    line += '.';
    AppendNumber(line, duration_ns % 1000, 3, '0');
    line.resize(begin + digits + 1 + std::min<size_t>(3, 7 - digits));
  }
  const size_t width = line.size() - begin;
  line += " us ";
  if (width < 8) line.append(8 - width, ' ');
  line += "|  ";
}

// "comm-pid" with at most 7 characters of the name, in the middle of 14; "<...>" for a task whose
// name was not told yet.
void AppendTask(std::string& line, absl::string_view comm, int pid) {
  if (comm.empty()) comm = "<...>";
  comm = comm.substr(0, 7);
  const size_t width = comm.size() + 1 + static_cast<size_t>(Digits(pid));
  const size_t spaces = width < 14 ? 14 - width : 0;
  line.append(spaces / 2, ' ');
  line.append(comm.data(), comm.size());
  line += '-';
  AppendNumber(line, pid);
  line.append(spaces - spaces / 2, ' ');
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
  task.comm.assign(comm.data(), comm.size());
  if (task.open.size() == task.depth) task.open.emplace_back();
  OpenCall& call = task.open[task.depth++];
  call.name.assign(name.data(), name.size());
  call.start_ns = time_ns;
  call.interrupt = IsInterruptEntry(name);
  task.held_back_on = cpu;
  cpus_[cpu].held_back = &task;
}

void GraphWriter::Exit(int cpu, int pid, int64_t time_ns) {
  Task& task = FindTask(pid, cpu);
  if (task.depth == 0) return;
  const bool is_leaf = task.held_back_on == cpu;
  if (is_leaf) {
    cpus_[cpu].held_back = nullptr;
    task.held_back_on = kNotHeldBack;
  } else {
    WriteHeldBack(cpu);
    WriteHeldBack(task.held_back_on);
  }

  const OpenCall& call = task.open[--task.depth];  // stays as it is until the next Enter
  MarkSwitch(cpu, task);
  if (call.interrupt && is_leaf) WriteInterruptMark(cpu, task, "==========>");
  BeginLine(cpu, task);
  AppendDuration(line_, time_ns - call.start_ns, options_.overhead_marks);
  line_.append(2 * task.depth, ' ');
  if (is_leaf) {
    line_.append(call.name).append("();");
  } else if (options_.closing_names) {
    line_.append("} /* ").append(call.name).append(" */");
  } else {
    line_ += '}';
  }
  EndLine();
  if (call.interrupt) WriteInterruptMark(cpu, task, "<==========");
}

void GraphWriter::Annotate(int cpu, int pid, absl::string_view text) {
  WriteHeldBack(cpu);
  const Task& task = FindTask(pid, cpu);
  WriteHeldBack(task.held_back_on);
  MarkSwitch(cpu, task);
  BeginLine(cpu, task);
  line_.append(kNoDuration.data(), kNoDuration.size());
  line_.append(2 * task.depth, ' ');
  absl::StrAppend(&line_, "/* ", text, " */");
  EndLine();
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
  const OpenCall& call = task->open[task->depth - 1];
  MarkSwitch(cpu, *task);
  if (call.interrupt) WriteInterruptMark(cpu, *task, "==========>");
  BeginLine(cpu, *task);
  line_.append(kNoDuration.data(), kNoDuration.size());
  line_.append(2 * (task->depth - 1), ' ');
  line_.append(call.name).append("() {");
  EndLine();
}

void GraphWriter::MarkSwitch(int cpu, const Task& task) {
  const Task* before = std::exchange(cpus_[cpu].shown, &task);
  if (before == nullptr || before == &task) return;
  line_.assign(kDashes.data(), kDashes.size());
  AppendCpu(cpu);
  AppendTask(line_, before->comm, before->pid);
  line_ += " => ";
  AppendTask(line_, task.comm, task.pid);
  absl::StrAppend(&line_, "\n", kDashes);
  EndLine();
}

void GraphWriter::WriteInterruptMark(int cpu, const Task& task, absl::string_view arrow) {
  BeginLine(cpu, task);
  absl::StrAppend(&line_, "  ", arrow, " |");
  EndLine();
}

void GraphWriter::BeginLine(int cpu, const Task& task) {
  line_.clear();
  AppendCpu(cpu);
  if (!options_.task_column) return;
  AppendTask(line_, task.comm, task.pid);
  line_ += " | ";
}

void GraphWriter::EndLine() {
  line_ += '\n';
  sink_(line_);
}

void GraphWriter::AppendCpu(int cpu) {
  line_ += ' ';
  AppendNumber(line_, cpu, cpu_width_);
  line_ += ") ";
}

}  // namespace kpath
