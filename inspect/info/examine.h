// SPDX-License-Identifier: Apache-2.0
//
// gdb's `x`: memory and code, in a format.
//
//   Examine(view, "8gx", rsp);   // x/8gx $rsp
//   Examine(view, "10i", rip);   // x/10i $rip
//
//   0xffff888000107f58:  0x0000000000000000  0x0000000000000008
//
//   => 0xffffffff81400013 <entry_SYSCALL_64+3>:  mov    %rsp,%gs:rsp_scratch
//
// A format is a count (1), one of x d u o t c a s i (x), and a size b h w g (w; of c: b; of a: g),
// in any order after the count. `i` shows listings, with `=>` before the current instruction of the
// selected frame.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inspect/info/code.h"
#include "inspect/info/view.h"

namespace kpath {

struct ExamineFormat {
  static constexpr int kMaxCount = 65536;

  int count = 1;
  char letter = 'x';
  int size = 4;  // bytes
};

// `format`: what is behind the x, with or without the slash. Errors (InvalidArgument):
//   x/8zz: 'z' is neither a format (x d u o t c a s i) nor a size (b h w g)
absl::StatusOr<ExamineFormat> ParseExamineFormat(absl::string_view format);

// Errors: as above; NotFound: `Cannot access memory at address 0x…`, `No listing at 0x…`, if
// nothing at all can be shown. Where it is the later part, the text ends with that line.
absl::StatusOr<std::string> Examine(const View& view, absl::string_view format, uint64_t address);

// A line of code as `x/i` shows it; the instruction is on a line of its own where both would be
// longer than `width`. `current`: the address that is marked.
std::string CodeText(CodeLine line, uint64_t current, int width);

// Where the selected frame is: the instruction that comes next, if the innermost frame executes a
// listing; else the one that is being executed in the nearest frame of assembly. None: no listing
// is known to be executed.
absl::optional<CodeLine> CurrentCode(const View& view);

}  // namespace kpath
