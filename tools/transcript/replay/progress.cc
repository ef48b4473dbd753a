// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/progress.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "sim/user/user.h"

namespace kpath {

Progress::Cursor& Progress::MyCursor() { return cursors_[current->pid]; }

const PlanStep* Progress::NextStep() {
  const std::vector<size_t>& steps = plan_.processes.at(current->pid).steps;
  const size_t next = MyCursor().next;
  return next < steps.size() ? &plan_.steps[steps[next]] : nullptr;
}

const PlanStep& Progress::BeginNext() {
  Cursor& cursor = MyCursor();
  const size_t index = plan_.processes.at(current->pid).steps[cursor.next++];
  turns_.Begin(index);
  cursor.running = index;
  return plan_.steps[index];
}

void Progress::RunNext() {
  const PlanStep& step = BeginNext();
  hooks_.run_step(step, MyCursor().running);
}

void Progress::RunAll() {
  while (NextStep() != nullptr) RunNext();
}

// The model may send it by itself, now or soon.
void Progress::Await(const PlanStep& step) {
  constexpr int kMost = 10'000;
  constexpr int64_t kPauseNs = 20'000;
  Cursor& cursor = MyCursor();
  for (int i = 0; i < kMost && cursor.awaits != 0 && signals_.MayCome(step); ++i) {
    if (signals_.TakeSent(step.signal)) cursor.awaits = 0;
    user::nanosleep(kPauseNs);
  }
}

void Progress::RunSignal(const PlanStep& step) {
  if (signals_.TakeEarly(step.signal)) {
    SkipHandler();
    return;
  }
  if (signals_.TakeSent(step.signal)) return;  // ignored, or its default action is nothing
  const PlanStep* next = NextStep();
  if (next != nullptr && next->kind == PlanStep::Kind::kEnd) return;
  Cursor& cursor = MyCursor();
  cursor.awaits = step.signal;
  Await(step);
  if (cursor.awaits == 0) return;
  hooks_.remark("raised from outside");
  signals_.Raise(step);
  hooks_.show();
  user::getpid();  // it is delivered on the way back
  hooks_.hide();
  if (cursor.awaits != 0) signals_.TakeSent(step.signal);
  cursor.awaits = 0;
}

void Progress::RunHandler() {
  const bool visible = hooks_.hide();
  const int sig = static_cast<int>(current->cpu->regs[Reg::rdi]);
  Cursor& cursor = MyCursor();
  const PlanStep* next = NextStep();
  signals_.TakeSent(sig);
  if (cursor.awaits == sig) {
    cursor.awaits = 0;
    RunToSigreturn();
  } else if (next != nullptr && next->kind == PlanStep::Kind::kSignal && next->signal == sig) {
    turns_.End(cursor.running);  // what was interrupted had returned by then
    BeginNext();
    turns_.End(cursor.running);
    RunToSigreturn();
  } else {
    signals_.NoteEarly(sig);
  }
  if (visible) hooks_.show();
}

// ---- Handlers ----

bool Progress::IsSigreturn(const PlanStep& step) {
  return step.call != nullptr && step.call->name == "rt_sigreturn";
}

// A transcript without an rt_sigreturn has none of the handler's calls, either.
bool Progress::SigreturnFollows() {
  const std::vector<size_t>& steps = plan_.processes.at(current->pid).steps;
  return std::any_of(steps.begin() + static_cast<ptrdiff_t>(MyCursor().next), steps.end(),
                     [this](size_t index) { return IsSigreturn(plan_.steps[index]); });
}

void Progress::RunToSigreturn() {
  if (!SigreturnFollows()) return;
  while (!IsSigreturn(*NextStep())) RunNext();
  hooks_.returned(*BeginNext().call);
  turns_.End(MyCursor().running);
}

// The model has left the handler already: its rt_sigreturn is not made.
void Progress::SkipHandler() {
  if (!SigreturnFollows()) return;
  while (!IsSigreturn(*NextStep())) RunNext();
  RunNext();
}

// ---- Interrupted calls ----

bool Progress::IsInterrupted(const strace::Call& call) {
  return absl::StartsWith(call.result.error, "ERESTART");
}

const PlanStep* Progress::InterruptedBy(const PlanStep& step) {
  const bool interrupted = IsInterrupted(*step.call) || step.call->result.error == "EINTR";
  const PlanStep* next = NextStep();
  const bool shown = next != nullptr && next->kind == PlanStep::Kind::kSignal;
  return interrupted && shown ? next : nullptr;
}

}  // namespace kpath
