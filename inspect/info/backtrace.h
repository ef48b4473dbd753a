// SPDX-License-Identifier: Apache-2.0
//
// gdb's `bt` and `frame`: the calls that a task is in the middle of.
//
//   #0  aio_read_events (ctx=0xffff888100002f40, min_nr=1, nr=1, *i=0) at fs_aio/getevents.cc:72
//   #1  read_events (ctx=0xffff888100002f40, min_nr=1, nr=1, until=…) at fs_aio/getevents.cc:84
//   …
//   #6  entry_SYSCALL_64 () at entry_SYSCALL_64+104
//   #7  user mode at 0x0000000000401002 <behind SYSCALL>, ring 3
//
// A line of C is that of the step passed last, one of assembly the instruction executed last.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "inspect/info/view.h"

namespace kpath {

// All frames of the selected task, innermost first; for one that sleeps that is schedule.
std::string Backtrace(const View& view);

// One frame, as a line of the above. Errors (NotFound): `No frame 9: there are 0 to 7`.
absl::StatusOr<std::string> FrameLine(const View& view, int number);

// Where the context will go on in ring 3, or is; none for kernel threads, idle loops, and where the
// entry code has not yet saved it.
absl::optional<uint64_t> UserRip(const View& view, const Context& context);

}  // namespace kpath
