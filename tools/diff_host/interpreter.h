// SPDX-License-Identifier: Apache-2.0
//
// Carries out a program: the same code for the host's kernel and for the model, which differ in how
// a system call is made and how memory is reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "sim/user/syscall.h"
#include "tools/diff_host/program.h"
#include "tools/diff_host/trace.h"

namespace kpath::diff_host {

// A process with an empty table of descriptors, nothing mapped in the arena, one thread.
class Executor {
 public:
  virtual ~Executor() = default;

  // Returns rax.
  virtual int64_t Syscall(uint64_t number, const user::SyscallArguments& arguments) = 0;
  // The process's own loads and stores: where no memory is, they end it with a signal.
  virtual void Read(uint64_t address, void* to, size_t size) = 0;
  virtual void Write(uint64_t address, const void* from, size_t size) = 0;
  // Forks a child that runs `code` and ends, and waits for it. What `code` does to C++ objects may
  // be lost.
  virtual void InChild(const std::function<void()>& code) = 0;
  // A directory on a tmpfs in which the program's two files are made. They are unlinked at once.
  virtual std::string Directory() const = 0;
};

// Runs `program` to its end, or until a call does not return or a signal ends the process; notes in
// `trace`, which must be cleared, what it sees and how far it has come.
//
// Where the kernel leaves open when something happens, the program waits: after each operation all
// that was left to workers is done, so that what is seen does not depend on their speed.
void Interpret(const Program& program, Executor& executor, Trace* trace);

}  // namespace kpath::diff_host
