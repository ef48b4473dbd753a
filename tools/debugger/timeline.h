// SPDX-License-Identifier: Apache-2.0
//
// A run that goes both ways.
//
//   absl::StatusOr<std::unique_ptr<Timeline>> timeline = Timeline::Start(transcript);
//   (*timeline)->Forward(plan);    // to the next place that the plan names, or the end
//   (*timeline)->Backward(plan);   // to the last one before
//   (*timeline)->GoTo(12345);
//
// A machine runs forwards only, and always in the same way. So while it does, clones of it stay
// behind (checkpoints): to be at an earlier position, the last one before it is cloned, and the
// clone is run up to there. To find the last place that a plan names, it is run with the plan in
// Watcher's mode kRemember, then to what it found.
//
// Invariants
//   1. Checkpoints are at ascending positions; the first is at 0 and stays.
//   2. There are at most kMaxCheckpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tools/debugger/remote_target.h"
#include "tools/debugger/stop_plan.h"

namespace kpath::debugger {

class Timeline {
 public:
  static constexpr size_t kMaxCheckpoints = 64;

  static absl::StatusOr<std::unique_ptr<Timeline>> Start(const strace::Transcript& transcript);
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  // Each returns where the run then is, and why. Without a `stop`: the end of the run was reached
  // or, backwards, its beginning. Errors: an expression that cannot be parsed; nothing has moved.
  absl::StatusOr<RunResult> Forward(const StopPlan& plan);
  absl::StatusOr<RunResult> Backward(const StopPlan& plan);
  // To this position, or the end of the run if that comes before.
  absl::StatusOr<RunResult> GoTo(uint64_t position);

  uint64_t position() const { return now_.position; }
  bool ended() const { return now_.ended; }
  absl::StatusOr<std::string> Look(const LookRequest& request) { return current_.Look(request); }
  absl::StatusOr<Here> WhereIs(const LookRequest& request) { return current_.WhereIs(request); }

  // Told the position now and then; may be empty.
  std::function<void(uint64_t position)> progress;
  // Asked between the parts that a run is made in; true: it is given up, once. May be empty.
  std::function<bool()> interrupted;

 private:
  Timeline(RemoteTarget start, RemoteTarget current);

  absl::StatusOr<RunResult> RunOn(const StopPlan& plan, uint64_t limit);
  // A search that came to nothing: back to where it began.
  absl::StatusOr<RunResult> GiveUp(const RunResult& before,
                                   const absl::StatusOr<RunResult>& result);
  absl::Status LeaveCheckpoint();
  // Makes a clone of the last checkpoint at or before `position` the current target.
  absl::Status Rewind(uint64_t position);
  // Goes to `distance` before `position` and leaves a checkpoint there, for those who go back step
  // by step; or to the last checkpoint if that is about as close.
  absl::Status ComeCloser(uint64_t position, uint64_t distance);
  bool IsInterrupted();

  std::map<uint64_t, RemoteTarget> checkpoints_;
  uint64_t spacing_;  // of checkpoints
  RemoteTarget current_;
  RunResult now_;
};

}  // namespace kpath::debugger
