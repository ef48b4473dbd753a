// SPDX-License-Identifier: Apache-2.0
#include "entry/disassemble.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace kpath {
namespace {

constexpr absl::string_view kNames64[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                          "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
constexpr absl::string_view kNames32[] = {"eax",  "ecx",  "edx",  "ebx", "esp",  "ebp",
                                          "esi",  "edi",  "r8d",  "r9d", "r10d", "r11d",
                                          "r12d", "r13d", "r14d", "r15d"};

absl::string_view RegisterName(Reg reg, int bits) {
  return (bits == 32 ? kNames32 : kNames64)[static_cast<int>(reg)];
}

absl::string_view Mnemonic(Opcode opcode) {
  switch (opcode) {
    case Opcode::kAdd:
      return "add";
    case Opcode::kCall:
      return "call";
    case Opcode::kCld:
      return "cld";
    case Opcode::kCli:
      return "cli";
    case Opcode::kCmp:
      return "cmp";
    case Opcode::kDec:
      return "dec";
    case Opcode::kInc:
      return "inc";
    case Opcode::kIret:
      return "iretq";
    case Opcode::kJe:
      return "je";
    case Opcode::kJmp:
      return "jmp";
    case Opcode::kJne:
      return "jne";
    case Opcode::kJs:
      return "js";
    case Opcode::kLea:
      return "lea";
    case Opcode::kMov:
      return "mov";
    case Opcode::kOr:
      return "or";
    case Opcode::kPop:
      return "pop";
    case Opcode::kPopf:
      return "popf";
    case Opcode::kPush:
      return "push";
    case Opcode::kPushf:
      return "pushf";
    case Opcode::kRdmsr:
      return "rdmsr";
    case Opcode::kRet:
      return "ret";
    case Opcode::kSar:
      return "sar";
    case Opcode::kShl:
      return "shl";
    case Opcode::kSwapgs:
      return "swapgs";
    case Opcode::kSysret:
      return "sysretq";
    case Opcode::kSysretl:
      return "sysretl";
    case Opcode::kTest:
      return "test";
    case Opcode::kXor:
      return "xor";
  }
  return "(bad)";
}

// The size is named only where no register operand tells it: cmpq $0x33,0x88(%rsp). Pushing and
// popping is always done in 64 bits.
absl::string_view SizeSuffix(const Instruction& instruction) {
  const bool sized = instruction.opcode != Opcode::kPush && instruction.opcode != Opcode::kPop;
  const bool to_memory = instruction.destination.kind == Operand::Kind::kMemory ||
                         instruction.destination.kind == Operand::Kind::kPerCpu;
  if (!sized || !to_memory || instruction.source.kind == Operand::Kind::kRegister) return "";
  if (instruction.bits == 8) return "b";
  return instruction.bits == 32 ? "l" : "q";
}

std::string SignedHex(int32_t value) {
  const int64_t wide = value;
  return wide < 0 ? absl::StrFormat("-0x%x", -wide) : absl::StrFormat("0x%x", wide);
}

std::string MemoryText(const Operand& operand) {
  return absl::StrCat(operand.value == 0 ? "" : SignedHex(operand.value), "(%",
                      RegisterName(operand.reg, 64), ")");
}

std::string PerCpuText(const PerCpuSymbol& variable, AsmStyle style) {
  if (style == AsmStyle::kNamed) return absl::StrCat("%gs:", variable.name);
  return absl::StrFormat("%%gs:0x%x", variable.offset);
}

std::string CodeText(const CodeSymbol& code, AsmStyle style) {
  if (style == AsmStyle::kNamed) return code.name;
  return absl::StrFormat("0x%x <%s>", code.address, Locate(code, 0, style));
}

// Immediates are shown as they are used: extended to the operand size.
std::string ImmediateText(int32_t value, int bits) {
  const uint64_t extended = static_cast<uint64_t>(int64_t{value});
  return absl::StrFormat("$0x%x", bits == 32 ? extended & 0xffffffff : extended);
}

std::string OperandText(const Operand& operand, int bits, AsmStyle style) {
  switch (operand.kind) {
    case Operand::Kind::kNone:
      return "";
    case Operand::Kind::kRegister:
      return absl::StrCat("%", RegisterName(operand.reg, operand.bits));
    case Operand::Kind::kImmediate:
      return ImmediateText(operand.value, bits);
    case Operand::Kind::kMemory:
      return MemoryText(operand);
    case Operand::Kind::kPerCpu:
      return PerCpuText(*operand.variable, style);
    case Operand::Kind::kCode:
      return CodeText(*operand.code, style);
  }
  return "(bad)";
}

}  // namespace

std::string Disassemble(const Instruction& instruction, AsmStyle style) {
  const std::string mnemonic = absl::StrCat(Mnemonic(instruction.opcode), SizeSuffix(instruction));
  const std::string source = OperandText(instruction.source, instruction.bits, style);
  const std::string destination = OperandText(instruction.destination, instruction.bits, style);
  if (source.empty() && destination.empty()) return mnemonic;
  const bool two = !source.empty() && !destination.empty();
  return absl::StrFormat("%-6s %s%s%s", mnemonic, source, two ? "," : "", destination);
}

std::string Locate(const CodeSymbol& symbol, uint32_t offset, AsmStyle style) {
  const bool renamed = style == AsmStyle::kRecorded && symbol.recorded_symbol != nullptr;
  const absl::string_view name = renamed ? symbol.recorded_symbol : symbol.name;
  if (renamed) offset += symbol.recorded_offset;
  return offset == 0 ? std::string(name) : absl::StrCat(name, "+", offset);
}

}  // namespace kpath
