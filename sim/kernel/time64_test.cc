// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/time64.h"

#include "gtest/gtest.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/jiffies.h"
#include "sim/kernel/user_ptr.h"

namespace kpath {
namespace {

TEST(Time64, WhatIsALengthOfTime) {
  EXPECT_TRUE(timespec64_valid({0, 0}));
  EXPECT_TRUE(timespec64_valid({INT64_MAX, NSEC_PER_SEC - 1}));
  EXPECT_FALSE(timespec64_valid({-1, 0}));
  EXPECT_FALSE(timespec64_valid({0, -1}));
  EXPECT_FALSE(timespec64_valid({0, NSEC_PER_SEC}));
}

TEST(Time64, SumsAndDifferencesAreNormalised) {
  EXPECT_EQ(timespec64_add_safe({1, 600'000'000}, {2, 500'000'000}), (timespec64{4, 100'000'000}));
  EXPECT_EQ(timespec64_add_safe({1, 1}, {INT64_MAX, 0}), (timespec64{INT64_MAX, 0}));
  EXPECT_EQ(timespec64_sub({4, 100'000'000}, {2, 500'000'000}), (timespec64{1, 600'000'000}));
  EXPECT_EQ(timespec64_sub({1, 0}, {2, 500'000'000}), (timespec64{-2, 500'000'000}));
}

TEST(Time64, KtimesSaturate) {
  EXPECT_EQ(timespec64_to_ktime({1, 5}), NSEC_PER_SEC + 5);
  EXPECT_EQ(timespec64_to_ktime({KTIME_SEC_MAX, 0}), KTIME_MAX);
  EXPECT_EQ(ktime_to_timespec64(-1), (timespec64{-1, NSEC_PER_SEC - 1}));
  EXPECT_EQ(ktime_to_timespec64(NSEC_PER_SEC), (timespec64{1, 0}));
}

TEST(Time64, Jiffies) {
  EXPECT_EQ(msecs_to_jiffies(0), 0u);
  EXPECT_EQ(msecs_to_jiffies(1), 1u);
  EXPECT_EQ(msecs_to_jiffies(4), 1u);
  EXPECT_EQ(msecs_to_jiffies(5), 2u);
  EXPECT_EQ(msecs_to_jiffies(~0u), MAX_JIFFY_OFFSET);
  EXPECT_TRUE(time_after(0, ~0ul));  // they wrap around
  EXPECT_TRUE(time_before_eq(5, 5));
}

struct outer {
  int first;
  struct inner {
    long value;
  } part;
};

TEST(ContainerOf, FindsTheWhole) {
  outer object = {1, {2}};
  EXPECT_EQ(container_of(&object.part, &outer::part), &object);
  EXPECT_EQ(container_of(&object.first, &outer::first), &object);
}

TEST(UserPtr, IsAnAddressWithAType) {
  const user_ptr<outer> pointer(0x1000);
  EXPECT_EQ((pointer + 2).address(), 0x1000 + 2 * sizeof(outer));
  EXPECT_EQ((pointer - 1).address(), 0x1000 - sizeof(outer));
  EXPECT_EQ(pointer.member(&outer::part).address(), 0x1000 + offsetof(outer, part));
  EXPECT_FALSE(user_ptr<int>());
  const user_ptr<const void> any = pointer;
  EXPECT_EQ(any.address(), 0x1000u);
}

}  // namespace
}  // namespace kpath
