// SPDX-License-Identifier: Apache-2.0
//
// Recordings of a real kernel's entry code, single-stepped:
// tests/reference/linux-4.19.13/entry/*.steps.
//
//   # before: rip=ffffffff81400010 rax=d1 … gs_base=0
//     0 | entry_SYSCALL_64    | swapgs            | gs_base=ffff88801f200000
//   …
//    38 | entry_SYSCALL_64+99 | call   0xffffffff810017c0 <do_syscall_64> | rsp=ffff888000107f50
//   #   call enters do_syscall_64 rdi=d1 rsi=ffff888000107f58; running to return
//   #   pt_regs at ffff888000107f58: r15=5555 r14=4444 …
//
// Columns: index, symbol+offset, instruction in AT&T syntax, registers that it changed, all values
// hex. What a called C function changed is in no column. Other lines that begin with # are
// comments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kpath {

// Names and values, in the order of the file.
using RegisterValues = std::vector<std::pair<std::string, uint64_t>>;

struct RecordedStep {
  int line;              // in the file, from 1
  int index;             // the file's own count; calls that were run through leave gaps in it
  std::string location;  // "entry_SYSCALL_64+3"
  std::string text;      // "mov    %rsp,%gs:0x140c8"
  RegisterValues changes;
};

struct RecordedCall {
  size_t steps_before;  // the call instruction is the last of so many steps
  std::string function;
  RegisterValues arguments;      // rdi, rsi
  uint64_t pt_regs_address = 0;  // 0: not recorded
  RegisterValues pt_regs;
};

struct RecordedSteps {
  RegisterValues before;
  std::vector<RecordedStep> steps;
  std::vector<RecordedCall> calls;

  // Which step stands at this location, the first if several do; steps.size() if none does.
  size_t FindStep(absl::string_view location) const;
};

// The value of `name`, or `missing` if it is not among them.
uint64_t FindRegister(const RegisterValues& registers, absl::string_view name,
                      uint64_t missing = 0);

// `text` is a whole file. Errors are InvalidArgument, `FILE:LINE: what, expected what`.
absl::StatusOr<RecordedSteps> ParseRecordedSteps(absl::string_view file, absl::string_view text);

}  // namespace kpath
