// SPDX-License-Identifier: Apache-2.0
//
// The arithmetic flags (CF PF AF ZF SF OF) that instructions set, as the processor computes them.
// T is uint8_t, uint32_t or uint64_t: the operand size.
//
// Where the manuals leave a flag undefined it is cleared here, as the recorded machine did: AF
// after logic and shifts, OF after shifts by more than one. Intel SDM volume 1, appendix A.
#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include "sim/machine/cpu.h"

namespace kpath {

inline constexpr uint64_t kArithmeticFlags =
    X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_OF;

constexpr uint64_t FlagIf(bool condition, uint64_t flag) { return condition ? flag : 0; }

template <typename T>
constexpr bool SignOf(T value) {
  return (value >> (std::numeric_limits<T>::digits - 1)) != 0;
}

// PF (an even number of bits in the low byte), ZF, SF.
template <typename T>
constexpr uint64_t ResultFlags(T result) {
  return FlagIf(!__builtin_parity(result & 0xff), X86_EFLAGS_PF) |
         FlagIf(result == 0, X86_EFLAGS_ZF) | FlagIf(SignOf(result), X86_EFLAGS_SF);
}

// AND, OR, XOR, TEST.
template <typename T>
constexpr uint64_t LogicFlags(T result) {
  return ResultFlags(result);
}

// ADD: a + b.
template <typename T>
constexpr uint64_t AddFlags(T a, T b) {
  const T sum = static_cast<T>(a + b);
  return ResultFlags(sum) | FlagIf(sum < a, X86_EFLAGS_CF) |
         FlagIf(((a ^ b ^ sum) & 0x10) != 0, X86_EFLAGS_AF) |
         FlagIf(SignOf(static_cast<T>((a ^ sum) & (b ^ sum))), X86_EFLAGS_OF);
}

// SUB, CMP: a - b.
template <typename T>
constexpr uint64_t SubFlags(T a, T b) {
  const T difference = static_cast<T>(a - b);
  return ResultFlags(difference) | FlagIf(a < b, X86_EFLAGS_CF) |
         FlagIf(((a ^ b ^ difference) & 0x10) != 0, X86_EFLAGS_AF) |
         FlagIf(SignOf(static_cast<T>((a ^ b) & (a ^ difference))), X86_EFLAGS_OF);
}

// INC and DEC leave CF alone; these are the others.
template <typename T>
constexpr uint64_t IncFlags(T a) {
  return AddFlags<T>(a, 1) & ~X86_EFLAGS_CF;
}
template <typename T>
constexpr uint64_t DecFlags(T a) {
  return SubFlags<T>(a, 1) & ~X86_EFLAGS_CF;
}

// SHL. Range of count: 1 .. digits - 1.
template <typename T>
constexpr uint64_t ShlFlags(T a, int count) {
  const T result = static_cast<T>(a << count);
  const bool carry = (a >> (std::numeric_limits<T>::digits - count) & 1) != 0;
  return ResultFlags(result) | FlagIf(carry, X86_EFLAGS_CF) |
         FlagIf(count == 1 && SignOf(result) != carry, X86_EFLAGS_OF);
}

// SAR. Range of count: 1 .. digits - 1. OF is clear after shifting by one, too.
template <typename T>
constexpr uint64_t SarFlags(T a, int count) {
  const T result = static_cast<T>(static_cast<std::make_signed_t<T>>(a) >> count);
  return ResultFlags(result) | FlagIf((a >> (count - 1) & 1) != 0, X86_EFLAGS_CF);
}

}  // namespace kpath
