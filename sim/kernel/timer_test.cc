// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/timer.h"

#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

struct alarm_clock {
  timer_list timer;
  int number = 0;
  std::vector<unsigned long> fired;  // jiffies
};

struct things {
  std::vector<int> order;
};
KernelGlobal<things> t;

void ring(timer_list* timer) {
  FUNCTION(timer);
  alarm_clock* clock = container_of(timer, &alarm_clock::timer);
  EXPECT_TRUE(in_serving_softirq());
  EXPECT_FALSE(timer_pending(timer));
  clock->fired.push_back(jiffies);
  t->order.push_back(clock->number);
}

void start(alarm_clock* clock, unsigned long in) {
  timer_setup(&clock->timer, ring);
  mod_timer(&clock->timer, jiffies + in);
}

// How late a timer of `delay` jiffies, started at a random moment, fires.
long Lateness(unsigned long delay) {
  TestKernel kernel;
  alarm_clock clock;
  unsigned long expires = 0;
  kernel.Spawn("a", [&] {
    start(&clock, delay);
    expires = clock.timer.expires;
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(clock.fired.size(), 1);
  return static_cast<long>(clock.fired.at(0) - expires);
}

TEST(Timer, FiresNeverEarlyAndAsLateAsTheWheelIsCoarse) {
  EXPECT_EQ(Lateness(0), 1);
  EXPECT_EQ(Lateness(1), 1);
  EXPECT_EQ(Lateness(62), 1);
  for (unsigned long delay = 63; delay < 504; delay += 7) {
    EXPECT_GE(Lateness(delay), 1) << delay;
    EXPECT_LE(Lateness(delay), 8) << delay;
  }
  EXPECT_LE(Lateness(504), 64);
  EXPECT_LE(Lateness(100000), 100000 / 8);
  // Further than the wheel reaches: as far as it does.
  EXPECT_LT(Lateness(1ul << 40), 0);
}

TEST(Timer, AMachineWithoutTimersDoesNotTick) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    alarm_clock clock;
    start(&clock, 5);
    EXPECT_EQ(del_timer(&clock.timer), 1);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_LT(kernel.machine.now_ns(), 10 * TICK_NSEC);
}

TEST(Timer, ManyFireInTheOrderOfTheirTimes) {
  TestKernel kernel;
  std::mt19937 random(1);
  std::vector<std::unique_ptr<alarm_clock>> clocks;
  kernel.Spawn("a", [&] {
    for (int i = 0; i < 200; ++i) {
      clocks.push_back(std::make_unique<alarm_clock>());
      start(clocks.back().get(), random() % 60);
    }
  });
  EXPECT_EQ(kernel.Run(), "");
  for (const auto& clock : clocks) {
    ASSERT_EQ(clock->fired.size(), 1);
    EXPECT_EQ(clock->fired[0], clock->timer.expires + 1);
  }
}

TEST(Timer, OfOneBucketTheLastAddedFiresFirst) {
  TestKernel kernel;
  alarm_clock clocks[3];
  kernel.Spawn("a", [&] {
    for (int i = 0; i < 3; ++i) {
      clocks[i].number = i;
      start(&clocks[i], 2);
    }
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_THAT(t.Get(kernel.machine).order, ElementsAre(2, 1, 0));
}

TEST(Timer, MovedDeletedAddedAgain) {
  TestKernel kernel;
  alarm_clock clock;
  kernel.Spawn("a", [&] {
    start(&clock, 3);
    EXPECT_EQ(mod_timer(&clock.timer, jiffies + 3), 1);
    EXPECT_EQ(mod_timer(&clock.timer, jiffies + 10), 1);
    EXPECT_EQ(del_timer_sync(&clock.timer), 1);
    EXPECT_EQ(del_timer_sync(&clock.timer), 0);
    EXPECT_EQ(del_timer(&clock.timer), 0);
    clock.timer.expires = jiffies + 5;
    add_timer(&clock.timer);
    EXPECT_TRUE(timer_pending(&clock.timer));
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_THAT(clock.fired, ElementsAre(INITIAL_JIFFIES + 6));
}

TEST(Timer, ACallbackMayStartItAgainEvenForThePast) {
  TestKernel kernel;
  alarm_clock clock;
  kernel.Spawn("a", [&] {
    timer_setup(&clock.timer, [](timer_list* timer) {
      ring(timer);
      alarm_clock* c = container_of(timer, &alarm_clock::timer);
      if (c->fired.size() < 4) mod_timer(timer, jiffies - 2);
    });
    mod_timer(&clock.timer, jiffies);
  });
  EXPECT_EQ(kernel.Run(), "");
  // Not in the same tick again.
  EXPECT_THAT(clock.fired, ElementsAre(INITIAL_JIFFIES + 1, INITIAL_JIFFIES + 2,
                                       INITIAL_JIFFIES + 3, INITIAL_JIFFIES + 4));
}

TEST(Timer, DeletingWaitsForTheCallback) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    TestKernel kernel(2, std::make_unique<SeededChooser>(seed, 2));
    alarm_clock clock;
    bool entered = false, left = false, deleted = false;
    struct state {
      bool *entered, *left;
    };
    static thread_local state s;
    s = {&entered, &left};
    kernel.Spawn("starter", [&] {
      timer_setup(&clock.timer, [](timer_list*) {
        *s.entered = true;
        for (int i = 0; i < 500; ++i) STEP("busy", i);
        *s.left = true;
      });
      mod_timer(&clock.timer, jiffies);
      while (!deleted) STEP("keep this CPU busy");
    });
    kernel.Spawn("deleter", [&] {
      while (!entered) STEP("not yet");
      del_timer_sync(&clock.timer);
      EXPECT_TRUE(left);
      deleted = true;
    });
    ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
  }
}

// ---- Sleeping ----

TEST(Timer, ScheduleTimeoutSleepsThatLongOrUntilItIsWoken) {
  TestKernel kernel;
  task_struct* sleeper = kernel.Spawn("sleeper", [] {
    const unsigned long before = jiffies;
    EXPECT_EQ(schedule_timeout_uninterruptible(5), 0);
    EXPECT_EQ(jiffies - before, 6);
    const long left = schedule_timeout_interruptible(100);
    EXPECT_GT(left, 80);
    EXPECT_LT(left, 100);
  });
  kernel.Spawn("waker", [&] {
    msleep(10);
    EXPECT_EQ(wake_up_state(sleeper, TASK_INTERRUPTIBLE), 0);  // it is not
    msleep(60);
    EXPECT_EQ(wake_up_state(sleeper, TASK_INTERRUPTIBLE), 1);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Timer, MsleepSleepsAtLeastThatLong) {
  for (const unsigned msecs : {0u, 1u, 4u, 5u, 100u, 1000u}) {
    TestKernel kernel;
    kernel.Spawn("sleeper", [=] {
      const int64_t before = current->machine->now_ns();
      msleep(msecs);
      EXPECT_GE(current->machine->now_ns() - before, msecs * NSEC_PER_MSEC);
      EXPECT_LT(current->machine->now_ns() - before, msecs * NSEC_PER_MSEC * 9 / 8 + 5 * TICK_NSEC);
    });
    EXPECT_EQ(kernel.Run(), "");
  }
}

// Two tasks that never sleep share a CPU: the tick takes it from the one and gives it to the other.
TEST(Timer, TheTickSharesTheCpu) {
  TestKernel kernel;
  std::string order;
  for (const char* name : {"a", "b"}) {
    kernel.Spawn(name, [&, name] {
      const int64_t end = 40 * NSEC_PER_MSEC;
      while (current->machine->now_ns() < end) {
        STEP("busy");
        if (cond_resched() != 0) order += name;
      }
    });
  }
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_THAT(order, StartsWith("ababab"));
}

// ---- Reports ----

TEST(TimerReport, NotSetUp) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    timer_list timer;
    mod_timer(&timer, jiffies);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: timer is not initialised, or its memory was freed"));
}

TEST(TimerReport, AddedTwice) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    timer_list timer;
    timer_setup(&timer, ring);
    timer.expires = jiffies + 5;
    add_timer(&timer);
    add_timer(&timer);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: add_timer of a timer that is pending\n"));
}

TEST(TimerReport, ACallbackThatLeaksALock) {
  TestKernel kernel;
  timer_list timer;
  kernel.Spawn("culprit", [&] {
    timer_setup(&timer, [](timer_list*) { preempt_disable(); });
    mod_timer(&timer, jiffies);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("WARNING: a timer leaked preempt_count: 0x100 -> 0x101\n"));
}

TEST(TimerReport, DeletedInItsOwnCallback) {
  TestKernel kernel;
  timer_list timer;
  kernel.Spawn("culprit", [&] {
    timer_setup(&timer, [](timer_list* self) { del_timer_sync(self); });
    mod_timer(&timer, jiffies);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: del_timer_sync in the timer's own callback never"));
}

}  // namespace
}  // namespace kpath
