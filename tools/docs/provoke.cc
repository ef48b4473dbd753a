// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/docs/condition.h"

namespace kpath {
namespace {

// Keeps what the entry point of the last system call returned.
class LastResult : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind != ProbeEvent::Kind::kFunctionExit || event.values.empty()) return;
    if (on_ && absl::StartsWith(event.function->name, "__x64_sys_io_")) {
      result_ = static_cast<int64_t>(event.values[0].bits);
      reason_ = current->reason.Text();
      on_ = false;  // a call that is made again later is another one
    }
  }
  void Start() { on_ = true; }
  int64_t result() const { return result_; }
  const std::string& reason() const { return reason_; }

 private:
  bool on_ = false;
  int64_t result_ = 0;
  std::string reason_;
};

class FailOne : public Chooser {
 public:
  explicit FailOne(int rank) : rank_(rank) {}
  int Choose(uint64_t, ChoiceKind kind, int) override {
    return kind == ChoiceKind::kFailAlloc && rank_-- == 0;
  }

 private:
  int rank_;
};

std::string ResultText(int64_t result) { return Value::Result(result).ToString(); }

// Runs a machine in which the call is made by `make`.
void RunOnce(const Condition& condition, LastResult* last,
             const std::function<void(const DocCall& call)>& make) {
  System system;
  system.machine().AddListener(last);
  system.Start("errors", [&] {
    AioProgram p;
    const DocCall call = condition.prepare(p);
    if (call.failing_allocation >= 0) {
      current->machine->SetChooser(std::make_unique<FailOne>(call.failing_allocation));
    }
    last->Start();
    make(call);
    current->machine->SetChooser(nullptr);
  });
  const std::string report = system.RunUntilIdle();
  if (!report.empty()) ADD_FAILURE() << condition.condition << ": " << report;
}

}  // namespace

Outcome Provoke(const Condition& condition) {
  Outcome outcome;
  LastResult last;
  RunOnce(condition, &last, [&](const DocCall& call) {
    const int64_t result = user::SyscallAt(user::kSyscallInstruction, call.number, call.arguments);
    outcome.libaio = ResultText(result);
  });
  outcome.kernel = ResultText(last.result());
  outcome.reason = last.reason();
  RunOnce(condition, &last, [&](const DocCall& call) {
    const auto& a = call.arguments;
    const int64_t result = user::syscall(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    outcome.syscall2 =
        result == -1 ? absl::StrCat("-1, errno ", ErrnoName(user::Errno())) : absl::StrCat(result);
  });
  return outcome;
}

std::string EventResult(const EventCondition& condition) {
  std::string result;
  System system;
  system.Start("errors", [&] {
    AioProgram p;
    EXPECT_EQ(p.Setup(8), 0);
    EXPECT_EQ(p.Submit({condition.prepare(p)}), 1) << condition.condition << p.Reason();
    if (condition.cancel) user::io_cancel(p.ctx, p.iocbs[0], p.events);
    EXPECT_EQ(user::io_getevents(p.ctx, 1, 1, p.events, {}), 1);
    result = ResultText(p.Event(0).res);
  });
  EXPECT_EQ(system.RunUntilIdle(), "") << condition.condition;
  return result;
}

}  // namespace kpath
