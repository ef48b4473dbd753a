// SPDX-License-Identifier: Apache-2.0
//
// The run of a scenario that a debugger looks at: a machine in this process, that can be run
// forwards to where a plan says stop.
//
//   absl::StatusOr<std::unique_ptr<Target>> target = Target::Load(transcript);
//   RunResult result = *(*target)->Run({.plan = plan});
//   std::cout << Backtrace((*target)->view());
//
// It does not go back: see Timeline, which has several of them, in processes of their own.
//
// Invariant: however it is run in pieces and looked at, the run is the same.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "inspect/expression.h"
#include "inspect/info/view.h"
#include "tools/debugger/stop_plan.h"
#include "tools/debugger/watcher.h"
#include "tools/transcript/replay/replayer.h"

namespace kpath::debugger {

struct RunRequest {
  StopPlan plan;
  // Goes no further than this position.
  uint64_t limit = UINT64_MAX;
  // Does not stop where the plan says so, but goes on to the limit and tells the last such place.
  bool remember = false;
};

struct RunResult {
  uint64_t position = 0;
  absl::optional<Stop> stop;  // why it stopped; with `remember`, the last place that it passed
  bool ended = false;         // nothing will happen any more
  bool interrupted = false;   // the user wants it to stop
};

class Target {
 public:
  // `transcript` must outlive the target. Errors are one line each.
  static absl::StatusOr<std::unique_ptr<Target>> Load(const strace::Transcript& transcript);
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;

  // Errors: an expression of the plan that cannot be parsed; then nothing has run.
  absl::StatusOr<RunResult> Run(const RunRequest& request);
  // Asked now and then while it runs, with the position; true: stop.
  std::function<bool(uint64_t position)> interrupted;

  Machine& machine() { return replayer_->machine(); }
  uint64_t position() { return machine().position().probes_passed(); }
  bool ended() const { return report_ != nullptr; }
  // What the run came to. REQUIRES: ended().
  const ReplayReport& report() const { return *report_; }

  const Watcher& watcher() const { return *watcher_; }
  const strace::Transcript& transcript() const { return transcript_; }
  // The recorded call that a process is in, or was in last; null: it has not come to one.
  const strace::Call* CallOf(int pid) const;

 private:
  explicit Target(const strace::Transcript& transcript) : transcript_(transcript) {}

  const strace::Transcript& transcript_;
  std::unique_ptr<Watcher> watcher_;
  std::unique_ptr<Replayer> replayer_;
  std::unique_ptr<ReplayReport> report_;
  std::map<int, const strace::Call*> calls_;
};

}  // namespace kpath::debugger
