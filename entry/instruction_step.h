// SPDX-License-Identifier: Apache-2.0
//
// What a listener is told of an executed instruction.
//
//   void OnProbe(const ProbeEvent& event) override {
//     if (event.kind != ProbeEvent::Kind::kInstruction) return;
//     const auto& step = *static_cast<const InstructionStep*>(event.instruction);
//     std::cout << Locate(step.symbol, step.offset) << " " << Disassemble(*step.instruction) ...
//   }
#pragma once

#include <cstdint>
#include <vector>

#include "entry/instruction.h"

namespace kpath {

// What is to be seen of a general register: while 32-bit code runs, the low half of the first
// eight.
inline uint64_t VisibleValue(const Registers& regs, Reg reg) {
  if (regs.cs != __USER32_CS) return regs[reg];
  return reg >= Reg::r8 ? 0 : static_cast<uint32_t>(regs[reg]);
}

struct RegisterChange {
  const char* name;  // as the recordings name it: "rsp", "eflags", "cs", "gs_base"
  uint64_t value;    // after the instruction
  friend bool operator==(const RegisterChange&, const RegisterChange&) = default;
};

// What an instruction may change, but for memory.
struct WatchedRegisters {
  Registers regs;
  uint64_t gs_base = 0;
};

// Valid during the call of the listener only.
struct InstructionStep {
  const Instruction* instruction;
  const CodeSymbol* symbol;  // it stands at this symbol plus `offset` bytes
  uint32_t offset;
  const WatchedRegisters* before = nullptr;
  const WatchedRegisters* after = nullptr;
  // The memory it stored to: 4 or 8 bytes at this address, or 0 bytes.
  int stored_bytes = 0;
  uint64_t stored_address = 0;
  uint64_t stored_value = 0;
};

// The registers whose value is another one than before, in the order of the recordings: rax rbx rcx
// rdx rsi rdi rbp rsp r8 … r15 eflags cs ss gs_base. Never rip.
std::vector<RegisterChange> ChangesOf(const InstructionStep& step);

}  // namespace kpath
