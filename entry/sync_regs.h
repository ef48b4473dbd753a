// SPDX-License-Identifier: Apache-2.0
//
// Moving an exception's frame from the stack that the CPU chose to the one that it is to be handled
// on. v4.19 arch/x86/kernel/traps.c
//
// Context: called by the entry code alone, interrupts off, GS the kernel's. Addresses are simulated
// ones.
#pragma once

#include <cstdint>

namespace kpath {

// v4.19 arch/x86/kernel/traps.c: sync_regs. Copies the pt_regs at `eregs` to the top of the task
// stack, unless it is there; returns where it is then.
uint64_t sync_regs(uint64_t eregs);

// v4.19 arch/x86/kernel/traps.c: fixup_bad_iret. `s`: the return address of error_entry and behind
// it the pt_regs of an exception that the IRET to user mode has raised. Returns a copy of both, at
// the top of the entry stack, with the frame of that IRET as the one of the exception: as if the
// user code had raised it.
uint64_t fixup_bad_iret(uint64_t s);

}  // namespace kpath
