// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/timeline.h"

#include <algorithm>
#include <utility>

namespace kpath::debugger {
namespace {

// About what a machine that is watched passes in 5 ms.
constexpr uint64_t kFirstSpacing = 1 << 16;
// … in a third of one.
constexpr uint64_t kClose = 1 << 12;

}  // namespace

absl::StatusOr<std::unique_ptr<Timeline>> Timeline::Start(const strace::Transcript& transcript) {
  absl::StatusOr<RemoteTarget> start = RemoteTarget::Start(transcript);
  if (!start.ok()) return start.status();
  absl::StatusOr<RemoteTarget> current = start->Clone();
  if (!current.ok()) return current.status();
  return std::unique_ptr<Timeline>(new Timeline(*std::move(start), *std::move(current)));
}

Timeline::Timeline(RemoteTarget start, RemoteTarget current)
    : spacing_(kFirstSpacing), current_(std::move(current)) {
  checkpoints_.emplace(0, std::move(start));
}

absl::Status Timeline::LeaveCheckpoint() {
  absl::StatusOr<RemoteTarget> clone = current_.Clone();
  if (!clone.ok()) return clone.status();
  checkpoints_.emplace(now_.position, *std::move(clone));
  if (checkpoints_.size() <= kMaxCheckpoints) return absl::OkStatus();
  spacing_ *= 2;
  for (auto second = std::next(checkpoints_.begin()); second != checkpoints_.end();) {
    second = checkpoints_.erase(second);
    if (second != checkpoints_.end()) ++second;
  }
  return absl::OkStatus();
}

absl::StatusOr<RunResult> Timeline::RunOn(const StopPlan& plan, uint64_t limit) {
  while (true) {
    const uint64_t last = std::prev(checkpoints_.upper_bound(now_.position))->first;
    RunRequest request = {.plan = plan};
    request.limit = std::min(limit, std::max(last, now_.position - 1) + spacing_);
    absl::StatusOr<RunResult> result = current_.Run(request, progress);
    if (!result.ok()) return result;
    now_ = *result;
    if (now_.stop.has_value() || now_.ended || now_.interrupted || now_.position >= limit) {
      return now_;
    }
    if (absl::Status left = LeaveCheckpoint(); !left.ok()) return left;
    if (IsInterrupted()) return now_;
  }
}

bool Timeline::IsInterrupted() {
  if (interrupted && interrupted()) now_.interrupted = true;
  return now_.interrupted;
}

absl::StatusOr<RunResult> Timeline::Forward(const StopPlan& plan) {
  return RunOn(plan, UINT64_MAX);
}

absl::Status Timeline::Rewind(uint64_t position) {
  const auto from = std::prev(checkpoints_.upper_bound(position));
  absl::StatusOr<RemoteTarget> clone = from->second.Clone();
  if (!clone.ok()) return clone.status();
  current_ = *std::move(clone);
  now_ = {};
  now_.position = from->first;
  return absl::OkStatus();
}

absl::StatusOr<RunResult> Timeline::GoTo(uint64_t position) {
  if (position == now_.position && !now_.ended) return now_;
  const uint64_t checkpoint = std::prev(checkpoints_.upper_bound(position))->first;
  if (position < now_.position || now_.ended || checkpoint > now_.position) {
    if (absl::Status rewound = Rewind(position); !rewound.ok()) return rewound;
  }
  if (position == now_.position) return now_;
  return RunOn({}, position);
}

absl::Status Timeline::ComeCloser(uint64_t position, uint64_t distance) {
  if (absl::Status rewound = Rewind(position); !rewound.ok()) return rewound;
  if (position - now_.position <= 2 * distance) return absl::OkStatus();
  const absl::StatusOr<RunResult> result = RunOn({}, position - distance);
  if (!result.ok()) return result.status();
  return now_.position == position - distance ? LeaveCheckpoint() : absl::OkStatus();
}

absl::StatusOr<RunResult> Timeline::GiveUp(const RunResult& before,
                                           const absl::StatusOr<RunResult>& result) {
  absl::StatusOr<RunResult> back = GoTo(before.ended ? UINT64_MAX : before.position);
  if (!back.ok() || !result.ok()) return back.ok() ? result : back;
  now_.interrupted = true;
  return now_;
}

absl::StatusOr<RunResult> Timeline::Backward(const StopPlan& plan) {
  const RunResult before = now_;
  // Positions after `begin`, up to `end`, are looked at next.
  uint64_t end = now_.ended ? now_.position : std::max<uint64_t>(now_.position, 1) - 1;
  // A search that goes on does so in longer and longer parts.
  for (uint64_t distance = kClose; end > 0; distance *= 2) {
    if (absl::Status closer = ComeCloser(end - 1, distance); !closer.ok()) return closer;
    if (IsInterrupted()) return GiveUp(before, now_);
    const uint64_t begin = now_.position;
    absl::StatusOr<RunResult> result =
        current_.Run({.plan = plan, .limit = end, .remember = true}, progress);
    if (!result.ok() || result->interrupted) return GiveUp(before, result);
    now_ = *result;
    if (now_.stop.has_value()) {
      const Stop found = *now_.stop;
      result = GoTo(found.position);
      if (!result.ok()) return result;
      now_.stop = found;
      return now_;
    }
    end = begin;
  }
  return GoTo(0);
}

}  // namespace kpath::debugger
