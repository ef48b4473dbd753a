// SPDX-License-Identifier: Apache-2.0
//
// Exceptions that programs raise on purpose, from the instruction to the signal.
#include "entry/traps.h"

#include <csignal>
#include <functional>
#include <string>

#include "entry/boot.h"
#include "entry/instruction_step.h"
#include "gtest/gtest.h"
#include "sim/kernel/sched.h"

namespace kpath {
namespace {

// Ends with this status, as wait4 reports it, after running the code; -1: the kernel has reported.
int StatusOf(const std::function<void()>& code) {
  System system;
  const int pid = system.Start("prog", code)->pid;
  EXPECT_EQ(system.Run(), "");
  return system.ExitStatus(pid).value_or(-1);
}

TEST(Traps, EachExceptionHasItsSignal) {
  EXPECT_EQ(StatusOf(user::DivideByZero), SIGFPE);
  EXPECT_EQ(StatusOf(user::Int1), SIGTRAP);
  EXPECT_EQ(StatusOf(user::Int3), SIGTRAP);
  EXPECT_EQ(StatusOf(user::Into), SIGSEGV);
  EXPECT_EQ(StatusOf(user::Bound), SIGSEGV);
  EXPECT_EQ(StatusOf(user::UndefinedInstruction), SIGILL);
  EXPECT_EQ(StatusOf(user::AccessPort), SIGSEGV);
}

TEST(Traps, EachVectorHasItsSignal) {
  const struct {
    user::Vector vector;
    int signal;
  } kVectors[] = {{user::kCoprocessorSegmentOverrun, SIGFPE},
                  {user::kInvalidTss, SIGSEGV},
                  {user::kSegmentNotPresent, SIGBUS},
                  {user::kStackSegment, SIGBUS},
                  {user::kGeneralProtection, SIGSEGV},
                  {user::kMathFault, SIGFPE},
                  {user::kAlignmentCheck, SIGBUS},
                  {user::kSimdException, SIGFPE}};
  for (const auto& test : kVectors) {
    EXPECT_EQ(StatusOf([&] { user::Raise(test.vector, 0x18); }), test.signal)
        << static_cast<int>(test.vector);
  }
}

TEST(Traps, OnlyThreeVectorsAreForIntN) {
  for (const int vector : {0, 1, 2, 5, 6, 8, 13, 14, 0x20, 0x21, 0x81, 0xec, 0xfd, 0xff}) {
    EXPECT_EQ(StatusOf([&] { user::Int(static_cast<uint8_t>(vector)); }), SIGSEGV) << vector;
  }
  EXPECT_EQ(StatusOf([] { user::Int(3); }), SIGTRAP);
  EXPECT_EQ(StatusOf([] { user::Int(4); }), SIGSEGV);
}

TEST(Traps, TheUnexpectedStopsTheMachine) {
  System system;
  system.Start("prog", [] { user::Raise(user::kDeviceNotAvailable); });
  EXPECT_EQ(system.Run().substr(0, 29), "unexpected #NM exception: 000");
}

// Notes where the stack is at an instruction.
class StackRecorder : public ProbeListener {
 public:
  explicit StackRecorder(std::string symbol) : symbol_(std::move(symbol)) {}
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind != ProbeEvent::Kind::kInstruction) return;
    const auto* step = static_cast<const InstructionStep*>(event.instruction);
    if (step->symbol->name != symbol_ || step->offset != 0) return;
    rsp = current->cpu->regs[Reg::rsp];
  }
  uint64_t rsp = 0;

 private:
  const std::string symbol_;
};

TEST(Traps, DebugHasAStackOfItsOwnAndInt3HasNot) {
  const auto stack_of = [](const char* symbol, const std::function<void()>& code, int ist) {
    System system;
    StackRecorder recorder(symbol);
    system.machine().AddListener(&recorder);
    system.Start("prog", code);
    EXPECT_EQ(system.Run(), "");
    system.machine().RemoveListener(&recorder);
    const Cpu& cpu = system.machine().cpu(0);
    // The frame and the -1 that the first instruction has pushed.
    return recorder.rsp + 48 == (ist == 0 ? cpu.entry_stack_top() : cpu.ist[ist]);
  };
  EXPECT_TRUE(stack_of("debug", user::Int1, 3));
  EXPECT_TRUE(stack_of("int3", user::Int3, 0));
}

TEST(Traps, AnNmiInUserModeAndInTheIdleLoopIsPassedOver) {
  System system;
  bool went_on = false;
  system.Start("prog", [&] {
    current->cpu->RaiseInterrupt(2);
    EXPECT_GT(user::getpid(), 0);
    went_on = true;
  });
  EXPECT_EQ(system.Run(), "");
  EXPECT_TRUE(went_on);
  system.machine().cpu(0).RaiseInterrupt(2);
  EXPECT_EQ(system.RunUntilIdle(), "");
}

}  // namespace
}  // namespace kpath
