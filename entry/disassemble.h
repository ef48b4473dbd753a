// SPDX-License-Identifier: Apache-2.0
//
// The text of an instruction, in AT&T syntax as objdump prints it.
//
//   kNamed:     mov    %rsp,%gs:rsp_scratch
//               jne    swapgs_restore_regs_and_return_to_usermode
//   kRecorded:  mov    %rsp,%gs:0x140c8
//               jne    0xffffffff814008ab <common_interrupt+43>
//
// kRecorded is the style of the recordings under tests/reference: variables and code by address.
#pragma once

#include <cstdint>
#include <string>

#include "entry/instruction.h"

namespace kpath {

enum class AsmStyle : uint8_t { kNamed, kRecorded };

std::string Disassemble(const Instruction& instruction, AsmStyle style = AsmStyle::kNamed);

// `entry_SYSCALL_64+12`; without the offset where it is 0. In kRecorded style code that the
// recordings count from an earlier symbol is named so: common_interrupt+43.
std::string Locate(const CodeSymbol& symbol, uint32_t offset, AsmStyle style = AsmStyle::kNamed);

}  // namespace kpath
