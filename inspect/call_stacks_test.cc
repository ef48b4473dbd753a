// SPDX-License-Identifier: Apache-2.0
#include "inspect/call_stacks.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entry/boot.h"
#include "gtest/gtest.h"
#include "sim/kernel/sched.h"

namespace kpath {
namespace {

// Stops the machine where a function is entered, or left, for the first time after `from`.
class StopAt : public ProbeListener {
 public:
  StopAt(Machine& machine, ProbeEvent::Kind kind, std::string function)
      : machine_(machine), kind_(kind), function_(std::move(function)) {
    machine_.AddListener(this);
  }
  ~StopAt() override { machine_.RemoveListener(this); }
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind != kind_ || event.function->name != function_) return;
    context = current_context;
    machine_.RequestStop();
  }
  const Context* context = nullptr;

 private:
  Machine& machine_;
  const ProbeEvent::Kind kind_;
  const std::string function_;
};

std::string Names(const std::vector<const Frame*>& frames) {
  std::string text;
  for (const Frame* frame : frames) {
    absl::StrAppend(&text, text.empty() ? "" : " < ",
                    frame->function != nullptr ? frame->function->name : frame->symbol->name);
  }
  return text;
}

struct Stacked {
  Stacked() {
    system.machine().AddListener(&stacks);
    system.Start("prog", [] {
      user::Arena arena;
      auto ctx = arena.New<user::io_context_t>();
      user::io_setup(8, ctx);
      user::io_destroy(ctx.Load());
    });
  }
  System system;
  CallStacks stacks;
};

TEST(CallStacks, FromTheInstructionToTheInnermostFunction) {
  Stacked run;
  StopAt stop(run.system.machine(), ProbeEvent::Kind::kFunctionEnter, "ioctx_alloc");
  ASSERT_EQ(run.system.machine().Run(), Machine::Outcome::kStopped);
  const auto frames = run.stacks.Of(stop.context);
  EXPECT_EQ(Names(frames),
            "ioctx_alloc < __do_sys_io_setup < __se_sys_io_setup < __x64_sys_io_setup < "
            "do_syscall_64 < entry_SYSCALL_64");
  ASSERT_TRUE(frames[0]->Find("nr_events").has_value());
  EXPECT_EQ(frames[0]->Find("nr_events")->bits, 8u);
  EXPECT_FALSE(frames[0]->Find("no_such_name").has_value());
  EXPECT_EQ(run.stacks.Depth(stop.context), 6);
}

TEST(CallStacks, AFunctionThatIsLeftIsGone) {
  Stacked run;
  StopAt stop(run.system.machine(), ProbeEvent::Kind::kFunctionExit, "__x64_sys_io_setup");
  ASSERT_EQ(run.system.machine().Run(), Machine::Outcome::kStopped);
  EXPECT_EQ(Names(run.stacks.Of(stop.context)), "do_syscall_64 < entry_SYSCALL_64");
}

TEST(CallStacks, TheSecondSystemCallStandsOnTheFirstOnesGround) {
  Stacked run;
  StopAt stop(run.system.machine(), ProbeEvent::Kind::kFunctionEnter, "kill_ioctx");
  ASSERT_EQ(run.system.machine().Run(), Machine::Outcome::kStopped);
  EXPECT_EQ(Names(run.stacks.Of(stop.context)),
            "kill_ioctx < __do_sys_io_destroy < __se_sys_io_destroy < __x64_sys_io_destroy < "
            "do_syscall_64 < entry_SYSCALL_64");
}

}  // namespace
}  // namespace kpath
