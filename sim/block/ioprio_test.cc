// SPDX-License-Identifier: Apache-2.0
#include "sim/block/ioprio.h"

#include "gtest/gtest.h"
#include "sim/kernel/capability.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

constexpr int Priority(int ioprio_class, int data) {
  return ioprio_class << IOPRIO_CLASS_SHIFT | data;
}

TEST(Ioprio, ClassesAndLevels) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_RT, 0)), 0);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_RT, 8)), -EINVAL);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_BE, 7)), 0);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_BE, 8)), -EINVAL);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_IDLE, 4711)), 0);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_NONE, 0)), 0);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_NONE, 1)), -EINVAL);
  EXPECT_EQ(ioprio_check_cap(-1), -EINVAL);
}

TEST(Ioprio, TheRealtimeClassIsForAdministrators) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  current->cap_effective &= ~(uint64_t{1} << CAP_SYS_ADMIN);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_RT, 0)), -EPERM);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_RT, 8)), -EPERM);
  EXPECT_EQ(ioprio_check_cap(Priority(IOPRIO_CLASS_BE, 7)), 0);
}

}  // namespace
}  // namespace kpath
