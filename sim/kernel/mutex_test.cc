// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/mutex.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/lockdep.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct things {
  things() {
    mutex_init(&a);
    mutex_init(&b);
  }
  struct mutex a, b;
  spinlock_t spin{"spin"};
  int inside = 0;
};
KernelGlobal<things> t;

void yield() {
  set_tsk_thread_flag(current, TIF_NEED_RESCHED);
  cond_resched();
}

TEST(Mutex, LetsOneTaskInAtATime) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    TestKernel kernel(3, std::make_unique<SeededChooser>(seed, 2));
    int total = 0;
    for (int i = 0; i < 6; ++i) {
      kernel.Spawn("t", [&] {
        for (int j = 0; j < 5; ++j) {
          mutex_lock(&t->a);
          EXPECT_EQ(++t->inside, 1);
          yield();
          EXPECT_EQ(--t->inside, 0);
          ++total;
          mutex_unlock(&t->a);
        }
      });
    }
    ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
    EXPECT_EQ(total, 30);
  }
}

TEST(Mutex, WaitersAreServedInTheOrderTheyCame) {
  TestKernel kernel;
  std::string order;
  kernel.Spawn("holder", [&] {
    mutex_lock(&t->a);
    for (int i = 0; i < 5; ++i) yield();
    mutex_unlock(&t->a);
  });
  for (const char* name : {"1", "2", "3"}) {
    kernel.Spawn(name, [&, name] {
      mutex_lock(&t->a);
      order += name;
      mutex_unlock(&t->a);
    });
  }
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(order, "123");
}

TEST(Mutex, AWaiterThatLostItOnceIsHandedIt) {
  TestKernel kernel;
  int greedy_rounds = 0;
  bool waiter_had_it = false;
  kernel.Spawn("greedy", [&] {
    while (!waiter_had_it && greedy_rounds < 100) {
      mutex_lock(&t->a);
      yield();
      mutex_unlock(&t->a);  // and takes it again before the waiter runs
      ++greedy_rounds;
    }
  });
  kernel.Spawn("waiter", [&] {
    mutex_lock(&t->a);
    waiter_had_it = true;
    mutex_unlock(&t->a);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_TRUE(waiter_had_it);
  EXPECT_EQ(greedy_rounds, 3);  // stolen once; handed over; the third time it waits itself
}

TEST(Mutex, TrylockNeverWaits) {
  TestKernel kernel;
  kernel.Spawn("holder", [&] {
    EXPECT_EQ(mutex_trylock(&t->a), 1);
    yield();
    mutex_unlock(&t->a);
  });
  kernel.Spawn("other", [&] {
    EXPECT_EQ(mutex_trylock(&t->a), 0);
    EXPECT_TRUE(mutex_is_locked(&t->a));
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Mutex, OnlyAFatalSignalEndsAKillableWait) {
  TestKernel kernel;
  std::string order;
  kernel.Spawn("holder", [&] {
    mutex_lock(&t->a);
    for (int i = 0; i < 5; ++i) yield();
    order += "unlock ";
    mutex_unlock(&t->a);
  });
  const auto wait = [&](const char* name, bool fatal) {
    return [&order, name, fatal] {
      set_tsk_thread_flag(current, TIF_SIGPENDING);
      if (fatal) sigaddset(&current->pending.signal, SIGKILL);
      const int ret = mutex_lock_killable(&t->a);
      order += name + std::to_string(ret) + " ";
      if (ret == 0) {
        mutex_unlock(&t->a);
      } else {
        EXPECT_EQ(current->reason.Text(), "a signal came while waiting for &a");
      }
    };
  };
  kernel.Spawn("signalled", wait("signalled", false));
  kernel.Spawn("killed", wait("killed", true));
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(order, "killed-4 unlock signalled0 ");
}

TEST(Mutex, AnySignalEndsAnInterruptibleWait) {
  TestKernel kernel;
  kernel.Spawn("holder", [&] {
    mutex_lock(&t->a);
    for (int i = 0; i < 5; ++i) yield();
    mutex_unlock(&t->a);
  });
  kernel.Spawn("waiter", [] {
    set_tsk_thread_flag(current, TIF_SIGPENDING);
    EXPECT_EQ(mutex_lock_interruptible(&t->a), -EINTR);
    EXPECT_TRUE(current->held_locks.empty());
    clear_tsk_thread_flag(current, TIF_SIGPENDING);
    EXPECT_EQ(mutex_lock_interruptible(&t->a), 0);
    mutex_unlock(&t->a);
  });
  EXPECT_EQ(kernel.Run(), "");
}

// ---- Reports ----

TEST(MutexReport, LockedTwice) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    mutex_lock(&t->a);
    mutex_lock(&t->a);
  });
  EXPECT_THAT(kernel.Run(), AllOf(StartsWith("WARNING: possible recursive locking detected\n"
                                             "culprit/1 is trying to acquire lock:\n &a, in "),
                                  HasSubstr("\nIt is the same lock.\n")));
}

TEST(MutexReport, UnlockedBySomebodyElse) {
  TestKernel kernel;
  kernel.Spawn("owner", [] {
    mutex_lock(&t->a);
    yield();
  });
  kernel.Spawn("culprit", [] { mutex_unlock(&t->a); });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: bad unlock balance detected!\n"
                                       "culprit/2 is trying to release lock (&a) in "));
}

TEST(MutexReport, TakenWithASpinlockHeld) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    spin_lock(&t->spin);
    mutex_lock(&t->a);
  });
  EXPECT_THAT(kernel.Run(),
              StartsWith("BUG: sleeping function called from invalid context\n"
                         "in_atomic(): 1, irqs_disabled(): 0, pid: 1, name: culprit"));
}

TEST(MutexReport, NotInitialised) {
  TestKernel kernel;
  struct mutex lock;
  kernel.Spawn("culprit", [&] { mutex_lock(&lock); });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: mutex is not initialised, or its memory was freed\n"));
}

void AbBa(TestKernel& kernel) {
  const auto take = [](struct mutex* first, struct mutex* second) {
    mutex_lock(first);
    yield();
    mutex_lock(second);
    mutex_unlock(second);
    mutex_unlock(first);
  };
  kernel.Spawn("one", [take] { take(&t->a, &t->b); });
  kernel.Spawn("two", [take] { take(&t->b, &t->a); });
}

TEST(MutexReport, AbBaIsReportedBeforeItDeadlocks) {
  TestKernel kernel;
  AbBa(kernel);
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: possible circular locking dependency detected\n"
                                       "two/2 is trying to acquire lock:\n &a, in "));
}

TEST(MutexReport, ADeadlockNamesWhoWaitsForWhom) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  SetProveLocking(false);
  AbBa(kernel);
  EXPECT_THAT(kernel.Run(),
              AllOf(HasSubstr("INFO: task one:1 blocked for ever. State: D\n"
                              "It waits for &b, held by two/2\nCall Trace:\n schedule"),
                    HasSubstr("INFO: task two:2 blocked for ever. State: D\n"
                              "It waits for &a, held by one/1\nCall Trace:\n schedule")));
}

}  // namespace
}  // namespace kpath
