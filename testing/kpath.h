// SPDX-License-Identifier: Apache-2.0
//
// The test kit: for tests of system call dispatch, of AIO in the kernel, and of programs that use
// it, on a simulated x86-64 machine with a v4.19 kernel.
//
//   #include "testing/kpath.h"
//
//   using namespace kpath::testing;
//
//   TEST_F(MachineTest, AClosedFileIsRefused) {
//     machine.Run([] {
//       user::Arena arena;
//       const auto ctx = arena.New<user::io_context_t>();
//       EXPECT_THAT(Call([&] { return user::io_setup(8, ctx); }), Returns(0));
//       const auto cb = arena.Put(user::PreadIocb(9999, arena.Bytes(512), 512, 0));
//       const auto iocbs = arena.Put(cb);
//       EXPECT_THAT(Call([&] { return user::io_submit(ctx.Load(), 1, iocbs); }),
//                   AllOf(FailsWith(EBADF, HasSubstr("fd 9999")),
//                         PassesThrough("entry_SYSCALL_64", "do_syscall_64", "io_submit_one")));
//     });
//   }
//
// In a BUILD file: deps = ["@kpath//testing:kpath", "@com_google_googletest//:gtest_main"].
// docs/use-in-your-project.md shows a whole workspace.
//
//   machine.h    Machine, MachineTest: programs, run to here, step, inspect, faults, the end
//   call.h       Call: one system call and its path
//   trace.h      what is known of a path: RecordedCall, Trace
//   matchers.h   Returns, FailsWith, PassesThrough, DispatchesTo, CompletesWith,
//                LeavesNothingBehind
//   golden.h     CallGraphIs
//   faults.h     ForEachFailure
//   scenario.h   KPATH_SCENARIO_TEST: a transcript of strace as a test
//
// Programs are written with sim/user/user.h, whose namespace is `user` here.
#pragma once

// The flags and numbers of system calls are those of the host's headers.
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>

#include <csignal>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/call.h"
#include "testing/faults.h"
#include "testing/golden.h"
#include "testing/machine.h"
#include "testing/matchers.h"
#include "testing/scenario.h"
#include "testing/trace.h"

namespace kpath::testing {

// gmock's own that go with the kit's, so that one using-directive brings a test all it needs.
using ::testing::_;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Ne;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

}  // namespace kpath::testing
