// SPDX-License-Identifier: Apache-2.0
//
// Makes random programs: most of what they do is valid, some is half valid, some is nonsense.
//
//   Program program = Generate(SeededDecisions(seed, index));
//
// What is left out, because the kernel does not define it or v4.19 does not survive it: waits that
// are long but end, completions that race with inline ones (requests that complete later come last
// in their io_submit), and requests that signal the eventfd that they poll.
#pragma once

#include "tools/diff_host/program.h"
#include "tools/diff_host/random.h"

namespace kpath::diff_host {

Program Generate(Decisions& decide);

}  // namespace kpath::diff_host
