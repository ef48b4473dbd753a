// SPDX-License-Identifier: Apache-2.0
//
// The text of simulated programs: which C++ code stands at which user address.
//
// Ring 3 is C++ here, so an instruction pointer has to mean a piece of C++. Code is loaded at an
// address; the kernel model sends a process to an address (the start of a program, the place where
// a fork returned in the child), and what is loaded there runs. No page is mapped at these
// addresses: nothing can be read there, and fetching instructions never faults.
//
//   const uint64_t start = user::LoadCode(machine, [] { ... });
//   user::CodeAt(machine, start)();
//
// May be called from outside of a machine as well as by code that runs in it. Addresses depend on
// the order of the calls only.
#pragma once

#include <cstdint>
#include <functional>

#include "sim/machine/machine.h"

namespace kpath::user {

using Code = std::function<void()>;

// ---- Fixed places in the text, where static programs of x86-64 Linux have theirs ----

// The SYSCALL instruction that every ordinary system call is made with; two bytes long.
inline constexpr uint64_t kSyscallInstruction = 0x401000;
inline constexpr uint64_t kSyscallLength = 2;
// The instructions that load and store (memory.h): what a page fault finds as the saved RIP.
inline constexpr uint64_t kLoadInstruction = 0x401010;
// Instructions that raise an exception (traps.h), each at the vector's place: 0x401100 + 16 *
// vector.
inline constexpr uint64_t kTrapInstructions = 0x401100;
constexpr uint64_t TrapInstruction(int vector) { return kTrapInstructions + 16 * vector; }
// The 32-bit vDSO: its SYSENTER and SYSCALL, two bytes each, and the INT 0x80 behind them. Where
// that comes back to (the landing pad) is where the recorded kernel had it.
inline constexpr uint64_t kVdsoSysenter = 0xf7fbfa55;
inline constexpr uint64_t kVdsoInt80 = 0xf7fbfa57;
inline constexpr uint64_t kInt80LandingPad = 0xf7fbfa59;
// The vDSO's __kernel_sigreturn (POP %eax; MOV $119, %eax; INT $0x80) and __kernel_rt_sigreturn.
inline constexpr uint64_t kVdsoSigreturn = 0xf7fbfa20;
inline constexpr uint64_t kVdsoRtSigreturn = 0xf7fbfa30;
inline constexpr uint64_t kStoreInstruction = 0x401014;
// Where signal handlers return to: MOV $15, %rax; SYSCALL. Calls rt_sigreturn.
inline constexpr uint64_t kRestorer = 0x401020;
// The same of x32 programs: MOV $0x40000201, %eax; SYSCALL.
inline constexpr uint64_t kRestorerX32 = 0x401030;
// Where loaded code begins, 16 bytes each.
inline constexpr uint64_t kLoadedCode = 0x402000;

// ---- Loaded code ----

// Puts `code` at the lowest address where none is, returns the address.
uint64_t LoadCode(Machine& machine, Code code);
// Puts `code` at this address, in the place of what was there: for what a recorded run has there.
void LoadCodeAt(Machine& machine, uint64_t address, Code code);
// Puts there what is at kRestorer.
void LoadRestorerAt(Machine& machine, uint64_t address);
bool IsRestorer(Machine& machine, uint64_t address);
// What is loaded at `address`, or an empty function.
Code CodeAt(Machine& machine, uint64_t address);
// REQUIRES: LoadCode returned this address, and it has not been unloaded since.
void UnloadCode(Machine& machine, uint64_t address);

}  // namespace kpath::user
