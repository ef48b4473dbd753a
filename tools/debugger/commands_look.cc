// SPDX-License-Identifier: Apache-2.0
//
// The commands that look.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "tools/debugger/command_table.h"
#include "tools/debugger/session.h"

namespace kpath::debugger {
namespace {

// "/x expr" in its format and the rest; the format may be missing.
std::pair<std::string, absl::string_view> SplitFormat(absl::string_view text) {
  if (!absl::StartsWith(text, "/")) return {"", text};
  const size_t end = std::min(text.find(' '), text.size());
  return {std::string(text.substr(0, end)), absl::StripAsciiWhitespace(text.substr(end))};
}

absl::Status Print(Session& session, absl::string_view text) {
  const auto [format, written] = SplitFormat(text);
  const absl::StatusOr<std::string> expression =
      written.empty() ? session.Expand("$") : session.Expand(written);
  if (!expression.ok()) return expression.status();
  const absl::StatusOr<std::string> value = session.Look({"print", format, *expression});
  if (!value.ok()) return value.status();
  // What the value is later on: the number or pointer that it was, or what is at its place then.
  const absl::StatusOr<std::string> constant = session.Look({"constant", *expression});
  const absl::StatusOr<std::string> bound = session.Look({"bind", *expression});
  session.history.push_back(constant.ok() ? *constant : bound.ok() ? *bound : *expression);
  session.Print(absl::StrCat("$", session.history.size(), " = ", *value, "\n"));
  return absl::OkStatus();
}

absl::Status WhatIs(Session& session, absl::string_view text) {
  if (text.empty()) return absl::InvalidArgumentError("expected an expression");
  const absl::StatusOr<std::string> expression = session.Expand(text);
  if (!expression.ok()) return expression.status();
  return session.Show({"whatis", *expression});
}

absl::Status Examine(Session& session, absl::string_view text) {
  const auto [format, written] = SplitFormat(text);
  if (written.empty()) return absl::InvalidArgumentError("expected an address");
  const absl::StatusOr<std::string> expression = session.Expand(written);
  if (!expression.ok()) return expression.status();
  return session.Show({"x", format, *expression});
}

absl::Status AddDisplay(Session& session, absl::string_view text) {
  if (text.empty()) return session.ShowStop();
  const auto [format, written] = SplitFormat(text);
  const absl::StatusOr<std::string> expression = session.Expand(written);
  if (!expression.ok()) return expression.status();
  const absl::StatusOr<std::string> value = session.Look({"print", format, *expression});
  if (!value.ok()) return value.status();
  const int id = ++session.last_display;
  session.displays[id] = {format, *expression};
  session.Print(
      absl::StrCat(id, ": ", format, format.empty() ? "" : " ", *expression, " = ", *value, "\n"));
  return absl::OkStatus();
}

absl::Status RemoveDisplay(Session& session, absl::string_view text) {
  if (text.empty()) {
    session.displays.clear();
    return absl::OkStatus();
  }
  int id;
  if (!absl::SimpleAtoi(text, &id) || session.displays.erase(id) == 0) {
    return absl::NotFoundError(absl::StrCat("no display number ", text));
  }
  return absl::OkStatus();
}

absl::Status List(Session& session, absl::string_view text) {
  if (text.empty()) return session.Show({"list"});
  return absl::InvalidArgumentError(
      "list shows what is around the selected frame; other places it cannot show");
}
absl::Status Where(Session& session, absl::string_view) { return session.Show({"where"}); }

absl::Status SelectFrame(Session& session, int frame) {
  const int before = session.selection.frame;
  session.selection.frame = frame;
  absl::Status shown = frame < 0 ? absl::NotFoundError(
                                       "Bottom (innermost) frame selected; you "
                                       "cannot go down.")
                                 : session.Show({"frame"});
  if (!shown.ok()) session.selection.frame = before;
  return shown;
}

absl::StatusOr<int> ParseCount(absl::string_view text, int without) {
  if (text.empty()) return without;
  int count;
  if (absl::SimpleAtoi(text, &count)) return count;
  return absl::InvalidArgumentError(absl::StrCat("expected a number, not '", text, "'"));
}

// The innermost `count` frames of a `bt`, or the outermost if it is negative.
std::string SomeFrames(absl::string_view all, int count) {
  std::vector<std::string> frames;
  for (const absl::string_view line : absl::StrSplit(all, '\n', absl::SkipEmpty())) {
    if (frames.empty() || absl::StartsWith(line, "#")) frames.emplace_back();
    absl::StrAppend(&frames.back(), line, "\n");  // a long frame has several lines
  }
  const auto size = static_cast<int>(frames.size());
  const int begin = count < 0 ? std::max(size + count, 0) : 0;
  const int end = count > 0 ? std::min(count, size) : size;
  std::string text;
  for (int i = begin; i < end; ++i) text += frames[i];
  if (end < size) text += "(More stack frames follow...)\n";
  return text;
}

absl::Status Backtrace(Session& session, absl::string_view text) {
  const absl::StatusOr<int> count = ParseCount(text, 0);
  if (!count.ok()) return count.status();
  const absl::StatusOr<std::string> all = session.Look({"bt"});
  if (!all.ok()) return all.status();
  session.Print(SomeFrames(*all, *count));
  return absl::OkStatus();
}

absl::Status Frame(Session& session, absl::string_view text) {
  const absl::StatusOr<int> frame = ParseCount(text, session.selection.frame);
  return frame.ok() ? SelectFrame(session, *frame) : frame.status();
}
absl::Status Up(Session& session, absl::string_view text) {
  const absl::StatusOr<int> by = ParseCount(text, 1);
  return by.ok() ? SelectFrame(session, session.selection.frame + *by) : by.status();
}
absl::Status Down(Session& session, absl::string_view text) {
  const absl::StatusOr<int> by = ParseCount(text, 1);
  return by.ok() ? SelectFrame(session, session.selection.frame - *by) : by.status();
}

absl::Status SelectTask(Session& session, absl::string_view text) {
  const absl::StatusOr<int> pid = ParseCount(text, 0);
  if (!pid.ok()) return pid.status();
  const Selection before = session.selection;
  session.selection = {.pid = *pid, .frame = 0};
  absl::Status shown = session.Show({"task"});
  if (!shown.ok()) session.selection = before;
  return shown;
}

// ---- info ----

void InfoBreakpoints(Session& session) {
  if (session.breakpoints.empty()) return session.Print("No breakpoints or watchpoints.\n");
  session.Print("Num  Type        Disp  Enb  Hits  What\n");
  for (const auto& [id, one] : session.breakpoints) {
    const bool watch = one.breakpoint.kind == Breakpoint::Kind::kWatch;
    session.Print(absl::StrFormat(
        "%-4d %-11s %-5s %-4s %-5d %s\n", id, watch ? "watchpoint" : "breakpoint",
        one.temporary ? "del" : "keep", one.enabled ? "y" : "n", one.hits, one.shown));
    if (!one.breakpoint.condition.empty()) {
      session.Print(absl::StrCat("     stop only if ", one.breakpoint.condition, "\n"));
    }
  }
}

void InfoDisplay(Session& session) {
  if (session.displays.empty()) return session.Print("There are no displays.\n");
  for (const auto& [id, one] : session.displays) {
    session.Print(
        absl::StrCat(id, ": ", one.format, one.format.empty() ? "" : " ", one.expression, "\n"));
  }
}

void InfoBookmarks(Session& session) {
  if (session.bookmarks.empty()) return session.Print("No bookmarks.\n");
  for (const auto& [name, position] : session.bookmarks) {
    session.Print(absl::StrCat(name, " at #", position, "\n"));
  }
}

absl::Status Info(Session& session, absl::string_view text) {
  std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  if (words.empty()) return session.Execute("help info");
  const absl::string_view topic = words[0];
  if (topic == "b" || (topic.size() > 1 && absl::StartsWith("breakpoints", topic))) {
    InfoBreakpoints(session);
  } else if (topic == "display") {
    InfoDisplay(session);
  } else if (topic == "bookmarks") {
    InfoBookmarks(session);
  } else {
    if (topic == "r" || topic == "reg") words[0] = "registers";
    if (topic == "threads") words[0] = "tasks";
    words.insert(words.begin(), "info");
    return session.Show(words);
  }
  return absl::OkStatus();
}

}  // namespace

CommandGroup LookingCommands() {
  return {
      "Looking",
      {
          {"print",
           {"p", "inspect"},
           "print[/F] [EXPR]",
           "The value of an expression in C: ctx->ring->tail, current->pid, plug.mq_list.size,\n"
           "$rsp, *(struct pt_regs *)$rsp, nr == 3 && !ctx->dead. Names are those of the selected\n"
           "frame, then current, ctx, plug, regs, cpu(0) and globals of the kernel. $1 is a value\n"
           "printed before, $ the last. F: x o t d u c a s, as in gdb.",
           Print},
          {"whatis", {}, "whatis EXPR", "The type of an expression.", WhatIs},
          {"x",
           {},
           "x[/NFU] ADDRESS",
           "Memory, N times in format F (x d u o t c a s i) and unit U (b h w g): x/8gx $rsp,\n"
           "x/10i $rip.",
           Examine},
          {"display",
           {},
           "display[/F] [EXPR]",
           "Show the value of an expression at each stop; without one, show this stop again.",
           AddDisplay},
          {"undisplay",
           {},
           "undisplay [N]",
           "Show it no longer; without a number: none of them.",
           RemoveDisplay},
          {"backtrace",
           {"bt", "where"},
           "backtrace [N]",
           "The calls that the task is in; with N, the innermost N, with -N, the outermost.",
           Backtrace},
          {"frame", {"f"}, "frame [N]", "Select a frame, and show it.", Frame},
          {"up", {}, "up [N]", "Select the frame that called this one.", Up},
          {"down", {"dow"}, "down [N]", "Select the frame that this one called.", Down},
          {"task",
           {"thread"},
           "task [PID]",
           "Select another task; without a pid: the one that has stopped.",
           SelectTask},
          {"list",
           {"l"},
           "list",
           "The model's source, or the listing, around the selected frame.",
           List},
          {"stop", {}, "stop", "Show again where the run stands.", Where},
          {"info",
           {"i"},
           "info TOPIC",
           "Tell what there is now.\n"
           "About the run:      tasks, cpus, locks, files [PID], memory, registers [NAME...]\n"
           "About the kernel:   kioctx, ring [ADDRESS], plug, requests, syscalls [NAME], idt\n"
           "About the debugger: breakpoints, display, bookmarks",
           Info},
      }};
}

}  // namespace kpath::debugger
