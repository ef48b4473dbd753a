// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/event_queue.h"

#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace kpath {
namespace {

TEST(EventQueue, IsEmptyAtFirst) { EXPECT_TRUE(EventQueue().empty()); }

TEST(EventQueue, CarriesOutByTimeAndThenByOrder) {
  EventQueue queue;
  std::vector<int> done;
  queue.Schedule(30, [&] { done.push_back(4); });
  queue.Schedule(10, [&] { done.push_back(1); });
  queue.Schedule(20, [&] { done.push_back(3); });
  queue.Schedule(10, [&] { done.push_back(2); });
  queue.Schedule(-5, [&] { done.push_back(0); });
  EXPECT_EQ(queue.first_time_ns(), -5);
  while (!queue.empty()) queue.TakeFirst()();
  EXPECT_EQ(done, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(EventQueue, AnActionMaySchedule) {
  EventQueue queue;
  int left = 100;
  EventQueue::Action again = [&] {
    if (--left != 0) queue.Schedule(0, again);
  };
  queue.Schedule(0, again);
  while (!queue.empty()) queue.TakeFirst()();
  EXPECT_EQ(left, 0);
}

TEST(EventQueue, CancelsWhatHasNotBeenTaken) {
  EventQueue queue;
  const uint64_t first = queue.Schedule(1, [] {});
  const uint64_t second = queue.Schedule(2, [] {});
  EXPECT_TRUE(queue.Cancel(second));
  EXPECT_FALSE(queue.Cancel(second));
  queue.TakeFirst();
  EXPECT_FALSE(queue.Cancel(first));
  EXPECT_TRUE(queue.empty());
}

TEST(EventQueue, AnIdIsGivenOnce) {
  EventQueue queue;
  EXPECT_FALSE(queue.Cancel(0));
  const uint64_t old = queue.Schedule(1, [] {});
  queue.TakeFirst();
  const uint64_t young = queue.Schedule(1, [] {});
  EXPECT_NE(old, 0u);
  EXPECT_NE(young, old);
  EXPECT_FALSE(queue.Cancel(old));
  EXPECT_FALSE(queue.empty());
  EXPECT_FALSE(queue.Cancel(0));
}

// What the event holds is let go of when it is cancelled, not when its place is used again.
TEST(EventQueue, LetsGoOfWhatACancelledActionHolds) {
  EventQueue queue;
  const auto held = std::make_shared<int>();
  const uint64_t id = queue.Schedule(1, [held] {});
  EXPECT_EQ(held.use_count(), 2);
  queue.Cancel(id);
  EXPECT_EQ(held.use_count(), 1);
}

// The same as a sorted map, whatever is scheduled, cancelled and taken.
TEST(EventQueue, AgreesWithAMap) {
  std::mt19937 random(1);
  EventQueue queue;
  using Key = std::pair<int64_t, int>;  // time, how many were scheduled before
  std::map<Key, uint64_t> model;
  int scheduled = 0, taken = -1;
  for (int step = 0; step < 20'000; ++step) {
    const auto pick = random() % 5;
    if (pick < 2 || model.empty()) {
      const Key key = {random() % 50, scheduled++};
      model[key] = queue.Schedule(key.first, [&taken, n = key.second] { taken = n; });
    } else if (pick == 2) {
      auto at = model.begin();
      std::advance(at, random() % model.size());
      ASSERT_TRUE(queue.Cancel(at->second));
      model.erase(at);
    } else {
      ASSERT_EQ(queue.first_time_ns(), model.begin()->first.first);
      queue.TakeFirst()();
      ASSERT_EQ(taken, model.begin()->first.second);
      model.erase(model.begin());
    }
    ASSERT_EQ(queue.empty(), model.empty());
  }
}

}  // namespace
}  // namespace kpath
