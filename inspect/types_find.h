// SPDX-License-Identifier: Apache-2.0
//
// For the files that make up types.h: from addresses to objects and back.
//
// Context: as types.h.
#pragma once

#include "inspect/types.h"

namespace kpath {

// The part of an object (as PointerToObject gives it) that is at `address` and of the type
// `wanted`: a lock in a kioctx. Null: none is.
const void* FindInside(const Look& look, const Datum& object, uint64_t address, const Type& wanted);
// The simulated address of what is at `host` in a live slab object; 0: it is in none.
uint64_t SlabAddressOf(const Look& look, const void* host);
// What an address with a type stands for in the simulated memory.
bool ReadObject(const Look& look, const Datum& pointer, Datum* value, std::string* why);

}  // namespace kpath
