// SPDX-License-Identifier: Apache-2.0
//
// Numbers as text: in gdb's formats, or under the names that the kernel has for them.
//
//   FormatNumber(TypeOf<int>(), 31, 'x')   0x1f
//
// Context: any.
#pragma once

#include <cstdint>
#include <string>

#include "inspect/types.h"

namespace kpath {

// `bits` as a number of `type`, an integer or a bool. `format`: PrintOptions::format.
std::string FormatNumber(const Type& type, uint64_t bits, char format);
// The type of addresses.
const Type* UnsignedLong();

}  // namespace kpath
