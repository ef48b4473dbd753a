// SPDX-License-Identifier: Apache-2.0
//
// Is a recorded result one that the simulated kernel allows? Real runs race, so a result is legal,
// not equal: an error must be the same error; a count must be one that the kernel could have
// returned; an event must be that of a request in flight, each exactly once, in any order.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tools/transcript/replay/frame.h"

namespace kpath {

struct Verdict {
  bool legal = true;
  std::string simulated;  // what the model returned, as strace would print it
  std::string reason;     // of the model's error, or what is not legal; may be empty
};

// `-1 EBADF (Bad file descriptor)`, `3`, `0x7f9c4d335000`: a result as strace prints it.
std::string PrintResult(ResultKind kind, int64_t result);
// The same of a recorded one, without what strace adds behind it.
std::string PrintRecorded(const strace::Result& result);

// What the numbers of a call are judged by, besides its arguments.
struct Bounds {
  int64_t sure_to_fit = 0;   // io_submit: of the context, before the call
  int64_t sure_to_come = 0;  // io_getevents: events that are certainly there
  bool exact_count = false;  // read, write: a regular file, which gives all that there is
};

// Judges the number that a call returned; what it wrote to memory is judged by JudgeMemory.
Verdict JudgeResult(const CallFrame& frame, int64_t result, const std::string& reason,
                    const Bounds& bounds);

// An io_submit that took some of its iocbs: the error that stopped it is not in its result.
bool IsShortSubmit(const CallFrame& frame, int64_t result);

}  // namespace kpath
