// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/turns.h"

#include "entry/kernel_mode.h"

namespace kpath {

bool Turns::MayBegin(size_t step) const {
  if (step != next_) return false;
  for (size_t other : active_) {
    if (plan_.steps[other].end < plan_.steps[step].begin) return false;
  }
  return true;
}

void Turns::Begin(size_t step) {
  while (!MayBegin(step)) Park();
  ++next_;
  active_.insert(step);
  WakeNext();
}

void Turns::End(size_t step) {
  active_.erase(step);
  WakeNext();
}

void Turns::Leave(int pid, const std::function<void(size_t step)>& skipped) {
  gone_[pid] = skipped;
  std::erase_if(active_, [&](size_t step) { return plan_.steps[step].pid == pid; });
  WakeNext();
}

void Turns::PassOver() {
  while (next_ < plan_.steps.size()) {
    const auto gone = gone_.find(plan_.steps[next_].pid);
    if (gone == gone_.end() || !MayBegin(next_)) return;
    gone->second(next_++);
  }
}

void Turns::WakeNext() {
  PassOver();
  if (next_ == plan_.steps.size() || !MayBegin(next_)) return;
  const auto found = tasks_.find(plan_.steps[next_].pid);
  if (found == tasks_.end()) return;  // not made yet: it looks by itself when it is
  task_struct* task = found->second;
  if (task->state != TASK_UNINTERRUPTIBLE || !parked_.count(task)) return;
  if (task->on_rq) {
    task->state = TASK_RUNNING;  // it has not got to schedule() yet
  } else if (task->on_cpu) {
    try_to_wake_up(task, TASK_UNINTERRUPTIBLE);  // when its CPU has left it
  } else {
    wake_up_new_task(task);
  }
}

void Turns::Park() {
  task_struct* self = current;
  InKernelMode([&] {
    parked_.insert(self);
    self->state = TASK_UNINTERRUPTIBLE;
    const bool my_turn =
        next_ < plan_.steps.size() && plan_.steps[next_].pid == self->pid && MayBegin(next_);
    if (my_turn) {
      self->state = TASK_RUNNING;
    } else {
      schedule();
    }
    parked_.erase(self);
  });
}

void Turns::ParkForGood() {
  while (true) Park();
}

}  // namespace kpath
