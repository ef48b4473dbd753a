// SPDX-License-Identifier: Apache-2.0
//
// One x86-64 instruction as data: what a listing (listing.h) is made of, what is executed
// (execute.h) and what is shown (disassemble.h). Write instructions with the makers of assembler.h.
#pragma once

#include <cstdint>

#include "sim/machine/cpu.h"

namespace kpath {

struct CodeBetween;

// A place in the kernel's text that code may go to, with what is there.
struct CodeSymbol {
  const char* name;  // the Linux name
  // Where the recorded v4.19.13 kernel has it.
  uint64_t address;
  // Goes there: `cpu` has the registers, rip among them, as the jump or call left them. Returns
  // when the code has returned or has left for user mode. The context may be on another Cpu then.
  void (*run)(Cpu& cpu);
  // How the recordings name it, where they count from an earlier symbol: common_interrupt+43.
  const char* recorded_symbol = nullptr;
  uint32_t recorded_offset = 0;

  // The code from here on, which ends right before `next` and goes on there.
  constexpr CodeBetween Before(const CodeSymbol& next) const;
};

struct CodeBetween {
  const CodeSymbol* symbol;
  const CodeSymbol* next;
};
constexpr CodeBetween CodeSymbol::Before(const CodeSymbol& next) const { return {this, &next}; }

enum class Opcode : uint8_t {
  kAdd,
  kCall,
  kCld,
  kCli,
  kCmp,
  kDec,
  kInc,
  kIret,
  kJe,
  kJmp,
  kJne,
  kJs,
  kLea,
  kMov,
  kOr,
  kPop,
  kPopf,
  kPush,
  kPushf,
  kRdmsr,
  kRet,
  kSar,
  kShl,
  kSwapgs,
  kSysret,
  kSysretl,
  kTest,
  kXor,
};

struct Operand {
  enum class Kind : uint8_t {
    kNone,
    kRegister,   // %rax, %eax: reg and bits
    kImmediate,  // $0x2b: value
    kMemory,     // 0x58(%rsp): value is the displacement, reg the base
    kPerCpu,     // %gs:rsp_scratch: variable
    kCode,       // target of a jump or call, what lea takes the address of: code
  };

  Kind kind = Kind::kNone;
  Reg reg = Reg::rax;
  uint8_t bits = 0;  // of a register: 64 or 32
  int32_t value = 0;
  const PerCpuSymbol* variable = nullptr;
  const CodeSymbol* code = nullptr;

  friend constexpr bool operator==(const Operand&, const Operand&) = default;
};

// Operands in the order of AT&T syntax. An instruction with one operand has it in `source` if it
// only reads it (push, call), in `destination` if it writes it (pop, inc).
struct Instruction {
  Opcode opcode;
  uint8_t bits = 64;  // operand size: 8, 32 or 64
  Operand source = {};
  Operand destination = {};

  friend constexpr bool operator==(const Instruction&, const Instruction&) = default;
};

}  // namespace kpath
