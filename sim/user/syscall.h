// SPDX-License-Identifier: Apache-2.0
//
// System calls, from the user's side: a number and six arguments in registers, the SYSCALL
// instruction, a result in rax.
//
//   int64_t pid = user::Syscall(NR_getpid);
//   int64_t bytes = user::Syscall(NR_read, fd, buffer, 4096);  // -EBADF: -9
//
// Context: ring 3, on the fiber of the task whose program this is. A call may come back on another
// CPU, or never (exit, exec, a fatal signal).
#pragma once

#include <array>
#include <concepts>
#include <cstdint>

#include "sim/user/text.h"

namespace kpath::user {

using SyscallArguments = std::array<uint64_t, 6>;  // rdi, rsi, rdx, r10, r8, r9

// Executes SYSCALL at the address `instruction` until the kernel comes back behind it, and returns
// rax. It comes back AT the instruction to have the call made again (a restart), and elsewhere to
// have other code run: a signal handler, which comes back, or another program (control.h).
int64_t SyscallAt(uint64_t instruction, uint64_t number, const SyscallArguments& arguments);

// The same, but where the kernel wants the call to be made again it is not: `*again` is set, and
// what the kernel put into rax is returned: the number to call.
int64_t SyscallOnceAt(uint64_t instruction, uint64_t number, const SyscallArguments& arguments,
                      bool* again);

// The call that libc's functions end in: arguments are integers, narrow ones extended by their own
// signedness as the compiler does, those not given are 0. Returns rax: a negative errno on failure.
template <std::integral... Arguments>
requires(sizeof...(Arguments) <= 6) int64_t Syscall(uint64_t number, Arguments... arguments) {
  return SyscallAt(kSyscallInstruction, number, {static_cast<uint64_t>(arguments)...});
}

// ---- syscall(2), as libc offers it ----

// This thread's errno, as the last failed syscall() left it.
int& Errno();

// Returns -1 and sets Errno() where Syscall would return -4095 .. -1.
template <std::integral... Arguments>
int64_t syscall(uint64_t number, Arguments... arguments) {
  const int64_t result = Syscall(number, arguments...);
  if (result >= 0 || result < -4095) return result;
  Errno() = static_cast<int>(-result);
  return -1;
}

}  // namespace kpath::user
