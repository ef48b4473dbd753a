// SPDX-License-Identifier: Apache-2.0
//
// Array indices that are safe under speculation: past the end they are 0, without a branch that a
// processor could predict wrongly. v4.19 include/linux/nospec.h, arch/x86/include/asm/barrier.h
#pragma once

#include "entry/flags.h"

namespace kpath {

// v4.19 arch/x86/include/asm/barrier.h: array_index_mask_nospec. All ones if index < size, else 0:
// CMP sets the carry flag where index is below size, SBB of a register with itself spreads it.
constexpr unsigned long array_index_mask_nospec(unsigned long index, unsigned long size) {
  const unsigned long carry = SubFlags<uint64_t>(index, size) & X86_EFLAGS_CF;
  return 0 - carry;
}

// v4.19 include/linux/nospec.h: array_index_nospec
constexpr unsigned long array_index_nospec(unsigned long index, unsigned long size) {
  return index & array_index_mask_nospec(index, size);
}

static_assert(X86_EFLAGS_CF == 1, "the carry is what SBB subtracts");
static_assert(array_index_nospec(547, 548) == 547);
static_assert(array_index_nospec(548, 548) == 0);
static_assert(array_index_nospec(~0ul, 548) == 0);

}  // namespace kpath
