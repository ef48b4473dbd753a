// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/hrtimer.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/test_kernel.h"
#include "sim/kernel/timekeeping.h"

namespace kpath {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

// A timer that writes down when it fired.
struct alarm_clock {
  hrtimer timer;
  int restarts = 0;
  std::vector<ktime_t> fired;
};

hrtimer_restart ring(hrtimer* timer) {
  FUNCTION(timer);
  alarm_clock* clock = container_of(timer, &alarm_clock::timer);
  EXPECT_TRUE(in_irq());
  EXPECT_TRUE(irqs_disabled());
  EXPECT_FALSE(timer->enqueued);
  EXPECT_LE(hrtimer_get_remaining(timer), timer->expires - timer->softexpires);
  clock->fired.push_back(timer->softexpires);
  if (clock->restarts-- == 0) return fn.Return(HRTIMER_NORESTART);
  hrtimer_forward(timer, current->machine->now_ns(), NSEC_PER_MSEC);
  return fn.Return(HRTIMER_RESTART);
}

void init(alarm_clock* clock) {
  hrtimer_init(&clock->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
  clock->timer.function = ring;
}

// Sleeps until `until`, on the machine's clock.
void sleep_until(ktime_t until) {
  set_current_state(TASK_UNINTERRUPTIBLE);
  EXPECT_EQ(schedule_hrtimeout_range(&until, 0, HRTIMER_MODE_ABS), 0);
}

TEST(Hrtimer, FiresWhenItsTimeHasComeAndTheIdleMachineJumpsThere) {
  TestKernel kernel;
  alarm_clock clock;
  kernel.Spawn("a", [&] {
    init(&clock);
    hrtimer_start(&clock.timer, 5 * NSEC_PER_MSEC, HRTIMER_MODE_ABS);
    EXPECT_TRUE(hrtimer_active(&clock.timer));
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_THAT(clock.fired, ElementsAre(5 * NSEC_PER_MSEC));
  EXPECT_LT(kernel.machine.now_ns(), 6 * NSEC_PER_MSEC);
}

TEST(Hrtimer, SeveralFireInTheOrderOfTheirTimesNotOfTheirStarts) {
  TestKernel kernel;
  alarm_clock clocks[3];
  std::vector<ktime_t> now;
  kernel.Spawn("a", [&] {
    const ktime_t times[] = {7000, 5000, 6000};
    for (int i = 0; i < 3; ++i) {
      init(&clocks[i]);
      hrtimer_start(&clocks[i].timer, times[i] * 1000, HRTIMER_MODE_ABS);
    }
    sleep_until(5'500'000);
    EXPECT_TRUE(clocks[0].fired.empty());
    EXPECT_FALSE(clocks[1].fired.empty());
    EXPECT_TRUE(clocks[2].fired.empty());
    sleep_until(6'500'000);
    EXPECT_TRUE(clocks[0].fired.empty());
    EXPECT_FALSE(clocks[2].fired.empty());
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_FALSE(clocks[0].fired.empty());
}

TEST(Hrtimer, OneThatRestartsFiresAgain) {
  TestKernel kernel;
  alarm_clock clock;
  clock.restarts = 3;
  kernel.Spawn("a", [&] {
    init(&clock);
    hrtimer_start(&clock.timer, NSEC_PER_MSEC, HRTIMER_MODE_ABS);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_THAT(clock.fired,
              ElementsAre(NSEC_PER_MSEC, 2 * NSEC_PER_MSEC, 3 * NSEC_PER_MSEC, 4 * NSEC_PER_MSEC));
}

TEST(Hrtimer, ACancelledOneDoesNotFireAndLeavesNothingPending) {
  TestKernel kernel;
  alarm_clock clock;
  kernel.Spawn("a", [&] {
    init(&clock);
    EXPECT_EQ(hrtimer_cancel(&clock.timer), 0);
    hrtimer_start(&clock.timer, NSEC_PER_SEC, HRTIMER_MODE_REL);
    EXPECT_EQ(hrtimer_cancel(&clock.timer), 1);
    EXPECT_EQ(hrtimer_cancel(&clock.timer), 0);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_TRUE(clock.fired.empty());
  EXPECT_LT(kernel.machine.now_ns(), NSEC_PER_MSEC);  // the machine has not waited for it
}

TEST(Hrtimer, StartedAgainItHasItsNewTimeOnly) {
  TestKernel kernel;
  alarm_clock clock;
  kernel.Spawn("a", [&] {
    init(&clock);
    hrtimer_start(&clock.timer, 2 * NSEC_PER_MSEC, HRTIMER_MODE_ABS);
    hrtimer_start(&clock.timer, 3 * NSEC_PER_MSEC, HRTIMER_MODE_ABS);
    hrtimer_start(&clock.timer, NSEC_PER_MSEC, HRTIMER_MODE_ABS);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_THAT(clock.fired, ElementsAre(NSEC_PER_MSEC));
}

TEST(Hrtimer, WithSlackItMayFireTogetherWithALaterOne) {
  TestKernel kernel;
  alarm_clock lazy, strict;
  ktime_t lazy_fired_before = 0;
  kernel.Spawn("a", [&] {
    init(&lazy);
    init(&strict);
    hrtimer_start_range_ns(&lazy.timer, NSEC_PER_MSEC, NSEC_PER_MSEC, HRTIMER_MODE_ABS);
    hrtimer_start(&strict.timer, NSEC_PER_MSEC + 100, HRTIMER_MODE_ABS);
    sleep_until(NSEC_PER_MSEC + 50'000);
    if (!lazy.fired.empty()) lazy_fired_before = current->machine->now_ns();
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_EQ(lazy.fired.size(), 1);
  // It needs no interrupt of its own: that of the strict one is within its range.
  EXPECT_GT(lazy_fired_before, 0);
}

TEST(Hrtimer, AnAbsoluteWallClockTime) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    alarm_clock clock;
    hrtimer_init(&clock.timer, CLOCK_REALTIME, HRTIMER_MODE_ABS);
    clock.timer.function = ring;
    const ktime_t then = kWallClockStart * NSEC_PER_SEC + 1000'000;
    hrtimer_start(&clock.timer, then, HRTIMER_MODE_ABS);
    EXPECT_EQ(clock.timer.expires, then);
    EXPECT_LT(hrtimer_get_remaining(&clock.timer), 1000'000);
    EXPECT_GT(hrtimer_get_remaining(&clock.timer), 900'000);
    for (int i = 0; clock.fired.empty(); ++i) STEP("until it rings", i);
    EXPECT_LT(ktime_get_real(), then + 20'000);
    EXPECT_EQ(clock.fired, std::vector<ktime_t>{then});
    // Periods are counted by its own clock.
    EXPECT_EQ(hrtimer_forward_now(&clock.timer, NSEC_PER_MSEC),
              static_cast<uint64_t>((ktime_get_real() - then) / NSEC_PER_MSEC) + 1);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Hrtimer, ForwardMovesByWholeIntervals) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  hrtimer timer;
  hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
  timer.expires = timer.softexpires = 1000;
  EXPECT_EQ(hrtimer_forward(&timer, 999, 100), 0u);
  EXPECT_EQ(hrtimer_forward(&timer, 1000, 100), 1u);
  EXPECT_EQ(timer.expires, 1100);
  EXPECT_EQ(hrtimer_forward(&timer, 1350, 100), 3u);
  EXPECT_EQ(timer.expires, 1400);
  EXPECT_EQ(timer.softexpires, 1400);
}

// The callback runs on one CPU while another one cancels: cancel returns only when it has returned.
TEST(Hrtimer, CancelWaitsForTheCallback) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    TestKernel kernel(2, std::make_unique<SeededChooser>(seed, 2));
    alarm_clock clock;
    clock.restarts = 1000000;
    bool started = false, cancelled = false;
    kernel.Spawn("starter", [&] {
      init(&clock);
      clock.timer.function = [](hrtimer* timer) {
        FUNCTION(timer);
        alarm_clock* c = container_of(timer, &alarm_clock::timer);
        c->fired.push_back(0);
        for (int i = 0; i < 10; ++i) STEP("busy", i);
        c->fired.push_back(1);
        hrtimer_forward(timer, current->machine->now_ns(), 1000);
        return fn.Return(HRTIMER_RESTART);
      };
      hrtimer_start(&clock.timer, 1000, HRTIMER_MODE_REL);
      started = true;
      while (!cancelled) STEP("keep this CPU busy");
    });
    kernel.Spawn("canceller", [&] {
      while (!started || clock.fired.size() < 20) STEP("not yet");
      hrtimer_cancel(&clock.timer);
      const size_t fired = clock.fired.size();
      EXPECT_EQ(fired % 2, 0u);
      for (int i = 0; i < 1000; ++i) STEP("it stays cancelled", i);
      EXPECT_EQ(clock.fired.size(), fired);
      cancelled = true;
    });
    ASSERT_EQ(kernel.Run(), "") << "seed " << seed;
  }
}

// ---- Waiting ----

TEST(Hrtimer, WaitEventWithATimeout) {
  TestKernel kernel;
  wait_queue_head_t wait("wait");
  kernel.Spawn("waiter", [&] {
    const ktime_t before = ktime_get();
    EXPECT_EQ(wait_event_interruptible_hrtimeout(
                  &wait, [] { return false; }, 2 * NSEC_PER_MSEC),
              -ETIME);
    EXPECT_GE(ktime_get() - before, 2 * NSEC_PER_MSEC);
    EXPECT_LT(ktime_get() - before, 2 * NSEC_PER_MSEC + 60'000);
    EXPECT_FALSE(waitqueue_active(&wait));
    EXPECT_EQ(wait_event_interruptible_hrtimeout(
                  &wait, [] { return true; }, 1),
              0);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Hrtimer, WaitEventEndsWhenTheConditionHoldsOrASignalComes) {
  TestKernel kernel;
  wait_queue_head_t wait("wait");
  bool done = false;
  task_struct* waiter = kernel.Spawn("waiter", [&] {
    const auto is_done = [&] { return done; };
    EXPECT_EQ(wait_event_interruptible_hrtimeout(&wait, is_done, NSEC_PER_SEC), 0);
    done = false;
    EXPECT_EQ(wait_event_interruptible_hrtimeout(&wait, is_done, KTIME_MAX), -ERESTARTSYS);
  });
  kernel.Spawn("waker", [&] {
    done = true;
    wake_up(&wait);
    sleep_until(NSEC_PER_MSEC);
    EXPECT_EQ(waiter->state, TASK_INTERRUPTIBLE);
    set_tsk_thread_flag(waiter, TIF_SIGPENDING);
    wake_up_process(waiter);
  });
  EXPECT_EQ(kernel.Run(), "");
  EXPECT_LT(kernel.machine.now_ns(), 2 * NSEC_PER_MSEC);
}

// ---- Reports ----

TEST(HrtimerReport, NotInitialised) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    hrtimer timer;
    hrtimer_start(&timer, 1, HRTIMER_MODE_REL);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: hrtimer is not initialised, or its memory was freed"));
}

struct request {
  static constexpr const char* kSlabName = "request";
  hrtimer timer;
};
KernelGlobal<kmem_cache<request>> requests;

TEST(HrtimerReport, FreedWhileItIsQueued) {
  TestKernel kernel;
  kernel.Spawn("culprit", [] {
    const kptr<request> rq = kmem_cache_zalloc(*requests, GFP_KERNEL);
    hrtimer_init(&rq->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
    rq->timer.function = ring;
    hrtimer_start(&rq->timer, 1000, HRTIMER_MODE_REL);
    kmem_cache_free(*requests, rq);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: hrtimer is not initialised, or its memory was freed"));
}

TEST(HrtimerReport, CancelledInItsOwnCallback) {
  TestKernel kernel;
  hrtimer timer;
  kernel.Spawn("culprit", [&] {
    hrtimer_init(&timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
    timer.function = [](hrtimer* self) {
      hrtimer_cancel(self);
      return HRTIMER_NORESTART;
    };
    hrtimer_start(&timer, 1000, HRTIMER_MODE_REL);
  });
  EXPECT_THAT(kernel.Run(), StartsWith("BUG: hrtimer_cancel in the timer's own callback never"));
}

class Names : public ProbeListener {
 public:
  void OnProbe(const ProbeEvent& event) override {
    if (event.kind == ProbeEvent::Kind::kFunctionExit) text += "}";
    if (event.kind == ProbeEvent::Kind::kFunctionEnter) {
      text += std::string(event.function->name) + "{";
    }
  }
  std::string Take() { return std::exchange(text, ""); }
  std::string text;
};

// The calls in tests/reference/linux-4.19.13/graph/io_getevents_empty_2ms_timeout.graph, where the
// timer is the first of its CPU, and has expired when it is cancelled.
TEST(Hrtimer, LooksAsInTheRecording) {
  TestKernel kernel;
  Names names;
  kernel.Spawn("a", [&] {
    kernel.machine.AddListener(&names);
    hrtimer_sleeper sleeper;
    hrtimer_init(&sleeper.timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
    hrtimer_init_sleeper(&sleeper, current);
    EXPECT_EQ(names.Take(), "hrtimer_init{}hrtimer_init_sleeper{}");
    set_current_state(TASK_INTERRUPTIBLE);
    hrtimer_start_range_ns(&sleeper.timer, 2 * NSEC_PER_MSEC, 50'000, HRTIMER_MODE_REL);
    EXPECT_EQ(names.Take(),
              "hrtimer_start_range_ns{lock_hrtimer_base{_raw_spin_lock_irqsave{}}ktime_get{}"
              "ktime_add_safe{}ktime_add_safe{}get_nohz_timer_target{idle_cpu{}}enqueue_hrtimer{}"
              "hrtimer_reprogram{tick_program_event{clockevents_program_event{ktime_get{}"
              "lapic_next_event{}}}}_raw_spin_unlock_irqrestore{}}");
    schedule();
    names.Take();
    hrtimer_cancel(&sleeper.timer);
    EXPECT_EQ(names.Take(), "hrtimer_cancel{hrtimer_try_to_cancel{hrtimer_active{}}}");
    kernel.machine.RemoveListener(&names);
  });
  EXPECT_EQ(kernel.Run(), "");
}

}  // namespace
}  // namespace kpath
