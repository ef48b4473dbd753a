// SPDX-License-Identifier: Apache-2.0
//
// What a part of a run went through: the symbols of the entry code and the kernel's functions in
// their order, and the system calls that were made. The matchers of matchers.h look at it.
//
//   const Trace trace = machine.Record([&] { machine.Run(); });
//   for (const SyscallRecord& syscall : trace.syscalls) text += syscall.ToString() + "\n";
//
// Part of testing/kpath.h.
#pragma once

#include <array>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "sim/machine/position.h"

namespace kpath::testing {

// A symbol of the entry code that was come to (entry_SYSCALL_64), or a function that was entered.
struct PathStep {
  const char* name;   // as Linux has it; lives as long as the program
  int depth;          // functions that are open around it, in its task
  Position position;  // when: probes passed since the machine was made
  int pid;            // of the task; 0: an idle CPU
  bool in_assembly;   // a symbol of the entry code
  bool in_interrupt;  // of an interrupt that came in the middle; RecordedCall has none of those
};

// One execution of SYSCALL, INT 0x80 or SYSENTER.
struct SyscallRecord {
  // v4.19 arch/x86/entry/: "entry_SYSCALL_64", "entry_INT80_compat", "entry_SYSENTER_compat",
  // "entry_SYSCALL_compat".
  const char* entry = "";
  uint64_t number = 0;                     // rax, with the x32 bit if it is set
  std::array<uint64_t, 6> arguments = {};  // as that ABI passes them
  std::string name;      // of the slot in sys_call_table, "io_submit"; empty: it came to none
  std::string function;  // that the slot led to, "__x64_sys_io_submit"; empty: to none
  bool returned = false;
  int64_t result = 0;  // what the program gets in rax, once it has returned

  // `io_submit(0x7f0000000000, 0x1, 0x7f0000010000) = 1`.
  std::string ToString() const;
};

struct Trace {
  std::vector<PathStep> path;
  std::vector<SyscallRecord> syscalls;
  // Names and nesting of the functions, a line each, in the format of ftrace's function_graph
  // without times, so that `kpath compare` reads it. Interrupts stand apart from what they
  // interrupted; of several tasks, each is headed by a line with '#'.
  std::string call_graph;
};

// A system call, or whatever code of a program was recorded by Call.
struct RecordedCall : Trace {
  int64_t result = 0;  // what the code returned; of the kernel's errors, the negative errno
  // Why the kernel refused, in words and values ("fd 9999 is not open"): of the last refusal by a
  // function of the kernel while the code ran, if its errno is the result's. Else empty.
  std::string reason;
};

// `-EBADF: fd 9999 is not open`, `512`.
std::string ResultText(const RecordedCall& call);

// For gtest's messages.
void PrintTo(const Trace& trace, std::ostream* os);
void PrintTo(const RecordedCall& call, std::ostream* os);

}  // namespace kpath::testing
