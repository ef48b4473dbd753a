// SPDX-License-Identifier: Apache-2.0
//
// What the tests of signals are made of.
#pragma once

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <string>

#include "entry/boot.h"
#include "gtest/gtest.h"
#include "sim/kernel/sched.h"

namespace kpath {

inline constexpr uint64_t kThread =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
inline constexpr int64_t kMillisecond = 1'000'000;

// Why the last call of the running program was refused.
inline std::string Why() { return current->reason.ToString(); }

// Runs `program` alone on a machine; all must be well at the end.
inline void RunProgram(const user::Code& program, const SystemOptions& options = {}) {
  System system(options);
  bool ended = false;
  system.Start("prog", [&] {
    program();
    ended = true;
  });
  EXPECT_EQ(system.Run(), "");
  EXPECT_TRUE(ended);
}

// The status with which a process that runs `program` ends.
inline int StatusOf(const user::Code& program) {
  System system;
  const int pid = system.Start("prog", program)->pid;
  EXPECT_EQ(system.Run(), "");
  return system.ExitStatus(pid).value_or(-1);
}

// Waits for `pid`; returns its status.
inline int WaitFor(int64_t pid) {
  int status = -1;
  EXPECT_EQ(user::waitpid(static_cast<int>(pid), &status, 0), pid);
  return status;
}

// Sends the program itself a signal.
inline int64_t Raise(int sig) { return user::kill(static_cast<int>(user::getpid()), sig); }

// The top of a new stack, for a thread that runs while its maker does.
inline uint64_t NewStack() {
  constexpr uint64_t kBytes = 256 * 1024;
  return user::mmap(0, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + kBytes;
}

// Two descriptors, the end to read from first.
struct Pipe {
  Pipe() {
    user::Arena arena(4096);
    const auto fds = arena.New<int32_t>(2);
    user::pipe2(fds.address(), 0);
    reader = fds.Load();
    writer = (fds + 1).Load();
  }
  int reader, writer;
};

// Runs `work` in a child, a millisecond from now; the child's pid. It does not end with a signal.
inline int64_t Later(const user::Code& work, int64_t ns = kMillisecond) {
  return user::clone(0, 0, 0, 0, [work, ns] {
    user::nanosleep(ns);
    work();
  });
}

inline int64_t SignalLater(int sig) {
  const auto pid = static_cast<int>(user::getpid());
  return Later([pid, sig] { user::kill(pid, sig); });
}

}  // namespace kpath
