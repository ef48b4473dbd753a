// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/fiber.h"

#include <memory>
#include <string>

#include "absl/base/config.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

TEST(Fiber, GoesOnWhereItWasLeft) {
  StackPool stacks;
  std::string log;
  Fiber* self = nullptr;
  Fiber fiber(stacks, [&] {
    log += "a";
    self->Suspend();
    log += "b";
  });
  self = &fiber;
  fiber.Resume();
  EXPECT_EQ(log, "a");
  EXPECT_FALSE(fiber.ended());
  fiber.Resume();
  EXPECT_EQ(log, "ab");
  EXPECT_TRUE(fiber.ended());
}

TEST(Fiber, AnotherGoesOnInItsPlace) {
  StackPool stacks;
  std::string log;
  Fiber *self_a = nullptr, *self_b = nullptr;
  Fiber a(stacks, [&] {
    log += "a";
    self_a->SwitchTo(*self_b);
    log += "A";
    self_a->SwitchTo(*self_b);
    ADD_FAILURE() << "nobody goes on here";
  });
  Fiber b(stacks, [&] {
    log += "b";
    self_b->SwitchTo(*self_a);
    log += "B";
    self_b->Suspend();
    log += "c";
  });
  self_a = &a;
  self_b = &b;
  a.Resume();
  EXPECT_EQ(log, "abAB") << "Resume returns when the one suspends that goes on in its place";
  b.Resume();
  EXPECT_EQ(log, "abABc");
  EXPECT_TRUE(b.ended());
  EXPECT_FALSE(a.ended());
}

TEST(Fiber, LeftForAnotherItsStackIsUnwound) {
  StackPool stacks;
  bool destroyed = false;
  {
    Fiber *self_a = nullptr, *self_b = nullptr;
    Fiber b(stacks, [&] { self_b->Suspend(); });
    Fiber a(stacks, [&] {
      struct Guard {
        bool& flag;
        ~Guard() { flag = true; }
      } guard{destroyed};
      self_a->SwitchTo(*self_b);
    });
    self_a = &a;
    self_b = &b;
    a.Resume();
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
}

TEST(Fiber, DestroyedInTheMiddleItsStackIsUnwound) {
  StackPool stacks;
  bool destroyed = false, ran_on = false;
  {
    Fiber* self = nullptr;
    Fiber fiber(stacks, [&] {
      struct Guard {
        bool& flag;
        ~Guard() { flag = true; }
      } guard{destroyed};
      self->Suspend();
      ran_on = true;
    });
    self = &fiber;
    fiber.Resume();
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
  EXPECT_FALSE(ran_on);
}

TEST(Fiber, NeverStartedNeedsNoStack) {
  StackPool stacks;
  Fiber fiber(stacks, [] { FAIL() << "must not run"; });
}

TEST(StackPool, StacksAreUsedAgain) {
  StackPool stacks;
  const auto address_of_stack = [&] {
    const void* address = nullptr;
    Fiber fiber(stacks, [&] {
      char on_stack;
      address = &on_stack;
    });
    fiber.Resume();
    return address;
  };
  EXPECT_EQ(address_of_stack(), address_of_stack());
}

#ifndef ABSL_HAVE_ADDRESS_SANITIZER
// Reads what the callers wrote, too, so that no compiler can do without their frames.
int Overflow(int depth, const volatile char* of_caller) {
  volatile char bytes[4096];
  bytes[0] = static_cast<char>(depth);
  return (depth == 0 ? 0 : Overflow(depth - 1, bytes)) + of_caller[0];
}

TEST(FiberDeathTest, OverflowHitsTheGuardPage) {
  EXPECT_DEATH(
      {
        StackPool stacks;
        Fiber fiber(stacks, [] { Overflow(1000, ""); });
        fiber.Resume();
      },
      "");
}
#endif

}  // namespace
}  // namespace kpath
