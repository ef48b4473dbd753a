// SPDX-License-Identifier: Apache-2.0
//
// Runs a test once for every point where something can fail.
//
//   const int points = ForEachFailure(
//       [] {
//         user::Arena arena;
//         const auto ctx = arena.New<user::io_context_t>();
//         if (user::io_setup(8, ctx) == 0) user::io_destroy(ctx.Load());
//       },
//       {.within = "__x64_sys_io_setup"});
//   EXPECT_GE(points, 8);
//
// A point is a question that the kernel's own code asks and whose answer can be no: each allocation
// (Machine::Choose, ChoiceKind::kFailAlloc: mm/slob.c, mm/page_alloc.c, mm/percpu.c), and each
// command that a virtio_blk device is given. First the test runs as it is, and the points are
// counted; then it runs on a new machine for each of them, and that one fails. Every run must end
// clean: no report of the kernel, nobody hangs, nothing is left behind (LeavesNothingBehind). What
// fails in such a run, an EXPECT of the test as well, is told with the point's name:
//
//   failing: allocation of kioctx in ioctx_alloc < __do_sys_io_setup < …, at #2310 (3 of 12)
//
// Part of testing/kpath.h.
#pragma once

#include <functional>
#include <string>

#include "entry/boot.h"
#include "sim/user/user.h"
#include "testing/machine.h"

namespace kpath::testing {

struct FailureOptions {
  // Only points that this kernel function is on the call trace of; empty: all, those of the
  // processes' birth and end, too.
  std::string within;
  SystemOptions machine = {};  // what each machine is made with
};

// `body` runs programs on the machine it is given (Machine::Run, Start); what it leaves to be done
// is done afterwards. It must behave the same each time, but for what the failure brings about.
// Returns the number of points. Context: outside of every machine.
int ForEachFailure(const std::function<void(Machine& machine)>& body,
                   const FailureOptions& options = {});
// The same for a test that is one program.
int ForEachFailure(const user::Code& program, const FailureOptions& options = {});

}  // namespace kpath::testing
