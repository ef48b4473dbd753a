// SPDX-License-Identifier: Apache-2.0
//
// Where ring 3 is. The program that runs is C++ code, which the kernel knows nothing of: it knows
// rip. Whenever it was asked (a system call, a fault) or came by itself (an interrupt), it may have
// put rip elsewhere: at a signal handler, or at another program.
//
//   regs.rip = kLoadInstruction;           // what is done next
//   STEP("user load", …);                  // an interrupt may come here, and with it a signal
//   ComeBackTo(kLoadInstruction);          // runs its handler
//
// A handler is a function: when its C++ code is at its end, RET takes the return address off the
// simulated stack, where the kernel has put the restorer's, which calls rt_sigreturn; and that
// brings rip back to where it was. So handlers nest on the C++ stack as they do on the simulated
// one. Leaving a handler otherwise (longjmp) is not possible.
//
// Context: ring 3.
#pragma once

#include <cstdint>

#include "sim/machine/machine.h"

namespace kpath::user {

// Executes what is loaded at rip until rip is `address`, or `other`. Does nothing if it is there
// already. Where nothing is loaded, the fetch faults.
void ExecuteUntil(uint64_t address, uint64_t other);
inline void ComeBackTo(uint64_t address, uint64_t other) {
  const uint64_t rip = current_context->cpu->regs.rip;
  if (rip != address && rip != other) [[unlikely]]
    ExecuteUntil(address, other);
}
inline void ComeBackTo(uint64_t address) { ComeBackTo(address, address); }

// With TF set the processor stops behind each instruction: #DB, as a trap. What the program has
// done since its last visible instruction counts as one, so it comes once, before the instruction
// at `address`, which is the next to be executed. Comes back to it.
void Trap(uint64_t address);
inline void TrapIfStepping(uint64_t address) {
  if ((current_context->cpu->regs.rflags & X86_EFLAGS_TF) != 0) [[unlikely]]
    Trap(address);
}

}  // namespace kpath::user
