// SPDX-License-Identifier: Apache-2.0
//
// Reports of the simulated kernel about itself: an invariant of Linux that the model found broken.
// A report stops the machine (Machine::Panic); its text is in the kernel's own style.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kpath {

// `headline` is the first line ("BUG: …", "WARNING: …"), `details` are lines of their own. The text
// ends with the CPU, the task and the call trace of the current context:
//
//   BUG: KASAN: use-after-free in aio_complete
//   The object at 0xffff888100000340 belongs to the cache kioctx of size 576
//   CPU: 0 PID: 12 Comm: fio  at #4711
//   Call Trace:
//    aio_complete
//    aio_complete_rw
//
// Context: any but the boot context, where it ends the process.
[[noreturn, gnu::cold]] void Report(absl::string_view headline,
                                    const std::vector<std::string>& details = {});

// The modelled functions that the current context is in, innermost first.
std::vector<std::string> CallTrace();

}  // namespace kpath
