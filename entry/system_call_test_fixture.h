// SPDX-License-Identifier: Apache-2.0
//
// For tests of the C part of the system call path: a booted system in which a program in ring 3
// makes a system call that is a function of the test.
//
//   call_body = [](const pt_regs* regs) { return 5L; };
//   EXPECT_EQ(Call(kNr), 5);
//   EXPECT_THAT(happened, ElementsAre("call"));
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "entry/boot.h"
#include "entry/instruction_step.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "syscall_table/sys_call_table.h"

namespace kpath {

inline constexpr uint64_t kNr = 400;  // a slot that v4.19 does not use
inline constexpr uint64_t kOtherNr = 401;

// What happened, in order: written by the functions below.
inline std::vector<std::string> happened;
// What TestCall does; nothing if empty.
inline std::function<long(const pt_regs*)> call_body;

inline long TestCall(const pt_regs* regs) {
  happened.push_back("call");
  return call_body == nullptr ? 0 : call_body(regs);
}
inline long OtherTestCall(const pt_regs*) {
  happened.push_back("other call");
  return 7;
}

// Notes the modelled functions that are entered, of those asked for, and where IRET is executed.
class FunctionRecorder : public ProbeListener {
 public:
  explicit FunctionRecorder(std::vector<std::string> names) : names_(std::move(names)) {}
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind == ProbeEvent::Kind::kFunctionEnter) Note(event.function->name);
    if (event.kind != ProbeEvent::Kind::kInstruction) return;
    const auto* step = static_cast<const InstructionStep*>(event.instruction);
    if (step->offset == 0) Note(step->symbol->name);
  }

 private:
  void Note(const std::string& name) {
    for (const std::string& wanted : names_) {
      if (name == wanted) happened.push_back(name);
    }
  }
  const std::vector<std::string> names_;
};

class SystemCallTest : public testing::Test {
 protected:
  explicit SystemCallTest(const SystemOptions& options = {}) : system_(options) {
    happened.clear();
    call_body = nullptr;
    SysCallTable& table = sys_call_table.Get(system_.machine());
    table.Set(kNr, {.function = TestCall, .name = "test_call", .fidelity = Fidelity::kFull});
    table.Set(kOtherNr,
              {.function = OtherTestCall, .name = "other_call", .fidelity = Fidelity::kFull});
  }

  // The result of one system call, made by a process of its own. Expects no report.
  int64_t Call(uint64_t nr, uint64_t argument = 0) {
    int64_t result = 0;
    system_.Start("caller", [&] { result = user::Syscall(nr, argument); });
    EXPECT_EQ(system_.RunUntilIdle(), "");
    return result;
  }

  // The report that one call leads to.
  std::string ReportOf(uint64_t nr) {
    system_.Start("caller", [nr] { user::Syscall(nr); });
    return system_.RunUntilIdle();
  }

  // What happened in one call, with the functions of these names.
  std::vector<std::string> FunctionsDuringCall(std::vector<std::string> names) {
    FunctionRecorder recorder(std::move(names));
    system_.machine().AddListener(&recorder);
    Call(kNr);
    system_.machine().RemoveListener(&recorder);
    return happened;
  }

  System system_;
};

}  // namespace kpath
