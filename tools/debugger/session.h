// SPDX-License-Identifier: Apache-2.0
//
// A debugger at work: breakpoints, displays, bookmarks, what is selected; and the commands that use
// them, one line at a time.
//
//   Session session(*timeline, options);
//   absl::Status done = session.Execute("break io_submit_one if nr == 3");
//   while (!session.over()) …
//
// What a command shows goes to options.out; what is wrong with it is the status that Execute
// returns, one line, and the command has done nothing then.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/debugger/command_table.h"
#include "tools/debugger/timeline.h"

namespace kpath::debugger {

struct SessionOptions {
  std::function<void(absl::string_view)> out;
  int width = 80;       // columns
  bool color = false;   // terminal sequences in the output
  std::string sources;  // the folder of kpath's sources, for `list`
  // Called when a move has come to its end, before anything is shown; may be empty.
  std::function<void()> moved = nullptr;
};

// A breakpoint with what only the user's side knows of it.
struct UserBreakpoint {
  Breakpoint breakpoint;
  std::string shown;  // as the user wrote it
  bool temporary = false;
  bool enabled = true;
  int hits = 0;
};

struct Display {
  std::string format;  // "/x", or empty
  std::string expression;
};

struct Selection {
  int pid = 0;  // 0: the task that passed the last probe
  int frame = 0;
};

class Session {
 public:
  // `timeline` must outlive the session.
  Session(Timeline& timeline, SessionOptions options);

  // Errors: InvalidArgument, NotFound …: one line without a prefix.
  absl::Status Execute(absl::string_view line);
  // `quit` has been given.
  bool over() const { return over_; }

  // ---- For the commands ----

  Timeline& timeline;
  SessionOptions options;
  std::map<int, UserBreakpoint> breakpoints;
  std::map<int, Display> displays;
  std::map<std::string, uint64_t> bookmarks;
  std::vector<std::string> history;  // $1 …, as expressions
  Selection selection;
  Grain grain = Grain::kStatement;
  bool pretty = false;
  int last_number = 0;  // of a breakpoint
  int last_display = 0;
  std::set<std::string> sourcing;  // files that are being read, one inside of the other
  std::string record_file;         // empty: commands are not written down

  void Print(absl::string_view text) { options.out(text); }
  // A text that stands out on a terminal that shows colours.
  std::string Strong(absl::string_view text) const;
  std::string Dim(absl::string_view text) const;
  void Quit() { over_ = true; }

  absl::StatusOr<std::string> Look(std::vector<std::string> words) const;
  absl::StatusOr<Here> WhereIs() const;
  // Looks, and prints what is to be seen.
  absl::Status Show(std::vector<std::string> words);
  // `$1` and `$` replaced by what they stand for.
  absl::StatusOr<std::string> Expand(absl::string_view expression) const;

  // Runs to where `stepping` or an enabled breakpoint says, and shows where that is. With
  // `changes`, what has changed since, too.
  enum class Direction { kForward, kBackward };
  absl::Status Move(Direction direction, const Stepping& stepping, int times, bool changes);
  // The same for a place that is no breakpoint of the user's.
  absl::Status MoveTo(Direction direction, const Breakpoint& place);
  absl::Status GoTo(uint64_t position);
  // Where the run stands, and what is displayed.
  absl::Status ShowStop();

 private:
  // Forwards there is nothing behind the end.
  absl::Status CheckCanMove(Direction direction) const;
  LookRequest MakeLookRequest(std::vector<std::string> words) const;
  StopPlan PlanWith(const Stepping& stepping) const;
  absl::StatusOr<RunResult> RunOnce(Direction direction, const StopPlan& plan);
  void ShowHits(const RunResult& result);
  absl::Status Finish(Direction direction, const RunResult& result, const std::string& before);
  absl::Status WriteDown(absl::string_view line) const;
  std::string Fold(absl::string_view line) const;
  std::string Cut(absl::string_view line) const;

  bool over_ = false;
  std::string last_call_;
};

}  // namespace kpath::debugger
