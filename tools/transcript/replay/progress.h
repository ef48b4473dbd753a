// SPDX-License-Identifier: Apache-2.0
//
// Where each process of a replay is in its steps, and how signals come between them.
//
// A recorded handler is C++ code at the recorded address: RunHandler. When the model enters it, it
// carries out the steps that the handler had in the recording, up to its rt_sigreturn, and returns,
// which makes that call. So the steps of a process nest as its handlers did.
//
// Context: ring 3 of the process whose steps these are.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tools/transcript/replay/plan.h"
#include "tools/transcript/replay/signals.h"
#include "tools/transcript/replay/turns.h"

namespace kpath {

class Progress {
 public:
  // What the replay does.
  struct Hooks {
    std::function<void(const PlanStep& step, size_t index)> run_step;  // and ends it
    std::function<bool()> hide;  // out of the trace; returns whether it was in it
    std::function<void()> show;
    std::function<void(const std::string& text)> remark;
    std::function<void(const strace::Call& call)> returned;  // a handler: its rt_sigreturn
  };

  // `plan`, `turns` and `signals` outlive this.
  Progress(const Plan& plan, Turns* turns, Signals* signals, Hooks hooks)
      : plan_(plan), turns_(*turns), signals_(*signals), hooks_(std::move(hooks)) {}

  // All steps of the running process.
  void RunAll();
  // The transcript shows a signal. If it has a handler that the model runs, the handler's steps are
  // carried out in RunHandler, and those of the signal are not left for here.
  void RunSignal(const PlanStep& step);
  // Entered by the kernel: what stands at the address of a recorded handler.
  void RunHandler();

  // The next step, if it shows the signal that interrupted the call of `step`; else null.
  const PlanStep* InterruptedBy(const PlanStep& step);
  // The call has no result: what happened then has lines of its own.
  static bool IsInterrupted(const strace::Call& call);
  static bool IsSigreturn(const PlanStep& step);

 private:
  struct Cursor {
    size_t next = 0;     // in PlanProcess::steps
    size_t running = 0;  // the step that has begun last
    int awaits = 0;      // the signal that its running step shows; 0: none, or its handler has run
  };

  Cursor& MyCursor();
  const PlanStep* NextStep();  // null: there is none
  const PlanStep& BeginNext();
  void RunNext();
  bool SigreturnFollows();
  void RunToSigreturn();
  void SkipHandler();
  void Await(const PlanStep& step);

  const Plan& plan_;
  Turns& turns_;
  Signals& signals_;
  const Hooks hooks_;
  std::map<int, Cursor> cursors_;  // by pid
};

}  // namespace kpath
