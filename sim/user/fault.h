// SPDX-License-Identifier: Apache-2.0
//
// What the hardware does when code of ring 3 touches memory that its page table does not give it.
// Inside sim/user.
#pragma once

#include <cstdint>

#include "sim/machine/machine.h"

namespace kpath::user {

enum class Access { kLoad, kStore, kFetch };

// The page table entry through which the access passes; nullptr: it faults.
PageTableEntry* PermittingEntry(uint64_t address, Access access);

// Raises the exception of an access to `address` by the instruction at `rip`: #PF, or #GP for an
// address that is not canonical. Returns when the kernel has gone back to ring 3, maybe on another
// CPU: to `rip`, and the access is to be tried again, or to a signal handler (control.h).
void RaiseAccessFault(uint64_t address, Access access, uint64_t rip);

}  // namespace kpath::user
