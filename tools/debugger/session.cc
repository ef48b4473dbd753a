// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/session.h"

#include <cstdio>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tools/debugger/changes.h"

namespace kpath::debugger {

Session::Session(Timeline& the_timeline, SessionOptions the_options)
    : timeline(the_timeline), options(std::move(the_options)) {}

std::string Session::Strong(absl::string_view text) const {
  return options.color ? absl::StrCat("\033[1m", text, "\033[0m") : std::string(text);
}

std::string Session::Dim(absl::string_view text) const {
  return options.color ? absl::StrCat("\033[2m", text, "\033[0m") : std::string(text);
}

// ---- Commands ----

absl::Status Session::Execute(absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  if (line.empty() || line[0] == '#') return absl::OkStatus();
  // "x/8gx $rsp", "print/x 1": what is behind the slash belongs to the arguments.
  size_t end = 0;
  while (end < line.size() && (absl::ascii_isalnum(static_cast<unsigned char>(line[end])) ||
                               line[end] == '-' || line[end] == '_')) {
    ++end;
  }
  if (end == 0) {
    return absl::InvalidArgumentError(absl::StrCat("expected a command, not '", line, "'"));
  }
  const absl::StatusOr<const Command*> command = FindCommand(line.substr(0, end));
  if (!command.ok()) return command.status();
  absl::Status status = (*command)->run(*this, absl::StripAsciiWhitespace(line.substr(end)));
  return status.ok() ? WriteDown(line) : status;
}

absl::Status Session::WriteDown(absl::string_view line) const {
  if (record_file.empty() || absl::StartsWith(line, "record")) return absl::OkStatus();
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(record_file.c_str(), "a"),
                                                   std::fclose);
  if (file == nullptr || std::fputs(absl::StrCat(line, "\n").c_str(), file.get()) < 0) {
    return absl::UnavailableError(absl::StrCat("cannot write to ", record_file));
  }
  return absl::OkStatus();
}

// ---- Looking ----

LookRequest Session::MakeLookRequest(std::vector<std::string> words) const {
  LookRequest request;
  request.words = std::move(words);
  request.pid = selection.pid;
  request.frame = selection.frame;
  request.width = options.width;
  request.pretty = pretty;
  request.sources = options.sources;
  return request;
}

absl::StatusOr<std::string> Session::Look(std::vector<std::string> words) const {
  return timeline.Look(MakeLookRequest(std::move(words)));
}

absl::StatusOr<Here> Session::WhereIs() const { return timeline.WhereIs(MakeLookRequest({})); }

absl::Status Session::Show(std::vector<std::string> words) {
  const absl::StatusOr<std::string> text = Look(std::move(words));
  if (!text.ok()) return text.status();
  Print(*text);
  if (!text->empty() && text->back() != '\n') Print("\n");
  return absl::OkStatus();
}

absl::StatusOr<std::string> Session::Expand(absl::string_view expression) const {
  std::string expanded;
  for (size_t at = 0; at < expression.size();) {
    if (expression[at] != '$') {
      expanded += expression[at++];
      continue;
    }
    size_t end = at + 1;
    while (end < expression.size() &&
           absl::ascii_isalnum(static_cast<unsigned char>(expression[end]))) {
      ++end;
    }
    const absl::string_view name = expression.substr(at + 1, end - at - 1);
    size_t number = history.size();  // a plain $ is the last one
    if (!name.empty() && !absl::SimpleAtoi(name, &number)) {
      absl::StrAppend(&expanded, "$", name);  // a register
    } else if (number < 1 || number > history.size()) {
      return absl::NotFoundError(absl::StrCat("there is no value $", name, " yet"));
    } else {
      absl::StrAppend(&expanded, "(", history[number - 1], ")");
    }
    at = end;
  }
  return expanded;
}

// "function (arguments) at file:line" in two lines if it does not fit, as gdb breaks it.
std::string Session::Fold(absl::string_view line) const {
  const auto width = static_cast<size_t>(options.width);
  const size_t at = line.find(") at ");
  const bool has_step = absl::StrContains(line, '"');
  if (width < 8 || line.size() <= width + 1 || at == absl::string_view::npos || has_step) {
    return std::string(line);
  }
  return absl::StrCat(line.substr(0, at + 1), "\n    ", line.substr(at + 2));
}

// A line that fits on the screen.
std::string Session::Cut(absl::string_view line) const {
  const auto width = static_cast<size_t>(options.width);
  if (width < 8 || line.size() <= width) return std::string(line);
  return absl::StrCat(line.substr(0, width - 2), " …\n");
}

// ---- Moving ----

StopPlan Session::PlanWith(const Stepping& stepping) const {
  StopPlan plan;
  plan.stepping = stepping;
  for (const auto& [id, one] : breakpoints) {
    if (one.enabled) plan.breakpoints.push_back(one.breakpoint);
  }
  return plan;
}

absl::StatusOr<RunResult> Session::RunOnce(Direction direction, const StopPlan& plan) {
  return direction == Direction::kForward ? timeline.Forward(plan) : timeline.Backward(plan);
}

absl::Status Session::CheckCanMove(Direction direction) const {
  if (direction == Direction::kBackward || !timeline.ended()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "the run has ended; run begins it again, and the reverse- commands go back");
}

absl::Status Session::Move(Direction direction, const Stepping& stepping, int times, bool changes) {
  if (absl::Status can = CheckCanMove(direction); !can.ok()) return can;
  absl::StatusOr<std::string> before = std::string();
  if (changes) before = Look({"changes"});
  Stepping step = stepping;
  const StopPlan plan = PlanWith(step);
  absl::StatusOr<RunResult> result = RunOnce(direction, plan);
  for (int i = 1; i < times && result.ok() && result->stop.has_value(); ++i) {
    if (step.mode != Stepping::Mode::kNone && !result->stop->hits.empty()) break;
    result = RunOnce(direction, plan);
  }
  if (!result.ok()) return result.status();
  return Finish(direction, *result, before.ok() ? *before : "");
}

absl::Status Session::MoveTo(Direction direction, const Breakpoint& place) {
  if (absl::Status can = CheckCanMove(direction); !can.ok()) return can;
  StopPlan plan = PlanWith({});
  plan.breakpoints.push_back(place);
  absl::StatusOr<RunResult> result = RunOnce(direction, plan);
  if (!result.ok()) return result.status();
  return Finish(direction, *result, "");
}

absl::Status Session::GoTo(uint64_t position) {
  const absl::StatusOr<RunResult> result = timeline.GoTo(position);
  if (!result.ok()) return result.status();
  return Finish(Direction::kForward, *result, "");
}

void Session::ShowHits(const RunResult& result) {
  if (!result.stop.has_value()) return;
  for (const Hit& hit : result.stop->hits) {
    const auto found = breakpoints.find(hit.id);
    if (found == breakpoints.end()) continue;
    UserBreakpoint& one = found->second;
    ++one.hits;
    if (one.breakpoint.kind == Breakpoint::Kind::kWatch) {
      Print(absl::StrCat("\n", Strong(absl::StrCat("Watchpoint ", hit.id, ": ", one.shown)),
                         "\n\nOld value = ", hit.old_value, "\nNew value = ", hit.new_value, "\n"));
    } else {
      Print(
          absl::StrCat("\n",
                       Strong(absl::StrCat(one.temporary ? "Temporary breakpoint " : "Breakpoint ",
                                           hit.id, ", ", one.shown)),
                       "\n"));
    }
    if (one.temporary) breakpoints.erase(found);
  }
}

absl::Status Session::Finish(Direction direction, const RunResult& result,
                             const std::string& before) {
  selection = {};
  if (options.moved) options.moved();
  ShowHits(result);
  if (result.interrupted) Print("Interrupted.\n");
  if (direction == Direction::kBackward && !result.stop.has_value() && !result.interrupted) {
    Print("No more reverse-execution history.\n");
  }
  const absl::StatusOr<std::string> call = Look({"call"});
  const absl::StatusOr<std::string> where = Look({"where"});
  if (!call.ok()) return call.status();
  if (!where.ok()) return where.status();
  // Once for all that happens in it.
  if (*call != std::exchange(last_call_, *call)) Print(Cut(*call));
  const std::pair<absl::string_view, absl::string_view> lines =
      absl::StrSplit(*where, absl::MaxSplits('\n', 1));
  Print(absl::StrCat(Dim(lines.first), "\n", Fold(lines.second)));
  if (!before.empty()) {
    const absl::StatusOr<std::string> after = Look({"changes"});
    if (after.ok()) Print(DescribeChanges(before, *after));
  }
  for (const auto& [id, display] : displays) {
    const absl::StatusOr<std::string> value = Look({"print", display.format, display.expression});
    Print(absl::StrCat(
        id, ": ", display.format, display.format.empty() ? "" : " ", display.expression, " = ",
        value.ok() ? *value : absl::StrCat("<", value.status().message(), ">"), "\n"));
  }
  return absl::OkStatus();
}

absl::Status Session::ShowStop() {
  RunResult result;
  result.position = timeline.position();
  const Selection kept = selection;
  absl::Status status = Finish(Direction::kForward, result, "");
  selection = kept;
  return status;
}

}  // namespace kpath::debugger
