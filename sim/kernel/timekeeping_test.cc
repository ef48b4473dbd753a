// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/timekeeping.h"

#include <limits>

#include "gtest/gtest.h"
#include "sim/kernel/jiffies.h"
#include "sim/kernel/test_kernel.h"
#include "sim/kernel/timer.h"

namespace kpath {
namespace {

TEST(Time64, ConversionsRoundTripAndSaturate) {
  EXPECT_EQ(timespec64_to_ktime({1, 500}), 1'000'000'500);
  EXPECT_EQ(ktime_to_timespec64(1'000'000'500), (timespec64{1, 500}));
  EXPECT_EQ(ns_to_timespec64(-1), (timespec64{-1, 999'999'999}));
  EXPECT_EQ(ns_to_timespec64(-2'000'000'000), (timespec64{-2, 0}));
  EXPECT_EQ(timespec64_to_ktime({KTIME_SEC_MAX - 1, 0}), (KTIME_SEC_MAX - 1) * NSEC_PER_SEC);
  EXPECT_EQ(timespec64_to_ktime({KTIME_SEC_MAX, 0}), KTIME_MAX);
  EXPECT_EQ(timespec64_to_ktime({-1, 0}), -NSEC_PER_SEC);
  // The nanoseconds are not checked, only added.
  EXPECT_EQ(timespec64_to_ktime({0, 3'000'000'000}), 3'000'000'000);
}

TEST(Time64, Valid) {
  EXPECT_TRUE(timespec64_valid({0, 0}));
  EXPECT_TRUE(timespec64_valid({5, 999'999'999}));
  EXPECT_FALSE(timespec64_valid({5, 1'000'000'000}));
  EXPECT_FALSE(timespec64_valid({0, -1}));
  EXPECT_FALSE(timespec64_valid({-1, 0}));
}

TEST(Timekeeping, AdditionSaturates) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  EXPECT_EQ(ktime_add_safe(1, 2), 3);
  EXPECT_EQ(ktime_add_safe(KTIME_MAX, 1), KTIME_MAX);
  EXPECT_EQ(ktime_add_safe(KTIME_MAX, KTIME_MAX), KTIME_MAX);
  EXPECT_EQ(ktime_add_safe(-5, 3), KTIME_MAX);
}

TEST(Timekeeping, ClocksFollowTheMachine) {
  TestKernel kernel;
  kernel.Spawn("a", [] {
    msleep(2010);
    const int64_t before = current->machine->now_ns();
    const ktime_t mono = ktime_get();
    EXPECT_GE(mono, before);
    EXPECT_GE(ktime_get_real() - kWallClockStart * NSEC_PER_SEC, mono);
    timespec64 now, wall, coarse, coarse_mono;
    ktime_get_ts64(&now);
    ktime_get_real_ts64(&wall);
    ktime_get_coarse_real_ts64(&coarse);
    ktime_get_coarse_ts64(&coarse_mono);
    EXPECT_EQ(now.tv_sec, 2);
    EXPECT_EQ(wall.tv_sec, kWallClockStart + 2);
    EXPECT_EQ(coarse.tv_sec, kWallClockStart + 2);
    // The coarse clock stands still between ticks.
    EXPECT_EQ(coarse.tv_nsec % TICK_NSEC, 0);
    EXPECT_LE(coarse.tv_nsec, wall.tv_nsec);
    EXPECT_LT(wall.tv_nsec - coarse.tv_nsec, TICK_NSEC);
    EXPECT_EQ(coarse_mono.tv_nsec, coarse.tv_nsec);
  });
  EXPECT_EQ(kernel.Run(), "");
}

TEST(Jiffies, CountTicksFromJustBeforeTheWrap) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  EXPECT_EQ(jiffies, 4294892296ul);
  EXPECT_EQ(JiffyStartNs(jiffies + 3), 3 * TICK_NSEC);
  EXPECT_EQ(msecs_to_jiffies(0), 0ul);
  EXPECT_EQ(msecs_to_jiffies(1), 1ul);
  EXPECT_EQ(msecs_to_jiffies(4), 1ul);
  EXPECT_EQ(msecs_to_jiffies(5), 2ul);
  EXPECT_EQ(msecs_to_jiffies(std::numeric_limits<unsigned>::max()), MAX_JIFFY_OFFSET);
  EXPECT_EQ(jiffies_to_msecs(3), 12u);
}

TEST(Jiffies, ComparisonSurvivesTheWrap) {
  const unsigned long last = ~0ul;
  EXPECT_TRUE(time_after(last + 1, last));
  EXPECT_TRUE(time_before(last, last + 1));
  EXPECT_FALSE(time_after(last, last));
  EXPECT_TRUE(time_after_eq(last, last));
  EXPECT_TRUE(time_before_eq(last, last + 5));
}

}  // namespace
}  // namespace kpath
