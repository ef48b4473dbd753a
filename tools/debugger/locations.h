// SPDX-License-Identifier: Apache-2.0
//
// What can be stopped at, by name: the functions, steps and source lines that have a probe, the
// instructions of the listings, system calls and vectors.
//
//   absl::StatusOr<Breakpoint> breakpoint = ParseLocation("io_submit_one");
//   absl::StatusOr<Breakpoint> breakpoint = ParseLocation("fs_aio/submit.cc:120");
//
// Errors are one line: what there is none of, and what is near.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/machine/machine.h"
#include "tools/debugger/stop_plan.h"

namespace kpath::debugger {

//   FUNCTION        a modelled function, or a symbol of the assembly such as entry_SYSCALL_64
//   "LABEL"         a named step; the quotes may be left out where the label is no function
//   FILE:LINE       the file may be named by its last part
//   *SYMBOL+OFFSET, *ADDRESS   an instruction
//   syscall NAME|NUMBER        of any ABI
//   vector N                   decimal or 0x…
absl::StatusOr<Breakpoint> ParseLocation(absl::string_view text);

// How the breakpoint is listed: `io_submit_one`, `"table lookup"`, `fs_aio/submit.cc:123`,
// `*entry_SYSCALL_64+12`, `syscall io_submit`, `vector 0x22`, the expression of a watchpoint.
std::string DescribeLocation(const Breakpoint& breakpoint);

// All names that ParseLocation knows, sorted: for completion.
std::vector<std::string> LocationNames();

// The probes at which a breakpoint stops. Vectors are not among them: where they lead, the
// machine's IDT says.
struct ProbesOf {
  std::set<const FunctionInfo*> functions;
  std::set<const StepInfo*> steps;
  std::set<uint64_t> addresses;  // of instructions
  // Of a system call: the address of its way in, and the number in rax.
  std::vector<std::pair<uint64_t, uint64_t>> syscalls;
};
ProbesOf FindProbes(const Breakpoint& breakpoint);

}  // namespace kpath::debugger
