// SPDX-License-Identifier: Apache-2.0
//
// What a recording says about the moments between its steps: all registers before each of them, and
// what the C code that was run through left.
//
// A recorded step names the registers that it changed; of a called C function some recordings show
// nothing. What it left in the registers that C code may change is concluded from what follows: a
// later load that changed nothing found the register with that value already, a recorded argument
// of the next call was there before. What stays unknown is given a value that nothing else has
// (ClobberedValue). Of the saved registers on the stack, what the way out loads tells what the
// C code stored there.
#pragma once

#include <string>
#include <vector>

#include "entry/recorded_steps.h"

namespace kpath {

class RecordedStates {
 public:
  // `recording` must outlive this.
  explicit RecordedStates(const RecordedSteps& recording);

  // All registers before step `index`; of steps.size(): in the end.
  const RegisterValues& Before(size_t index) const { return before_[index]; }
  // The last call with pt_regs, and what it left in them, by field.
  const RecordedCall& pt_regs_call() const { return *pt_regs_call_; }
  const RegisterValues& pt_regs_left() const { return pt_regs_left_; }

 private:
  void ConcludeAfterCall(size_t step, RegisterValues& values) const;
  uint64_t ConcludeFlags(size_t step, uint64_t before_call) const;
  uint64_t Conclude(const std::string& reg, size_t step, const RegisterValues& values) const;
  void FindWhatWasLeft();

  const RecordedSteps& recording_;
  std::vector<RegisterValues> before_;
  const RecordedCall* pt_regs_call_ = nullptr;
  RegisterValues pt_regs_left_;
};

// rax rcx rdx rbx rsp …, in the order of Reg.
extern const char* const kGeneralRegisters[16];
// r15 r14 … ss, in the order of struct pt_regs.
extern const char* const kPtRegsFields[21];

// Sets the value of `name`, which may be new.
void SetValue(RegisterValues& values, absl::string_view name, uint64_t value);

}  // namespace kpath
