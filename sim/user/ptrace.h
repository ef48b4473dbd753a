// SPDX-License-Identifier: Apache-2.0
//
// A tracer, from the program's side.
//
//   const int64_t pid = user::fork([] {
//     user::ptrace(PTRACE_TRACEME);
//     user::kill(user::getpid(), SIGSTOP);       // wait for the tracer
//     user::getpid();
//   });
//   int status = user::NextStop(pid);             // WSTOPSIG(status) == SIGSTOP
//   user::ptrace(PTRACE_SYSCALL, pid);
//   status = user::NextStop(pid);                 // at the entry of getpid
//   user_regs_struct regs = user::GetRegisters(pid);
//   regs.orig_rax = ~0ull;                        // skip it,
//   regs.rax = 42;                                // its result
//   user::SetRegisters(pid, regs);
//
// Requests, options and events are those of the host's <sys/ptrace.h>, which are the same on every
// x86-64 Linux. All return what the kernel returned: a negative errno on failure.
//
// Context: ring 3.
#pragma once

#include <sys/ptrace.h>
#include <sys/user.h>

#include <cstdint>

#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"

namespace kpath::user {

using PtraceRequest = enum __ptrace_request;  // the host's

inline int64_t ptrace(PtraceRequest request, int64_t pid = 0, uint64_t addr = 0,
                      uint64_t data = 0) {
  return Syscall(NR_ptrace, static_cast<int>(request), pid, addr, data);
}

// Waits until `pid` stops or ends; its wait status, or a negative errno.
int NextStop(int64_t pid);
// Resumes it by `request` with the signal `sig` (0: none), and waits for its next stop.
int ResumeAndWait(PtraceRequest request, int64_t pid, int sig = 0);

user_regs_struct GetRegisters(int64_t pid);
int64_t SetRegisters(int64_t pid, const user_regs_struct& regs);

// PEEKDATA as the C library has it: the word, which the system call stores. `*error`: 0 or -EIO.
uint64_t PeekData(int64_t pid, uint64_t address, int64_t* error = nullptr);
// PEEKUSR. `offset`: in struct user.
uint64_t PeekUser(int64_t pid, uint64_t offset, int64_t* error = nullptr);
inline int64_t PokeData(int64_t pid, uint64_t address, uint64_t word) {
  return ptrace(PTRACE_POKEDATA, pid, address, word);
}
inline int64_t PokeUser(int64_t pid, uint64_t offset, uint64_t word) {
  return ptrace(PTRACE_POKEUSER, pid, offset, word);
}
// What PTRACE_GETEVENTMSG gives.
uint64_t EventMessage(int64_t pid);

}  // namespace kpath::user
