// SPDX-License-Identifier: Apache-2.0
#include "testing/kpath.h"

using namespace kpath::testing;

KPATH_SCENARIO_TEST(Submit, AsRecorded, "submit.strace")

TEST_F(MachineTest, AReadComesBackThroughTheRing) {
  machine.Run([] {
    user::Arena arena;
    const auto ctx = arena.New<user::io_context_t>();
    ASSERT_EQ(user::io_setup(8, ctx), 0);
    const int fd = static_cast<int>(user::open("/tmp/file", O_RDWR | O_CREAT, 0600));
    user::write(fd, "hello");

    auto cb = user::PreadIocb(fd, arena.Bytes(512), 512, 0);
    cb.aio_data = 7;
    const auto iocbs = arena.Put(arena.Put(cb));
    EXPECT_THAT(Call([&] { return user::io_submit(ctx.Load(), 1, iocbs); }),
                AllOf(Returns(1), DispatchesTo(209, "io_submit"),
                      PassesThrough("__x64_sys_io_submit", "io_submit_one", "aio_complete")));

    const auto events = arena.New<user::io_event>();
    EXPECT_THAT(Call([&] { return user::io_getevents(ctx.Load(), 1, 1, events, {}); }), Returns(1));
    EXPECT_THAT(events.Load(), CompletesWith(7, 5));
  });
}

TEST_F(MachineTest, ASetupIsRefusedAsItAlwaysWas) {
  machine.Run([] {
    EXPECT_THAT(Call([] { return user::io_setup(0, {}); }),
                AllOf(FailsWith(EFAULT), CallGraphIs("setup.graph")));
  });
}

TEST(Setup, SurvivesEachFailure) {
  const auto program = [] {
    user::Arena arena;
    const auto ctx = arena.New<user::io_context_t>();
    if (user::io_setup(8, ctx) == 0) user::io_destroy(ctx.Load());
  };
  EXPECT_GE(ForEachFailure(program, {.within = "__x64_sys_io_setup"}), 8);
}
