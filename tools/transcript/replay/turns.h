// SPDX-License-Identifier: Apache-2.0
//
// Who may go on: the order of a plan's steps, enforced on the machine.
//
// Steps begin in the plan's order, and a step begins only when those have ended in the model that
// had ended before it in the recording. A program that waits for its turn is parked: off the run
// queue, in user mode, with nothing of that in the trace.
//
// Invariants
//   1. The steps that have begun are a prefix of the plan.
//   2. At most one parked task is the next to go on; it is woken when it may.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>

#include "sim/kernel/sched.h"
#include "tools/transcript/replay/plan.h"

namespace kpath {

class Turns {
 public:
  // `plan` outlives this.
  explicit Turns(const Plan& plan) : plan_(plan) {}

  // The running task carries out the steps of process `pid` from now on.
  void Join(int pid) { tasks_[pid] = current; }

  // Parks the running task until `step` may begin, and begins it. Context: ring 3.
  void Begin(size_t step);
  // `step` has come to its end.
  void End(size_t step);
  // The process has ended: none of its steps will begin or end any more. They are passed over, each
  // told to `skipped`.
  void Leave(int pid, const std::function<void(size_t step)>& skipped);
  // The running task has no more steps.
  [[noreturn]] void ParkForGood();

  // How many steps have begun.
  size_t begun() const { return next_; }
  // Those that have begun and not ended.
  const std::set<size_t>& active() const { return active_; }

 private:
  bool MayBegin(size_t step) const;
  void PassOver();
  void WakeNext();
  void Park();

  const Plan& plan_;
  size_t next_ = 0;
  std::set<size_t> active_;
  std::map<int, task_struct*> tasks_;
  std::set<const task_struct*> parked_;
  std::map<int, std::function<void(size_t step)>> gone_;
};

}  // namespace kpath
