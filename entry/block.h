// SPDX-License-Identifier: Apache-2.0
//
// A block: lines of a listing that are run as one while nothing is due in it. Inside entry/; what
// runs them is listing.h.
//
// A block works on copies of the registers that its lines name, and finds its stack once: all its
// words on the stack are in one page, at places known at compile time from where rsp is at the
// block's begin. So a push is a store, and what no later line can see (flags, rip) is not computed.
//
//   constexpr size_t kEnd = EndOfBlock(lines, from);
//   uint8_t* stack = FindStack<StackUseOf(lines, from, kEnd)>(cpu);   // null: line by line
//   BlockCore<StackUseOf(lines, from, kEnd)> core(cpu, stack);
//
// Where something is due in it, or its stack is not in one page, a block is run in parts, and such
// a part line by line on the Cpu itself, with the same results: that is for the caller to do.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/base/attributes.h"
#include "entry/flags.h"
#include "entry/instruction.h"
#include "sim/machine/machine.h"

namespace kpath {

// ---- Where a block ends ----

constexpr bool LeavesForGood(Opcode opcode) {
  return opcode == Opcode::kJmp || opcode == Opcode::kRet || opcode == Opcode::kSysret ||
         opcode == Opcode::kSysretl || opcode == Opcode::kIret;
}

// Lines that a BlockCore cannot run: they change more of the Cpu than it has.
constexpr bool NeedsCpu(Opcode opcode) {
  return opcode == Opcode::kSysret || opcode == Opcode::kSysretl || opcode == Opcode::kIret ||
         opcode == Opcode::kPopf || opcode == Opcode::kRdmsr;
}

constexpr bool NamesRegister(const Operand& operand, Reg reg) {
  return (operand.kind == Operand::Kind::kRegister || operand.kind == Operand::Kind::kMemory) &&
         operand.reg == reg;
}

// Whether rsp is moved elsewhere: by other than a push or pop.
constexpr bool SetsStackPointer(const Instruction& line) {
  return line.destination.kind == Operand::Kind::kRegister && line.destination.reg == Reg::rsp;
}

// The last line of a block is the first one that leaves for good or calls, that lets interrupts in,
// that only the Cpu can run, or that moves rsp elsewhere. A conditional jump may leave in the
// middle.
constexpr bool EndsBlock(const Instruction& line) {
  return LeavesForGood(line.opcode) || line.opcode == Opcode::kCall || NeedsCpu(line.opcode) ||
         SetsStackPointer(line);
}

// Where the block ends that begins at line `from`.
template <size_t N>
constexpr size_t EndOfBlock(const std::array<Instruction, N>& lines, size_t from) {
  while (from + 1 < N && !EndsBlock(lines[from])) ++from;
  return from + 1;
}

// ---- What a block uses ----

// The bytes on the stack that it reads or writes, from where rsp is at its begin: [low, high).
struct StackUse {
  int low = 0;
  int high = 0;

  constexpr void Add(int offset, int bytes) {
    low = low == high ? offset : std::min(low, offset);
    high = std::max(high, offset + bytes);
  }
  constexpr int bytes() const { return high - low; }
};

template <size_t N>
constexpr StackUse StackUseOf(const std::array<Instruction, N>& lines, size_t from, size_t end) {
  StackUse use;
  int rsp = 0;
  for (; from != end; ++from) {
    const Instruction& line = lines[from];
    if (NeedsCpu(line.opcode)) continue;
    for (const Operand& operand : {line.source, line.destination}) {
      if (line.opcode != Opcode::kLea && operand.kind == Operand::Kind::kMemory &&
          operand.reg == Reg::rsp) {
        use.Add(rsp + operand.value, std::max(4, line.bits / 8));  // a byte is read from a word
      }
    }
    if (line.opcode == Opcode::kPush || line.opcode == Opcode::kPushf ||
        line.opcode == Opcode::kCall) {
      use.Add(rsp -= 8, 8);
    } else if (line.opcode == Opcode::kPop || line.opcode == Opcode::kRet) {
      use.Add(rsp, 8);
      rsp += 8;
    }
  }
  return use;
}

// Whether a line of it names the register; rsp always counts, as pushes and pops do not name it.
template <size_t N>
constexpr bool UsesRegister(const std::array<Instruction, N>& lines, size_t from, size_t end,
                            Reg reg) {
  for (; from != end; ++from) {
    if (NamesRegister(lines[from].source, reg) || NamesRegister(lines[from].destination, reg)) {
      return true;
    }
  }
  return reg == Reg::rsp;
}

// ---- What it runs on ----

// The host's place of the block's stack; null if it is not in one page, or if it has none.
template <StackUse kUse>
uint8_t* FindStack(Cpu& cpu) {
  if constexpr (kUse.bytes() == 0) return nullptr;
  const uint64_t begin = cpu.regs[Reg::rsp] + static_cast<int64_t>(kUse.low);
  if ((begin & ~kPageMask) + kUse.bytes() > kPageSize) [[unlikely]]
    return nullptr;
  return cpu.machine().memory.KernelBytes(begin);
}

// What Execute (execute.h) works on in a block. Everything that no register or word of the block's
// stack is, is the Cpu's own.
template <StackUse kUse>
class BlockCore {
 public:
  BlockCore(Cpu& cpu, uint8_t* stack)
      : cpu_(cpu),
        stack_(stack),
        stack_address_(cpu.regs[Reg::rsp] + static_cast<int64_t>(kUse.low)) {}
  BlockCore(const BlockCore&) = delete;
  BlockCore& operator=(const BlockCore&) = delete;

  // Copies of the registers that lines of the block name, and of the flags; and back.
  template <const auto& kListing, size_t kFrom, size_t kEnd>
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Load() {
    ForEachRegister<kListing, kFrom, kEnd>(
        [this](Reg reg) ABSL_ATTRIBUTE_ALWAYS_INLINE { regs[reg] = cpu_.regs[reg]; });
    regs.rflags = cpu_.regs.rflags & ~kArithmeticFlags;
    arithmetic_flags_ = cpu_.regs.rflags & kArithmeticFlags;
    zero_ = (arithmetic_flags_ & X86_EFLAGS_ZF) != 0;
    negative_ = (arithmetic_flags_ & X86_EFLAGS_SF) != 0;
  }
  template <const auto& kListing, size_t kFrom, size_t kEnd>
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Store() {
    ForEachRegister<kListing, kFrom, kEnd>(
        [this](Reg reg) ABSL_ATTRIBUTE_ALWAYS_INLINE { cpu_.regs[reg] = regs[reg]; });
    cpu_.regs.rflags = regs.rflags | arithmetic_flags_;
    cpu_.regs.rip = regs.rip;
  }

  Registers regs;  // those that were loaded; rflags without the arithmetic ones

  template <typename T>
  ABSL_ATTRIBUTE_ALWAYS_INLINE T Read(uint64_t address) const {
    if (!IsOnStack<T>(address)) return cpu_.template Read<T>(address);
    T value;
    std::memcpy(&value, stack_ + (address - stack_address_), sizeof(T));
    return value;
  }
  template <typename T>
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Write(uint64_t address, T value) {
    if (!IsOnStack<T>(address)) return cpu_.template Write<T>(address, value);
    std::memcpy(stack_ + (address - stack_address_), &value, sizeof(T));
  }
  template <typename T>
  T ReadAtGs(uint32_t offset) const {
    return cpu_.template ReadAtGs<T>(offset);
  }
  template <typename T>
  void WriteAtGs(uint32_t offset, T value) {
    cpu_.template WriteAtGs<T>(offset, value);
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE void Push(uint64_t value) {
    regs[Reg::rsp] -= 8;
    Write<uint64_t>(regs[Reg::rsp], value);
  }
  ABSL_ATTRIBUTE_ALWAYS_INLINE uint64_t Pop() {
    const uint64_t value = Read<uint64_t>(regs[Reg::rsp]);
    regs[Reg::rsp] += 8;
    return value;
  }
  void Swapgs() { cpu_.Swapgs(); }
  void DisableIrqs() { regs.rflags &= ~X86_EFLAGS_IF; }

  void Pushf() { Push((regs.rflags & ~X86_EFLAGS_RF) | arithmetic_flags_); }

  friend bool IsZero(const BlockCore& core) { return core.zero_; }
  friend bool IsNegative(const BlockCore& core) { return core.negative_; }
  friend void ChangeFlags(BlockCore& core, uint64_t affected, uint64_t flags, bool zero,
                          bool negative) {
    if (affected != kArithmeticFlags) flags |= core.arithmetic_flags_ & ~affected;
    core.arithmetic_flags_ = flags;
    core.zero_ = zero;
    core.negative_ = negative;
  }

 private:
  template <const auto& kListing, size_t kFrom, size_t kEnd, typename Do>
  ABSL_ATTRIBUTE_ALWAYS_INLINE static void ForEachRegister(Do&& act) {
    [&]<size_t... kReg>(std::index_sequence<kReg...>) ABSL_ATTRIBUTE_ALWAYS_INLINE {
      const auto act_if_used = [&]<Reg reg>() ABSL_ATTRIBUTE_ALWAYS_INLINE {
        if constexpr (UsesRegister(kListing.lines, kFrom, kEnd, reg)) act(reg);
      };
      (act_if_used.template operator()<static_cast<Reg>(kReg)>(), ...);
    }
    (std::make_index_sequence<16>());
  }

  // Known at compile time for an address that is made from rsp.
  template <typename T>
  ABSL_ATTRIBUTE_ALWAYS_INLINE bool IsOnStack(uint64_t address) const {
    constexpr uint64_t kBytes = kUse.bytes();
    return kBytes >= sizeof(T) && address - stack_address_ <= kBytes - sizeof(T);
  }

  Cpu& cpu_;
  uint8_t* const stack_;
  const uint64_t stack_address_;
  // The arithmetic flags; ZF and SF on their own, too, so that a jump that is not made asks for no
  // other to be computed.
  uint64_t arithmetic_flags_;
  bool zero_;
  bool negative_;
};

}  // namespace kpath
