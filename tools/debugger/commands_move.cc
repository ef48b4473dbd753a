// SPDX-License-Identifier: Apache-2.0
//
// The commands that move along the run.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/debugger/command_table.h"
#include "tools/debugger/locations.h"
#include "tools/debugger/session.h"

namespace kpath::debugger {
namespace {

using Direction = Session::Direction;
using Mode = Stepping::Mode;

absl::StatusOr<int> ParseTimes(absl::string_view text) {
  if (text.empty()) return 1;
  int times;
  if (absl::SimpleAtoi(text, &times) && times > 0) return times;
  return absl::InvalidArgumentError(absl::StrCat("expected how many times, not '", text, "'"));
}

absl::Status StepBy(Session& session, Direction direction, Mode mode, Grain grain,
                    absl::string_view times_text) {
  const absl::StatusOr<int> times = ParseTimes(times_text);
  if (!times.ok()) return times.status();
  const absl::StatusOr<Here> here = session.WhereIs();
  if (!here.ok()) return here.status();
  Stepping stepping;
  stepping.mode = mode;
  stepping.grain = grain;
  stepping.pid = here->pid;
  stepping.depth = here->depth;
  stepping.file = here->file;
  stepping.line = here->line;
  // Before a function's entry there is its caller.
  if (direction == Direction::kBackward && here->at_entry) --stepping.depth;
  return session.Move(direction, stepping, *times, true);
}

template <Direction direction>
absl::Status Step(Session& session, absl::string_view times) {
  return StepBy(session, direction, Mode::kStep, session.grain, times);
}
template <Direction direction>
absl::Status Next(Session& session, absl::string_view times) {
  return StepBy(session, direction, Mode::kNext, session.grain, times);
}
template <Direction direction>
absl::Status StepInstruction(Session& session, absl::string_view times) {
  return StepBy(session, direction, Mode::kStep, Grain::kInstruction, times);
}
template <Direction direction>
absl::Status NextInstruction(Session& session, absl::string_view times) {
  return StepBy(session, direction, Mode::kNext, Grain::kInstruction, times);
}

absl::Status Finish(Session& session, absl::string_view) {
  return StepBy(session, Direction::kForward, Mode::kFinish, Grain::kInstruction, "");
}
absl::Status ReverseFinish(Session& session, absl::string_view) {
  return StepBy(session, Direction::kBackward, Mode::kEntry, Grain::kFunction, "");
}

template <Direction direction>
absl::Status Until(Session& session, absl::string_view location) {
  if (location.empty()) {
    const Mode mode = direction == Direction::kForward ? Mode::kUntil : Mode::kNext;
    return StepBy(session, direction, mode, session.grain, "");
  }
  const absl::StatusOr<Breakpoint> place = ParseLocation(location);
  if (!place.ok()) return place.status();
  return session.MoveTo(direction, *place);
}

template <Direction direction>
absl::Status Continue(Session& session, absl::string_view times_text) {
  const absl::StatusOr<int> times = ParseTimes(times_text);
  if (!times.ok()) return times.status();
  return session.Move(direction, {}, *times, false);
}

absl::Status Run(Session& session, absl::string_view) {
  const absl::StatusOr<RunResult> start = session.timeline.GoTo(0);
  if (!start.ok()) return start.status();
  return session.Move(Direction::kForward, {}, 1, false);
}

absl::Status GoTo(Session& session, absl::string_view text) {
  if (text == "start") return session.GoTo(0);
  if (text == "end") return session.GoTo(UINT64_MAX);
  const auto bookmark = session.bookmarks.find(std::string(text));
  if (bookmark != session.bookmarks.end()) return session.GoTo(bookmark->second);
  absl::ConsumePrefix(&text, "#");
  uint64_t position;
  if (!absl::SimpleAtoi(text, &position)) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a position, a bookmark, start or end, not '", text, "'"));
  }
  return session.GoTo(position);
}

absl::Status Bookmark(Session& session, absl::string_view name) {
  const bool word = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
  if (!word || (!name.empty() && absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) ||
      name == "start" || name == "end") {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a name that begins with a letter, not '", name, "'"));
  }
  std::string chosen(name);
  for (int i = 1; chosen.empty(); ++i) {
    const std::string candidate = absl::StrCat("b", i);
    if (session.bookmarks.count(candidate) == 0) chosen = candidate;
  }
  session.bookmarks[chosen] = session.timeline.position();
  session.Print(absl::StrCat("Bookmark ", chosen, " at #", session.timeline.position(), "\n"));
  return absl::OkStatus();
}

constexpr Direction kForward = Direction::kForward;
constexpr Direction kBackward = Direction::kBackward;

std::vector<Command> StepCommands() {
  return {
      {"run", {"r"}, "run", "Go to the beginning of the run and continue from there.", Run},
      {"continue",
       {"c", "fg"},
       "continue [N]",
       "Run to the next breakpoint, watchpoint, or the end; with N, the Nth time.",
       Continue<kForward>},
      {"reverse-continue",
       {"rc"},
       "reverse-continue [N]",
       "Run backwards to the breakpoint or change before, or to the beginning.",
       Continue<kBackward>},
      {"step",
       {"s"},
       "step [N]",
       "To the task's next probe: the entry or the end of a function, a named step, with\n"
       "`set grain instruction` an instruction, too.",
       Step<kForward>},
      {"reverse-step", {"rs"}, "reverse-step [N]", "To the probe before.", Step<kBackward>},
      {"next",
       {"n"},
       "next [N]",
       "As step, but over the calls that the function makes: each shows as its end.",
       Next<kForward>},
      {"reverse-next", {"rn"}, "reverse-next [N]", "As reverse-step, over calls.", Next<kBackward>},
      {"stepi",
       {"si"},
       "stepi [N]",
       "To the next probe, instructions among them.",
       StepInstruction<kForward>},
      {"reverse-stepi",
       {"rsi"},
       "reverse-stepi [N]",
       "To the probe before, instructions among them.",
       StepInstruction<kBackward>},
      {"nexti", {"ni"}, "nexti [N]", "As stepi, over calls.", NextInstruction<kForward>},
      {"reverse-nexti",
       {"rni"},
       "reverse-nexti [N]",
       "As reverse-stepi, over calls.",
       NextInstruction<kBackward>},
  };
}

std::vector<Command> GoingCommands() {
  return {
      {"finish",
       {"fin"},
       "finish",
       "To the end of the selected function, with what it returns; of assembly, to its IRET\n"
       "or SYSRET.",
       Finish},
      {"reverse-finish",
       {},
       "reverse-finish",
       "To where the selected function was entered; from there, to its caller's.",
       ReverseFinish},
      {"until",
       {"u", "advance"},
       "until [LOCATION]",
       "As next, but not back in a loop; with a location (see: help break), to there.",
       Until<kForward>},
      {"reverse-until",
       {},
       "reverse-until [LOCATION]",
       "As reverse-next; with a location, to where it was passed last.",
       Until<kBackward>},
      {"goto",
       {},
       "goto POSITION|BOOKMARK|start|end",
       "To this position of the run, forwards or back. A position is the #number of a stop.",
       GoTo},
      {"bookmark",
       {},
       "bookmark [NAME]",
       "Give this position a name, for goto; info bookmarks lists them.",
       Bookmark},
  };
}

}  // namespace

CommandGroup MovingCommands() {
  CommandGroup group = {"Moving", StepCommands()};
  for (const Command& command : GoingCommands()) group.commands.push_back(command);
  return group;
}

}  // namespace kpath::debugger
