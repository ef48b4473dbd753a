// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/graph_reader.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sim/trace/call_tree_assembler.h"
#include "sim/trace/graph_reader_file.h"
#include "sim/trace/graph_reader_line.h"
#include "sim/trace/graph_reader_tasks.h"

namespace kpath {
namespace {

using Kind = GraphLine::Kind;

class GraphReader {
 public:
  explicit GraphReader(absl::string_view file) : file_(file) {}

  absl::StatusOr<Graph> Read(absl::string_view text);

 private:
  absl::Status ParseLines(absl::string_view text);
  absl::Status Apply(const GraphLine& line, ReaderTask& task);
  absl::Status Enter(const GraphLine& line, ReaderTask& task);
  absl::Status Exit(const GraphLine& line, ReaderTask& task);
  void AdoptDepth(const GraphLine& line, ReaderTask& task);
  absl::Status WrongDepth(const GraphLine& line, const ReaderTask& task) const;
  absl::Status Error(uint32_t line, int column, absl::string_view message) const;

  const absl::string_view file_;
  std::vector<GraphLine> lines_;
  bool has_tracer_header_ = false;
  GraphAssembler assembler_;
  std::map<int, bool> interrupt_begins_;  // by CPU: an interrupt mark was the last line
};

absl::StatusOr<Graph> GraphReader::Read(absl::string_view text) {
  if (absl::Status status = ParseLines(text); !status.ok()) return status;
  const std::unique_ptr<TaskSplitter> tasks = TasksAreMarked(lines_, has_tracer_header_)
                                                  ? SplitMarkedTasks(lines_, &assembler_)
                                                  : SplitUnmarkedTasks(lines_, &assembler_);
  for (size_t index = 0; index < lines_.size(); ++index) {
    ReaderTask* task = tasks->TaskOf(index);
    if (task == nullptr) continue;
    if (absl::Status status = Apply(lines_[index], *task); !status.ok()) return status;
  }
  return assembler_.Take();
}

absl::Status GraphReader::ParseLines(absl::string_view text) {
  uint32_t number = 0;
  for (absl::string_view part : absl::StrSplit(text, '\n')) {
    GraphLine line;
    GraphLineError error;
    ++number;
    if (!ParseGraphLine(part, &line, &error)) return Error(number, error.column, error.message);
    if (absl::StartsWith(part, "# tracer: function_graph")) has_tracer_header_ = true;
    line.number = number;
    if (line.kind != Kind::kNothing) lines_.push_back(line);
  }
  return absl::OkStatus();
}

absl::Status GraphReader::Apply(const GraphLine& line, ReaderTask& task) {
  switch (line.kind) {
    case Kind::kInterruptBegin:
      interrupt_begins_[line.cpu] = true;
      return absl::OkStatus();
    case Kind::kEnter:
      return Enter(line, task);
    case Kind::kLeaf:
      if (absl::Status status = Enter(line, task); !status.ok()) return status;
      assembler_.Exit(task.open, line.duration_ns);
      return absl::OkStatus();
    case Kind::kExit:
      return Exit(line, task);
    default:
      return absl::OkStatus();
  }
}

absl::Status GraphReader::Enter(const GraphLine& line, ReaderTask& task) {
  AdoptDepth(line, task);
  if (task.open.frames.size() != line.depth) return WrongDepth(line, task);
  CallEntry entry;
  entry.name = line.name;
  entry.cpu = line.cpu;
  entry.order = line.number;
  entry.start_ns = line.time_ns;
  entry.interrupt =
      std::exchange(interrupt_begins_[line.cpu], false) || IsInterruptEntry(line.name);
  assembler_.Enter(task.open, entry);
  return absl::OkStatus();
}

absl::Status GraphReader::Exit(const GraphLine& line, ReaderTask& task) {
  AdoptDepth(line, task);
  if (task.open.frames.size() != line.depth + 1) return WrongDepth(line, task);
  const std::string& open = assembler_.InnermostName(task.open);
  if (open.empty()) {
    assembler_.NameInnermost(task.open, line.name);
  } else if (!line.name.empty() && line.name != open) {
    return Error(line.number, line.column,
                 absl::StrCat("'} /* ", line.name, " */' closes another function, expected ", open,
                              ", entered in line ", assembler_.Innermost(task.open).order));
  }
  assembler_.Exit(task.open, line.duration_ns);
  return absl::OkStatus();
}

// The first line of a task shows how many calls it had open before the recording began.
void GraphReader::AdoptDepth(const GraphLine& line, ReaderTask& task) {
  if (!std::exchange(task.is_fresh, false)) return;
  const size_t depth = line.kind == Kind::kExit ? line.depth + 1 : line.depth;
  while (task.open.frames.size() < depth) assembler_.EnterUnseen(task.open, line.cpu);
}

absl::Status GraphReader::WrongDepth(const GraphLine& line, const ReaderTask& task) const {
  const size_t open = task.open.frames.size();
  if (line.kind == Kind::kExit && open == 0) {
    return Error(line.number, line.column, "'}' closes nothing, expected a call");
  }
  const size_t expected = line.kind == Kind::kExit ? open - 1 : open;
  std::string inside = open == 0
                           ? "outside of all calls"
                           : absl::StrCat("inside ", assembler_.InnermostName(task.open), "()");
  return Error(line.number, line.column,
               absl::StrCat("indented by ", 2 * line.depth, " spaces, expected ", 2 * expected,
                            " (", inside, ")"));
}

// A message may quote the input; what a terminal would act on is not printed.
absl::Status GraphReader::Error(uint32_t line, int column, absl::string_view message) const {
  std::string text = absl::StrCat(file_, ":", line, ":", column, ": ", message);
  std::replace_if(
      text.begin(), text.end(), [](char letter) { return absl::ascii_iscntrl(letter); }, '?');
  return absl::InvalidArgumentError(text);
}

}  // namespace

absl::StatusOr<Graph> ReadGraph(absl::string_view text, absl::string_view file) {
  return GraphReader(file).Read(text);
}

absl::StatusOr<Graph> LoadGraph(const std::string& path) {
  absl::StatusOr<std::string> text = ReadTextFile(path);
  if (!text.ok()) return text.status();
  return ReadGraph(*text, path);
}

}  // namespace kpath
