// SPDX-License-Identifier: Apache-2.0
//
// The first test of README.md.
#include "entry/boot.h"
#include "gtest/gtest.h"

TEST(First, AContextNeedsEvents) {
  kpath::System system;
  system.Start("first", [] {
    kpath::user::Arena arena;
    auto ctx = arena.New<kpath::user::io_context_t>();
    EXPECT_EQ(kpath::user::io_setup(0, ctx), -EINVAL);
    EXPECT_EQ(kpath::user::io_setup(8, ctx), 0);
  });
  EXPECT_EQ(system.Run(), "");  // no report of the kernel, nobody hangs, nothing is left
}
