// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/recorded_calls.h"

#include <map>

#include "sim/trace/shown_calls.h"

namespace kpath {
namespace {

class Teller {
 public:
  explicit Teller(CallEvents* events) : events_(events) {}

  void Switch(const FunctionRecorder::Task& task) {
    task_ = &task;
    shown_ = &shown_of_[MakeTaskKey(task.id, task.cpu)];
  }
  void Enter(const FunctionInfo& function, int64_t time_ns) {
    const absl::string_view name = function.name;
    if (!shown_->Enter(name, [this] { return task_->id != 0; })) return;
    events_->Enter(task_->cpu, task_->label, task_->id, name, time_ns);
  }
  void Exit(int64_t time_ns) {
    if (shown_->Exit()) events_->Exit(task_->cpu, task_->id, time_ns);
  }

 private:
  CallEvents* const events_;
  std::map<TaskKey, ShownCalls> shown_of_;
  const FunctionRecorder::Task* task_ = nullptr;
  ShownCalls* shown_ = nullptr;
};

}  // namespace

void TellCalls(const FunctionRecorder& recorder, CallEvents* events) {
  recorder.ForEach(Teller(events));
}

}  // namespace kpath
