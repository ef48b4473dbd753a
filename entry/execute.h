// SPDX-License-Identifier: Apache-2.0
//
// What each instruction does to a Cpu: its registers, its flags, the bytes of its stack. Execute
// works on any instruction; Execute<opcode> is the same code for an opcode known at compile time,
// and folds to a few machine instructions when all of the instruction is known (listing.h); for
// that, all of it is inlined, always. Its Core is a Cpu, or what stands for one while a block of
// lines runs (block.h).
#pragma once

#include <type_traits>

#include "absl/base/attributes.h"
#include "entry/flags.h"
#include "entry/instruction.h"
#include "sim/machine/cpu.h"

namespace kpath {

// Where an instruction leaves control.
enum class Flow : uint8_t {
  kNext,    // at the next instruction
  kCall,    // at the target, which will come back to the next instruction
  kJump,    // at the target, for good
  kReturn,  // at the instruction after the call
  kLeave,   // outside of kernel code: SYSRET, IRET
};

// ---- Operands ----

template <typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline uint64_t AddressInMemory(const Core& cpu,
                                                             const Operand& operand) {
  return cpu.regs[operand.reg] + static_cast<int64_t>(operand.value);
}

// T is uint64_t, uint32_t or (to load only) uint8_t, the operand size; of memory, four bytes are
// loaded at least.
template <typename T, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline T Load(const Core& cpu, const Operand& operand) {
  using Word = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  switch (operand.kind) {
    case Operand::Kind::kRegister:
      return static_cast<T>(cpu.regs[operand.reg]);
    case Operand::Kind::kPerCpu:
      return static_cast<T>(cpu.template ReadAtGs<Word>(operand.variable->offset));
    case Operand::Kind::kMemory:
      return static_cast<T>(cpu.template Read<Word>(AddressInMemory(cpu, operand)));
    default:
      return static_cast<T>(static_cast<int64_t>(operand.value));
  }
}

// A 32-bit result clears the upper half of its register.
template <typename T, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void Store(Core& cpu, const Operand& operand, T value) {
  if (operand.kind == Operand::Kind::kRegister) {
    cpu.regs[operand.reg] = value;
  } else if (operand.kind == Operand::Kind::kPerCpu) {
    cpu.template WriteAtGs<T>(operand.variable->offset, value);
  } else {
    cpu.template Write<T>(AddressInMemory(cpu, operand), value);
  }
}

// What a conditional jump looks at. A Cpu has it in its flags.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool IsZero(const Cpu& cpu) {
  return (cpu.regs.rflags & X86_EFLAGS_ZF) != 0;
}
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool IsNegative(const Cpu& cpu) {
  return (cpu.regs.rflags & X86_EFLAGS_SF) != 0;
}
// `flags` are those of `affected` that a result, which is zero or negative, sets.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void ChangeFlags(Cpu& cpu, uint64_t affected, uint64_t flags,
                                                     bool /*zero*/, bool /*negative*/) {
  cpu.regs.rflags = (cpu.regs.rflags & ~affected) | flags;
}
template <typename T, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void SetFlags(Core& cpu, uint64_t affected, uint64_t flags,
                                                  T result) {
  ChangeFlags(cpu, affected, flags, result == 0, SignOf(result));
}

// ---- Instructions ----

// Those that compute: one or two operands, a result, flags.
template <Opcode kOpcode, typename T, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void Compute(Core& cpu, const Instruction& instruction) {
  constexpr uint64_t kAllButCarry = kArithmeticFlags & ~X86_EFLAGS_CF;
  const Operand& destination = instruction.destination;
  const T a = Load<T>(cpu, destination);
  if constexpr (kOpcode == Opcode::kInc) {
    SetFlags<T>(cpu, kAllButCarry, IncFlags(a), a + 1);
    Store<T>(cpu, destination, a + 1);
  } else if constexpr (kOpcode == Opcode::kDec) {
    SetFlags<T>(cpu, kAllButCarry, DecFlags(a), a - 1);
    Store<T>(cpu, destination, a - 1);
  } else {
    const T b = Load<T>(cpu, instruction.source);
    if constexpr (kOpcode == Opcode::kAdd) {
      SetFlags<T>(cpu, kArithmeticFlags, AddFlags(a, b), a + b);
      Store<T>(cpu, destination, a + b);
    } else if constexpr (kOpcode == Opcode::kXor) {
      SetFlags<T>(cpu, kArithmeticFlags, LogicFlags<T>(a ^ b), a ^ b);
      Store<T>(cpu, destination, a ^ b);
    } else if constexpr (kOpcode == Opcode::kOr) {
      SetFlags<T>(cpu, kArithmeticFlags, LogicFlags<T>(a | b), a | b);
      Store<T>(cpu, destination, a | b);
    } else if constexpr (kOpcode == Opcode::kTest) {
      SetFlags<T>(cpu, kArithmeticFlags, LogicFlags<T>(a & b), a & b);
    } else {
      static_assert(kOpcode == Opcode::kCmp);
      SetFlags<T>(cpu, kArithmeticFlags, SubFlags(a, b), a - b);
    }
  }
}

template <Opcode kOpcode, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void Shift(Core& cpu, const Instruction& instruction) {
  const uint64_t a = Load<uint64_t>(cpu, instruction.destination);
  const int count = instruction.source.value;
  constexpr bool kLeft = kOpcode == Opcode::kShl;
  const uint64_t result = kLeft ? a << count : static_cast<int64_t>(a) >> count;
  const uint64_t flags = kLeft ? ShlFlags(a, count) : SarFlags(a, count);
  SetFlags(cpu, kArithmeticFlags, flags, result);
  Store<uint64_t>(cpu, instruction.destination, result);
}

template <typename T, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void Move(Core& cpu, const Instruction& instruction) {
  Store<T>(cpu, instruction.destination, Load<T>(cpu, instruction.source));
}

template <typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void LoadAddress(Core& cpu, const Instruction& instruction) {
  const bool of_code = instruction.source.kind == Operand::Kind::kCode;
  cpu.regs[instruction.destination.reg] =
      of_code ? instruction.source.code->address : AddressInMemory(cpu, instruction.source);
}

// Whether a conditional jump is made.
template <Opcode kOpcode, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool Holds(const Core& cpu) {
  if constexpr (kOpcode == Opcode::kJe) return IsZero(cpu);
  if constexpr (kOpcode == Opcode::kJne) return !IsZero(cpu);
  if constexpr (kOpcode == Opcode::kJs) return IsNegative(cpu);
}

// The instructions without operands that go on at the next one.
template <Opcode kOpcode, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void ExecuteSimple(Core& cpu) {
  if constexpr (kOpcode == Opcode::kSwapgs) cpu.Swapgs();
  if constexpr (kOpcode == Opcode::kCld) cpu.regs.rflags &= ~X86_EFLAGS_DF;
  if constexpr (kOpcode == Opcode::kCli) cpu.DisableIrqs();
  if constexpr (kOpcode == Opcode::kPushf) cpu.Pushf();
  if constexpr (kOpcode == Opcode::kPopf) cpu.Popf();
  if constexpr (kOpcode == Opcode::kRdmsr) cpu.Rdmsr();
}

template <Opcode kOpcode>
inline constexpr bool kIsSimple =
    kOpcode == Opcode::kSwapgs || kOpcode == Opcode::kCld || kOpcode == Opcode::kCli ||
    kOpcode == Opcode::kPushf || kOpcode == Opcode::kPopf || kOpcode == Opcode::kRdmsr;

template <typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Flow JumpTo(Core& cpu, const CodeSymbol& target) {
  cpu.regs.rip = target.address;
  return Flow::kJump;
}

// Carries out one instruction, up to and including a jump's or a call's new rip; going there is the
// caller's business. `next_rip` is the address of the instruction after it.
template <Opcode kOpcode, typename Core>
ABSL_ATTRIBUTE_ALWAYS_INLINE inline Flow Execute(Core& cpu, const Instruction& instruction,
                                                 uint64_t next_rip) {
  cpu.regs.rip = next_rip;
  if constexpr (kIsSimple<kOpcode>) {
    ExecuteSimple<kOpcode>(cpu);
  } else if constexpr (kOpcode == Opcode::kSysret) {
    cpu.SysretQ();
    return Flow::kLeave;
  } else if constexpr (kOpcode == Opcode::kSysretl) {
    cpu.SysretL();
    return Flow::kLeave;
  } else if constexpr (kOpcode == Opcode::kIret) {
    cpu.IretQ();
    return Flow::kLeave;
  } else if constexpr (kOpcode == Opcode::kJmp) {
    return JumpTo(cpu, *instruction.source.code);
  } else if constexpr (kOpcode == Opcode::kJe || kOpcode == Opcode::kJne ||
                       kOpcode == Opcode::kJs) {
    if (Holds<kOpcode>(cpu)) return JumpTo(cpu, *instruction.source.code);
  } else if constexpr (kOpcode == Opcode::kRet) {
    cpu.regs.rip = cpu.Pop();
    return Flow::kReturn;
  } else if constexpr (kOpcode == Opcode::kLea) {
    LoadAddress(cpu, instruction);
  } else if constexpr (kOpcode == Opcode::kCall) {
    cpu.Push(next_rip);
    cpu.regs.rip = instruction.source.code->address;
    return Flow::kCall;
  } else if constexpr (kOpcode == Opcode::kPush) {
    cpu.Push(Load<uint64_t>(cpu, instruction.source));
  } else if constexpr (kOpcode == Opcode::kPop) {
    // The pointer moves before the word is stored: pop %rsp leaves what was popped.
    Store<uint64_t>(cpu, instruction.destination, cpu.Pop());
  } else if constexpr (kOpcode == Opcode::kShl || kOpcode == Opcode::kSar) {
    Shift<kOpcode>(cpu, instruction);
  } else if constexpr (kOpcode == Opcode::kMov) {
    instruction.bits == 32 ? Move<uint32_t>(cpu, instruction) : Move<uint64_t>(cpu, instruction);
  } else if constexpr (kOpcode == Opcode::kTest) {
    if (instruction.bits == 8) {
      Compute<kOpcode, uint8_t>(cpu, instruction);
    } else {
      instruction.bits == 32 ? Compute<kOpcode, uint32_t>(cpu, instruction)
                             : Compute<kOpcode, uint64_t>(cpu, instruction);
    }
  } else {
    instruction.bits == 32 ? Compute<kOpcode, uint32_t>(cpu, instruction)
                           : Compute<kOpcode, uint64_t>(cpu, instruction);
  }
  return Flow::kNext;
}

Flow Execute(Cpu& cpu, const Instruction& instruction, uint64_t next_rip);

}  // namespace kpath
