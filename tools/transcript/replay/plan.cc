// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/plan.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/transcript/syntax/constants.h"

namespace kpath {
namespace {

// A process without a pid in the transcript, strace without -f, where no call tells it.
constexpr int kOnlyPid = 1;

bool MakesProcess(absl::string_view name) {
  return name == "fork" || name == "vfork" || name == "clone" || name == "clone3";
}

// What a call of the only process says about its pid.
int OnlyPid(const strace::Transcript& transcript) {
  for (const strace::Call& call : transcript.calls) {
    const bool tells =
        call.name == "getpid" || call.name == "gettid" || call.name == "set_tid_address";
    if (!tells || call.pid != 0 || !call.returned || !call.result.known) continue;
    const uint64_t pid = call.result.value.number;
    if (call.result.error.empty() && pid >= 1 && pid <= INT32_MAX) return static_cast<int>(pid);
  }
  return kOnlyPid;
}

class Planner {
 public:
  explicit Planner(const strace::Transcript& transcript)
      : transcript_(transcript), only_pid_(OnlyPid(transcript)) {}

  absl::StatusOr<Plan> Make() {
    for (const strace::Call& call : transcript_.calls) AddCall(call);
    for (const strace::Line& line : transcript_.lines) AddEvent(line);
    if (absl::Status status = FindParents(); !status.ok()) return status;
    InferExecs();
    Sort();
    return std::move(plan_);
  }

 private:
  int PidOf(uint32_t pid) const { return pid == 0 ? only_pid_ : static_cast<int>(pid); }

  void AddCall(const strace::Call& call) {
    PlanStep step;
    step.pid = PidOf(call.pid);
    step.begin = BeginOnLine(call.begin.line);
    if (call.returned) step.end = EndOnLine(call.end.line);
    step.call = &call;
    if (call.returned && call.result.known && MakesProcess(call.name) &&
        call.result.error.empty() && call.result.value.number != 0) {
      step.child = static_cast<int>(call.result.value.number);
    }
    plan_.steps.push_back(step);
    plan_.processes[step.pid].pid = step.pid;
  }

  void AddEvent(const strace::Line& line) {
    const bool killed =
        line.kind == strace::LineKind::kExited && line.event->exit == strace::ExitKind::kKilled;
    if (!killed && line.kind != strace::LineKind::kSignal) return;
    const int pid = PidOf(line.leader->pid);
    if (plan_.processes.count(pid) == 0) return;
    PlanStep step;
    step.kind = killed ? PlanStep::Kind::kEnd : PlanStep::Kind::kSignal;
    if (!killed) step.event = line.event;
    step.pid = pid;
    step.begin = BeginOnLine(line.number);
    if (!killed) step.end = step.begin + 1;
    step.signal = strace::SignalNumber(line.event->signal).value_or(9);
    plan_.steps.push_back(step);
  }

  absl::Status FindParents() {
    for (const PlanStep& step : plan_.steps) {
      if (step.child == 0) continue;
      const auto child = plan_.processes.find(step.child);
      if (child == plan_.processes.end()) {
        plan_.processes[step.child] = {step.child, step.pid, {}};
      } else if (child->second.parent != 0 || step.child == step.pid) {
        return absl::InvalidArgumentError(absl::StrCat(
            transcript_.file_name, ":", step.call->begin.line, ":", step.call->begin.column,
            ": process ", step.child, " is made a second time, expected a new pid"));
      } else {
        child->second.parent = step.pid;
      }
    }
    return absl::OkStatus();
  }

  static bool IsVfork(const PlanStep& step) {
    if (step.call->name == "vfork") return true;
    if (step.call->name != "clone" && step.call->name != "clone3") return false;
    return std::any_of(step.call->args.begin(), step.call->args.end(), MentionsVfork);
  }

  static bool MentionsVfork(const strace::Value& value) {
    if (value.kind == strace::ValueKind::kSymbol && value.text == "CLONE_VFORK") return true;
    return std::any_of(value.children.begin(), value.children.end(), MentionsVfork);
  }

  // When the process's last step begins; 0 if it has none.
  PlanTime LastBegin(int pid) const {
    PlanTime last = 0;
    for (const PlanStep& step : plan_.steps) {
      if (step.pid == pid) last = std::max(last, step.begin);
    }
    return last;
  }

  bool HasExecve(int pid) const {
    return std::any_of(plan_.steps.begin(), plan_.steps.end(), [pid](const PlanStep& step) {
      return step.pid == pid && step.call != nullptr && step.call->name == "execve";
    });
  }

  void InferExecs() {
    const size_t recorded = plan_.steps.size();
    for (size_t i = 0; i < recorded; ++i) {
      const PlanStep& vfork = plan_.steps[i];
      if (vfork.child == 0 || !IsVfork(vfork) || HasExecve(vfork.child)) continue;
      if (LastBegin(vfork.child) < vfork.end) continue;
      PlanStep exec;
      exec.kind = PlanStep::Kind::kExec;
      exec.pid = vfork.child;
      exec.begin = ExecOnLine(LineOf(vfork.end));
      exec.end = exec.begin + 1;
      plan_.steps.push_back(exec);
    }
  }

  void Sort() {
    std::stable_sort(plan_.steps.begin(), plan_.steps.end(),
                     [](const PlanStep& a, const PlanStep& b) { return a.begin < b.begin; });
    for (size_t i = 0; i < plan_.steps.size(); ++i) {
      plan_.processes[plan_.steps[i].pid].steps.push_back(i);
    }
  }

  const strace::Transcript& transcript_;
  const int only_pid_;
  Plan plan_;
};

}  // namespace

absl::StatusOr<Plan> MakePlan(const strace::Transcript& transcript) {
  return Planner(transcript).Make();
}

std::string UnseenProcesses(const Plan& plan) {
  for (const auto& [pid, process] : plan.processes) {
    if (process.parent == 0 || !process.steps.empty()) continue;
    return absl::StrCat("; no call of process ", pid,
                        " is in the transcript: strace -f records those, too");
  }
  return "";
}

}  // namespace kpath
