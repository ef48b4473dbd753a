// SPDX-License-Identifier: Apache-2.0
//
// What a debugger says when a run has stopped.
#pragma once

#include <string>

#include "tools/debugger/target.h"

namespace kpath::debugger {

// Position, time, CPU and task; then the probe that was passed:
//
//   #412  4.120 us  CPU 0  task 100
//   lookup_ioctx () at fs_aio/ioctx.cc:123: "table lookup" id=0 table_size=4
//
//   entry_SYSCALL_64+12: push   $0x2b   [0xfffffe0000002ff8] = 0x2b
//
//   aio_prep_rw returns -EBADF: fd 9 is not open
//
// At the end of the run, what it came to.
std::string Where(Target& target);

// The recorded call that the task is in, without its result, which is yet to come:
// `examples/first-read.strace:7: io_submit(0x7f0000000000, 1, …)`. Empty: it is in none.
std::string RecordedCall(Target& target);

}  // namespace kpath::debugger
