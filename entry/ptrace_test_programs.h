// SPDX-License-Identifier: Apache-2.0
//
// What the tests of ptrace are made of.
#pragma once

#include <string>
#include <utility>

#include "entry/signal_test_programs.h"
#include "sim/user/ptrace.h"

namespace kpath {

inline constexpr int kSyscallStop = SIGTRAP | 0x80;

inline int SignalThatStopped(int status) { return WIFSTOPPED(status) ? WSTOPSIG(status) : -status; }

// A child that wants to be traced, stopped by the SIGSTOP that it sends itself, with options set.
inline int64_t Tracee(user::Code program, uint64_t options = PTRACE_O_TRACESYSGOOD) {
  const int64_t pid = user::fork([program = std::move(program)] {
    EXPECT_EQ(user::ptrace(PTRACE_TRACEME), 0);
    user::kill(static_cast<int>(user::getpid()), SIGSTOP);
    program();
  });
  EXPECT_EQ(SignalThatStopped(user::NextStop(pid)), SIGSTOP);
  EXPECT_EQ(user::ptrace(PTRACE_SETOPTIONS, pid, 0, options), 0) << Why();
  return pid;
}

inline int Syscall(int64_t pid) { return user::ResumeAndWait(PTRACE_SYSCALL, pid); }

// To the entry of the next system call; its number.
inline int64_t NextEntry(int64_t pid) {
  EXPECT_EQ(SignalThatStopped(Syscall(pid)), kSyscallStop) << Why();
  return static_cast<int64_t>(user::GetRegisters(pid).orig_rax);
}

inline int RunToEnd(int64_t pid) { return user::ResumeAndWait(PTRACE_CONT, pid); }

// To the end of the call that it is in.
inline void ToExit(int64_t pid) { EXPECT_EQ(SignalThatStopped(Syscall(pid)), kSyscallStop); }

}  // namespace kpath
