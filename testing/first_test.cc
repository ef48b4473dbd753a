// SPDX-License-Identifier: Apache-2.0
//
// The first test of README.md.
#include "testing/kpath.h"

using namespace kpath::testing;

TEST_F(MachineTest, AClosedFileIsRefused) {
  machine.Run([] {
    user::Arena arena;
    const auto ctx = arena.New<user::io_context_t>();
    EXPECT_THAT(Call([&] { return user::io_setup(8, ctx); }), Returns(0));
    const auto iocbs = arena.Put(arena.Put(user::PreadIocb(9999, arena.Bytes(512), 512, 0)));
    EXPECT_THAT(Call([&] { return user::io_submit(ctx.Load(), 1, iocbs); }),
                AllOf(FailsWith(EBADF, HasSubstr("fd 9999")),
                      PassesThrough("entry_SYSCALL_64", "do_syscall_64", "io_submit_one")));
  });
}
