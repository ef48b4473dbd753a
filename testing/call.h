// SPDX-License-Identifier: Apache-2.0
//
// One system call of a program, with the path that it took.
//
//   machine.Run([] {
//     EXPECT_THAT(Call([] { return user::close(9999); }),
//                 AllOf(FailsWith(EBADF, HasSubstr("fd 9999")),
//                       PassesThrough("entry_SYSCALL_64", "do_syscall_64", "__x64_sys_close")));
//   });
//
// Part of testing/kpath.h.
#pragma once

#include <cstdint>
#include <functional>

#include "testing/trace.h"

namespace kpath::testing {

// Calls `code`, which makes one system call, or several, and returns what the kernel returned: a
// negative errno on failure. (user::syscall, which returns -1 and sets Errno(), is not for this.)
// Recorded is what this task does meanwhile, interrupts left out; for all that happens on the
// machine see Machine::Record. Recording does not change the run.
//
// Context: ring 3, in a program that a machine runs. A call that does not return (exit, a fatal
// signal) leaves nothing.
RecordedCall Call(const std::function<int64_t()>& code);

}  // namespace kpath::testing
