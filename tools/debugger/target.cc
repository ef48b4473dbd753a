// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/target.h"

#include <utility>

namespace kpath::debugger {

absl::StatusOr<std::unique_ptr<Target>> Target::Load(const strace::Transcript& transcript) {
  std::unique_ptr<Target> target(new Target(transcript));
  target->watcher_ = std::make_unique<Watcher>();
  ReplayOptions options;
  options.probes = target->watcher_.get();
  options.begins = [target = target.get()](int pid, const strace::Call& call) {
    target->calls_[pid] = &call;
  };
  absl::StatusOr<std::unique_ptr<Replayer>> replayer = Replayer::Create(transcript, options);
  if (!replayer.ok()) return replayer.status();
  target->replayer_ = *std::move(replayer);
  target->watcher_->Attach(target->machine());
  target->replayer_->Start();
  return target;
}

absl::StatusOr<RunResult> Target::Run(const RunRequest& request) {
  const auto mode = request.remember ? Watcher::Mode::kRemember : Watcher::Mode::kStop;
  absl::Status armed = watcher_->Arm(request.plan, mode);
  if (!armed.ok()) return armed;
  RunResult result;
  watcher_->interrupted = [this, &result] {
    result.interrupted = interrupted && interrupted(position());
    return result.interrupted;
  };
  if (!ended()) {
    const Machine::Outcome outcome = machine().RunTo(Position(request.limit));
    const bool over = outcome == Machine::Outcome::kIdle || outcome == Machine::Outcome::kReport;
    if (over) report_ = std::make_unique<ReplayReport>(replayer_->Finish());
  }
  watcher_->interrupted = nullptr;
  result.position = position();
  result.stop = watcher_->TakeStop();
  result.ended = ended();
  return result;
}

const strace::Call* Target::CallOf(int pid) const {
  const auto found = calls_.find(pid);
  return found == calls_.end() ? nullptr : found->second;
}

}  // namespace kpath::debugger
