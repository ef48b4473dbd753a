// SPDX-License-Identifier: Apache-2.0
//
// Several who wait for the events of one context, and who destroy it.
#include <poll.h>

#include "entry/kernel_mode.h"
#include "fs_aio/aio_test_program.h"
#include "fs_aio/ioctx.h"

namespace kpath {
namespace {

constexpr int64_t kMillisecond = 1'000'000;

TEST(Waiters, EachMayHoldOneEventAndNeitherHasTwo) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const auto timeout = p.arena.Put(user::timespec{0, 5 * kMillisecond});
    const auto others = p.arena.New<user::io_event>(2);
    int64_t theirs = -1;
    const int64_t thread =
        Thread([&] { theirs = user::io_getevents(p.ctx, 2, 2, others, timeout); });
    const int64_t submitter = Thread([&] {
      user::nanosleep(kMillisecond);
      EXPECT_EQ(p.Submit(p.Reads(1)), 1);
      user::nanosleep(kMillisecond);
    });
    // Takes the first event as soon as it is there, and waits on for a second.
    const int64_t mine = user::io_getevents(p.ctx, 2, 2, p.events, timeout);
    Join(thread);
    Join(submitter);
    EXPECT_EQ(mine + theirs, 1);  // after the timeout
  });
}

TEST(Waiters, TwoEventsAreDividedAndBothWaitToTheEnd) {
  // Each is woken by the first event; who gets to the ring first takes it. The order of waking and
  // of the CPUs decides who has the second: with the one event each, neither is satisfied.
  int divided = 0;
  for (int seed = 1; seed <= 20; ++seed) {
    SystemOptions options;
    options.cpus = 3;
    options.seed = seed;
    RunAio(options, [&divided](AioProgram& p) {
      ASSERT_EQ(p.Setup(8), 0);
      const auto timeout = p.arena.Put(user::timespec{0, 5 * kMillisecond});
      const auto others = p.arena.New<user::io_event>(2);
      int64_t theirs = -1;
      const int64_t thread =
          Thread([&] { theirs = user::io_getevents(p.ctx, 2, 2, others, timeout); });
      const int64_t submitter = Thread([&] {
        user::nanosleep(kMillisecond);
        p.Submit(p.Reads(1));
        user::nanosleep(kMillisecond / 10);
        p.Submit(p.Reads(1));
      });
      const int64_t mine = user::io_getevents(p.ctx, 2, 2, p.events, timeout);
      Join(thread);
      Join(submitter);
      EXPECT_EQ(mine + theirs, 2);
      divided += mine == 1;
    });
  }
  EXPECT_GT(divided, 0);
}

TEST(Waiters, AllAreWokenByTheEndOfTheContext) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    int64_t results[3] = {1, 1, 1};
    int64_t threads[3];
    for (int i = 0; i < 3; ++i) {
      threads[i] =
          Thread([&p, &results, i] { results[i] = user::io_getevents(p.ctx, 1, 1, p.events, {}); });
    }
    user::nanosleep(kMillisecond);
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
    for (const int64_t thread : threads) Join(thread);
    for (const int64_t result : results) EXPECT_EQ(result, -EINVAL);
  });
}

TEST(Waiters, WhoHasReadSomeIsToldOfThoseWhenTheContextEnds) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    ASSERT_EQ(p.Submit(p.Reads(1)), 1);
    int64_t result = 0;
    const int64_t thread = Thread([&] { result = user::io_getevents(p.ctx, 2, 2, p.events, {}); });
    user::nanosleep(kMillisecond);
    EXPECT_EQ(user::io_destroy(p.ctx), 0);
    Join(thread);
    EXPECT_EQ(result, 1);
  });
}

TEST(Waiters, OfTwoWhoDestroyOneIsRefused) {
  for (int seed = 1; seed <= 20; ++seed) {
    SystemOptions options;
    options.cpus = 2;
    options.seed = seed;
    RunAio(options, [](AioProgram& p) {
      ASSERT_EQ(p.Setup(8), 0);
      ASSERT_EQ(p.Submit({user::FsyncIocb(p.fd)}), 1);
      int64_t theirs = 1;
      const int64_t thread = Thread([&] { theirs = user::io_destroy(p.ctx); });
      const int64_t mine = user::io_destroy(p.ctx);
      Join(thread);
      EXPECT_TRUE((mine == 0 && theirs == -EINVAL) || (mine == -EINVAL && theirs == 0));
    });
  }
}

// Both have found the context, as calls that are inside of the kernel at the same time do.
TEST(Waiters, WhoIsSecondToEndAContextIsRefused) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const kptr<kioctx> ctx = p.Kioctx();
    percpu_ref_get(&ctx->users);
    int64_t theirs = 1;
    const int64_t thread = Thread([&] { theirs = user::io_destroy(p.ctx); });
    user::nanosleep(kMillisecond);
    EXPECT_TRUE(ctx->dead);
    EXPECT_EQ(theirs, 1);  // it waits for us to leave
    InKernelMode([&] {
      EXPECT_EQ(kill_ioctx(current->mm, ctx, nullptr), -EINVAL);
      EXPECT_EQ(current->reason.ToString(), "EINVAL: the context is being destroyed already");
      percpu_ref_put(&ctx->users);
    });
    Join(thread);
    EXPECT_EQ(theirs, 0);
  });
}

// ---- Weaknesses of v4.19 that are in the model ----

TEST(Weaknesses, APollOfTheEventfdThatItIsToTellDeadlocks) {
  System system;
  system.Start("aio", [] {
    AioProgram p;
    p.Setup(8);
    const int eventfd = static_cast<int>(user::eventfd(0, 0));
    EXPECT_EQ(p.Submit({user::WithEventfd(user::PollIocb(eventfd, POLLIN), eventfd)}), 1);
    user::Store<uint64_t>(p.buffer, 1);
    user::write(eventfd, p.buffer, 8);
    ADD_FAILURE() << "the writer came back";
  });
  EXPECT_NE(system.RunUntilIdle(), "");
}

TEST(Weaknesses, APollOfAnotherEventfdThanTheOneItTellsDoesNot) {
  RunAio({}, [](AioProgram& p) {
    ASSERT_EQ(p.Setup(8), 0);
    const int polled = static_cast<int>(user::eventfd(0, 0));
    const int told = static_cast<int>(user::eventfd(0, 0));
    ASSERT_EQ(p.Submit({user::WithEventfd(user::PollIocb(polled, POLLIN), told)}), 1);
    user::Store<uint64_t>(p.buffer, 1);
    EXPECT_EQ(user::write(polled, p.buffer, 8), 8);
    EXPECT_EQ(user::read(told, p.buffer, 8), 8);
    EXPECT_EQ(p.Reap(1, 1), 1);
  });
}

}  // namespace
}  // namespace kpath
