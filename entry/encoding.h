// SPDX-License-Identifier: Apache-2.0
//
// How many bytes an instruction has, so that a listing's symbol+offset are those of the real
// kernel. It covers the forms that assembler.h can make, encoded as GNU as does: in the shortest
// way. Intel SDM volume 2, chapter 2.
#pragma once

#include "entry/instruction.h"

namespace kpath {

constexpr bool FitsInByte(int64_t value) { return value >= -128 && value <= 127; }

// Registers that need a REX prefix to be named.
constexpr bool IsExtended(Reg reg) { return reg >= Reg::r8; }

// ModR/M, SIB and displacement of a register or memory operand.
constexpr int ModRmLength(const Operand& operand) {
  if (operand.kind == Operand::Kind::kRegister) return 1;
  if (operand.kind == Operand::Kind::kPerCpu) return 2 + 4;
  const int sib = operand.reg == Reg::rsp || operand.reg == Reg::r12 ? 1 : 0;
  const bool needs_displacement = operand.reg == Reg::rbp || operand.reg == Reg::r13;
  if (operand.value == 0 && !needs_displacement) return 1 + sib;
  return 1 + sib + (FitsInByte(operand.value) ? 1 : 4);
}

// The %gs: prefix, and REX.
constexpr int PrefixLength(const Instruction& instruction, bool defaults_to_64_bits) {
  int length = 0;
  bool rex = instruction.bits == 64 && !defaults_to_64_bits;
  for (const Operand* operand : {&instruction.source, &instruction.destination}) {
    if (operand->kind == Operand::Kind::kPerCpu) ++length;
    const bool names_register =
        operand->kind == Operand::Kind::kRegister || operand->kind == Operand::Kind::kMemory;
    if (names_register && IsExtended(operand->reg)) rex = true;
  }
  return length + (rex ? 1 : 0);
}

constexpr int StackLength(const Instruction& instruction, const Operand& operand) {
  const int prefix = PrefixLength(instruction, /*defaults_to_64_bits=*/true);
  if (operand.kind == Operand::Kind::kRegister) return prefix + 1;
  if (operand.kind == Operand::Kind::kImmediate) return FitsInByte(operand.value) ? 2 : 5;
  return prefix + 1 + ModRmLength(operand);
}

constexpr int ImmediateLength(const Instruction& instruction) {
  const Operand& destination = instruction.destination;
  const bool to_register = destination.kind == Operand::Kind::kRegister;
  const int prefix = PrefixLength(instruction, /*defaults_to_64_bits=*/false);
  const bool has_byte_form =
      instruction.opcode == Opcode::kAdd || instruction.opcode == Opcode::kCmp ||
      instruction.opcode == Opcode::kOr || instruction.opcode == Opcode::kXor;
  if (has_byte_form && FitsInByte(instruction.source.value)) {
    return prefix + 1 + ModRmLength(destination) + 1;
  }
  if (instruction.bits == 8) return prefix + 1 + ModRmLength(destination) + 1;
  // The accumulator has encodings of its own, and so has a 32-bit load of a constant.
  const bool is_load = instruction.opcode == Opcode::kMov;
  const bool without_modrm =
      to_register && (is_load ? instruction.bits == 32 : destination.reg == Reg::rax);
  return prefix + 1 + (without_modrm ? 0 : ModRmLength(destination)) + 4;
}

constexpr int TwoOperandLength(const Instruction& instruction) {
  // lea symbol(%rip): a displacement of four bytes and nothing else.
  if (instruction.source.kind == Operand::Kind::kCode) return 3 + 4;
  if (instruction.source.kind == Operand::Kind::kImmediate) return ImmediateLength(instruction);
  const bool memory_source = instruction.source.kind != Operand::Kind::kRegister;
  return PrefixLength(instruction, /*defaults_to_64_bits=*/false) + 1 +
         ModRmLength(memory_source ? instruction.source : instruction.destination);
}

// A jump has a short form (2 bytes) where the target is near enough.
constexpr int JumpLength(const Instruction& instruction, uint64_t address, int near_length) {
  const auto distance = static_cast<int64_t>(instruction.source.code->address - (address + 2));
  return FitsInByte(distance) ? 2 : near_length;
}

// `address` is where the instruction stands; only the length of a jump depends on it.
constexpr int EncodedLength(const Instruction& instruction, uint64_t address) {
  switch (instruction.opcode) {
    case Opcode::kSwapgs:
    case Opcode::kSysret:
      return 3;
    case Opcode::kIret:
    case Opcode::kRdmsr:
    case Opcode::kSysretl:
      return 2;
    case Opcode::kCld:
    case Opcode::kCli:
    case Opcode::kPopf:
    case Opcode::kPushf:
    case Opcode::kRet:
      return 1;
    case Opcode::kCall:
      return 5;
    case Opcode::kJmp:
      return JumpLength(instruction, address, 5);
    case Opcode::kJe:
    case Opcode::kJne:
    case Opcode::kJs:
      return JumpLength(instruction, address, 6);
    case Opcode::kPush:
      return StackLength(instruction, instruction.source);
    case Opcode::kPop:
      return StackLength(instruction, instruction.destination);
    case Opcode::kInc:
    case Opcode::kDec:
      return PrefixLength(instruction, false) + 1 + ModRmLength(instruction.destination);
    case Opcode::kShl:
    case Opcode::kSar:
      // Shifting by one has an encoding without the count.
      return PrefixLength(instruction, false) + 1 + ModRmLength(instruction.destination) +
             (instruction.source.value == 1 ? 0 : 1);
    case Opcode::kAdd:
    case Opcode::kCmp:
    case Opcode::kLea:
    case Opcode::kMov:
    case Opcode::kOr:
    case Opcode::kTest:
    case Opcode::kXor:
      return TwoOperandLength(instruction);
  }
  return 0;
}

}  // namespace kpath
