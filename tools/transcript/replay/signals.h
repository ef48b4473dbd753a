// SPDX-License-Identifier: Apache-2.0
//
// The signals of a replay: those that the model raises by itself are held against those that the
// transcript shows; those that came from outside of it are raised.
//
// Contexts: as said at each function; ring 3 means the process whose signal it is.
#pragma once

#include <map>
#include <set>
#include <utility>

#include "sim/kernel/hrtimer.h"
#include "sim/machine/machine.h"
#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/plan.h"

namespace kpath {

class Signals {
 public:
  // `plan` outlives this.
  explicit Signals(const Plan& plan) : plan_(plan) {}

  // Counts what is sent in the machine from now on. Called once, from outside.
  void Watch(Machine& machine);

  // A signal was sent to the running process that the transcript has not shown yet: takes it into
  // account and returns true.
  bool TakeSent(int sig);
  // The model's handler ran before the transcript shows the signal; it is told of later.
  void NoteEarly(int sig) { ++early_[{Pid(), sig}]; }
  bool TakeEarly(int sig);

  // True if the model may still send what `step` shows, without help. Ring 3.
  bool MayCome(const PlanStep& step) const;
  // Sends it, as it was recorded. Ring 3; it is delivered at the next return to user mode.
  void Raise(const PlanStep& step);
  // The same a little later, when the process will be in a system call, unless it is sent
  // meanwhile. Ring 3.
  void RaiseLater(const PlanStep& step);
  // That is not to happen any more. Ring 3.
  void CancelLater();
  // Ends the running process, whatever it does with the signal. Ring 3.
  void Kill(int sig);

  // The process had something before the transcript began, or another way than by a call that it
  // shows: actions, a mask, limits. What `call` shows of it is what it is now. An execve that was
  // filtered out of the transcript leaves no trace but the default actions. Ring 3, before it.
  void Adopt(const strace::Call& call);

 private:
  struct Later {
    hrtimer timer;
    task_struct* task = nullptr;
    siginfo_t info = {};
    const Signals* signals = nullptr;
  };

  static int Pid();
  static enum hrtimer_restart RaiseNow(hrtimer* timer);
  bool IsSent(int pid, int sig) const;
  bool SendsSignals(int pid) const;
  bool ShowsExecs(int pid) const;
  void AdoptAction(const strace::Call& call);
  void AdoptMask(const strace::Call& call);
  void AdoptLimit(int resource, const strace::Value* shown);

  const Plan& plan_;
  std::map<std::pair<int, int>, int> sent_;   // by process and signal
  std::map<std::pair<int, int>, int> early_;  // by process and signal
  std::map<int, Later> later_;                // by process
  std::set<std::pair<int, int>> actions_;     // by process and signal: known
  std::set<int> masks_;                       // by thread
  std::set<std::pair<int, int>> limits_;      // by process and resource
};

// How large a file the processes could make from the start (RLIMIT_FSIZE), as far as writes that it
// stopped show; RLIM_INFINITY: as large as they like.
uint64_t InferFileSizeLimit(const Plan& plan, const IocbOutcomes& outcomes);

}  // namespace kpath
