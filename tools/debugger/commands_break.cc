// SPDX-License-Identifier: Apache-2.0
//
// The commands for breakpoints and watchpoints.
#include <functional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "inspect/expression.h"
#include "tools/debugger/command_table.h"
#include "tools/debugger/locations.h"
#include "tools/debugger/session.h"

namespace kpath::debugger {
namespace {

// "LOCATION if EXPR" in two; the condition may be missing.
std::pair<absl::string_view, absl::string_view> SplitCondition(absl::string_view text) {
  if (absl::StartsWith(text, "if ")) return {"", text.substr(3)};
  const size_t at = text.find(" if ");
  if (at == absl::string_view::npos) return {text, ""};
  return {absl::StripAsciiWhitespace(text.substr(0, at)),
          absl::StripAsciiWhitespace(text.substr(at + 4))};
}

absl::StatusOr<std::string> CheckCondition(Session& session, absl::string_view condition) {
  if (condition.empty()) return std::string();
  absl::StatusOr<std::string> expanded = session.Expand(condition);
  if (!expanded.ok()) return expanded;
  if (const auto parsed = ParseExpression(*expanded); !parsed.ok()) return parsed.status();
  return expanded;
}

int Add(Session& session, UserBreakpoint one) {
  const int id = ++session.last_number;
  one.breakpoint.id = id;
  session.breakpoints[id] = std::move(one);
  return id;
}

// Without a location: the place of the selected frame.
absl::StatusOr<Breakpoint> Locate(Session& session, absl::string_view location) {
  if (!location.empty()) return ParseLocation(location);
  const absl::StatusOr<Here> here = session.WhereIs();
  if (!here.ok()) return here.status();
  if (here->file.empty())
    return absl::FailedPreconditionError("no function to stop in is selected");
  return ParseLocation(absl::StrCat(here->file, ":", here->line));
}

absl::Status AddBreakpoint(Session& session, absl::string_view text, bool temporary) {
  const auto [location, condition] = SplitCondition(text);
  absl::StatusOr<Breakpoint> breakpoint = Locate(session, location);
  if (!breakpoint.ok()) return breakpoint.status();
  absl::StatusOr<std::string> checked = CheckCondition(session, condition);
  if (!checked.ok()) return checked.status();
  breakpoint->condition = *checked;
  UserBreakpoint one;
  one.breakpoint = *std::move(breakpoint);
  one.shown = DescribeLocation(one.breakpoint);
  one.temporary = temporary;
  const std::string shown = one.shown;
  const int id = Add(session, std::move(one));
  session.Print(
      absl::StrCat(temporary ? "Temporary breakpoint " : "Breakpoint ", id, ": ", shown, "\n"));
  return absl::OkStatus();
}

absl::Status Break(Session& session, absl::string_view text) {
  return AddBreakpoint(session, text, false);
}
absl::Status TemporaryBreak(Session& session, absl::string_view text) {
  return AddBreakpoint(session, text, true);
}

absl::Status Watch(Session& session, absl::string_view text) {
  // -l: the place that the expression means now, whatever it means later.
  const bool location =
      absl::ConsumePrefix(&text, "-l ") || absl::ConsumePrefix(&text, "-location ");
  const auto [written, condition] = SplitCondition(absl::StripAsciiWhitespace(text));
  if (written.empty()) return absl::InvalidArgumentError("expected an expression to watch");
  const absl::StatusOr<std::string> expanded = session.Expand(written);
  if (!expanded.ok()) return expanded.status();
  const absl::StatusOr<std::string> value = session.Look({"print", "", *expanded});
  if (!value.ok()) return value.status();
  const absl::StatusOr<std::string> bound =
      session.Look({location ? "location" : "bind", *expanded});
  if (!bound.ok()) return bound.status();
  absl::StatusOr<std::string> checked = CheckCondition(session, condition);
  if (!checked.ok()) return checked.status();
  UserBreakpoint one;
  one.breakpoint.kind = Breakpoint::Kind::kWatch;
  one.breakpoint.name = *bound;
  one.breakpoint.condition = *checked;
  one.shown = absl::StrCat(location ? "-l " : "", written);
  const int id = Add(session, std::move(one));
  session.Print(absl::StrCat("Watchpoint ", id, ": ", session.breakpoints[id].shown, "\n"));
  return absl::OkStatus();
}

// Calls `change` for each breakpoint of the numbers in `text`, or for all; nothing is changed if
// one of them does not exist.
absl::Status ForEach(Session& session, absl::string_view text,
                     const std::function<void(int id)>& change) {
  std::vector<int> ids;
  for (const absl::string_view word : absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    int id;
    if (!absl::SimpleAtoi(word, &id) || session.breakpoints.count(id) == 0) {
      return absl::NotFoundError(absl::StrCat("no breakpoint number ", word));
    }
    ids.push_back(id);
  }
  if (ids.empty()) {
    for (const auto& [id, one] : session.breakpoints) ids.push_back(id);
  }
  for (const int id : ids) change(id);
  return absl::OkStatus();
}

absl::Status Delete(Session& session, absl::string_view text) {
  return ForEach(session, text, [&](int id) { session.breakpoints.erase(id); });
}
absl::Status Enable(Session& session, absl::string_view text) {
  return ForEach(session, text, [&](int id) { session.breakpoints[id].enabled = true; });
}
absl::Status Disable(Session& session, absl::string_view text) {
  return ForEach(session, text, [&](int id) { session.breakpoints[id].enabled = false; });
}

absl::Status Condition(Session& session, absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(text, absl::MaxSplits(' ', 1));
  int id;
  if (!absl::SimpleAtoi(parts.first, &id) || session.breakpoints.count(id) == 0) {
    return absl::NotFoundError(absl::StrCat("no breakpoint number ", parts.first));
  }
  absl::StatusOr<std::string> checked =
      CheckCondition(session, absl::StripAsciiWhitespace(parts.second));
  if (!checked.ok()) return checked.status();
  session.breakpoints[id].breakpoint.condition = *checked;
  if (checked->empty()) {
    session.Print(absl::StrCat("Breakpoint ", id, " now stops always.\n"));
  }
  return absl::OkStatus();
}

}  // namespace

CommandGroup BreakpointCommands() {
  return {
      "Breakpoints",
      {
          {"break",
           {"b", "br"},
           "break [LOCATION] [if EXPR]",
           "Stop there each time, if the expression is true. A location is\n"
           "  io_submit_one           the entry of a function of the kernel\n"
           "  \"table lookup\"          a named step inside of one\n"
           "  fs_aio/submit.cc:120    a line of the model's source; its last part will do: "
           "submit.cc:120\n"
           "  entry_SYSCALL_64        an instruction, by the symbol it stands at; the stop is\n"
           "  *entry_SYSCALL_64+12    behind it\n"
           "  syscall io_submit       the first instruction of a system call, of any ABI\n"
           "  vector 0x22             the first instruction of an interrupt or exception\n"
           "and without one, the place of the selected frame.",
           Break},
          {"tbreak",
           {"tb"},
           "tbreak [LOCATION] [if EXPR]",
           "As break, but for one stop only.",
           TemporaryBreak},
          {"watch",
           {"wa"},
           "watch [-l] EXPR [if EXPR]",
           "Stop where the value of the expression has changed. An object that the frame knows by\n"
           "name stays the one that is watched, wherever the run goes; with -l, the place in "
           "memory\n"
           "that the expression means now. With reverse-continue: who wrote this last?",
           Watch},
          {"delete",
           {"d"},
           "delete [N...]",
           "Delete these breakpoints and watchpoints, or all.",
           Delete},
          {"disable", {}, "disable [N...]", "Do not stop at these, or any, for now.", Disable},
          {"enable", {}, "enable [N...]", "Stop at these, or all, again.", Enable},
          {"condition",
           {},
           "condition N [EXPR]",
           "Stop at breakpoint N only if the expression is true; without one: always.",
           Condition},
      }};
}

}  // namespace kpath::debugger
