// SPDX-License-Identifier: Apache-2.0
//
// One executed instruction as a line of text, in the columns of the recordings under
// tests/reference:
//
//   entry_SYSCALL_64+3         | mov    %rsp,%gs:rsp_scratch                  |
//   entry_SYSCALL_64+12        | mov    %gs:cpu_current_top_of_stack,%rsp     |
//   rsp=ffff888000108000
#pragma once

#include <string>

#include "entry/disassemble.h"
#include "entry/instruction_step.h"

namespace kpath {

// The registers that changed: `rdx=0 eflags=46`.
std::string ChangesText(const InstructionStep& step);

// All columns. Without a trailing space.
std::string StepText(const InstructionStep& step, AsmStyle style = AsmStyle::kNamed);

}  // namespace kpath
