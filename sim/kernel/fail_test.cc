// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/fail.h"

#include "gtest/gtest.h"
#include "sim/kernel/slab.h"
#include "sim/kernel/test_kernel.h"

namespace kpath {
namespace {

struct thing {
  int value = 0;
};

long check(long nr) {
  FUNCTION(nr);
  if (nr < 0)
    return fn.Return(Fail(EINVAL, "nr=$0 is negative, flags=$1", nr, Value::Address(0x10)));
  return fn.Return(nr);
}

TEST(Fail, GivesTheNegativeErrnoAndKeepsTheReason) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  EXPECT_EQ(check(-1), -EINVAL);
  EXPECT_EQ(current->reason.ToString(), "EINVAL: nr=-1 is negative, flags=0x10");
  EXPECT_STREQ(current->reason.function, "check");
  EXPECT_EQ(check(3), 3);
}

TEST(Fail, ExplanationsFollowTheReasonAndGoWithIt) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  check(-1);
  Explain("it was $0 of $1", 2, 3);
  Explain("nothing is left");
  EXPECT_EQ(current->reason.Text(),
            "nr=-1 is negative, flags=0x10; it was 2 of 3; nothing is left");
  check(-2);
  EXPECT_EQ(current->reason.Text(), "nr=-2 is negative, flags=0x10");
}

TEST(Fail, ExplanationsBeyondTheLimitAreDropped) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  check(-1);
  for (int i = 0; i < 2 * Reason::kMaxClauses; ++i) Explain("x");
  EXPECT_EQ(current->reason.clauses_used, Reason::kMaxClauses);
}

TEST(Fail, ConvertsToAnErrorPointer) {
  TestKernel kernel;
  EnterMachine enter(kernel.machine);
  const kptr<thing> pointer = Fail(ENOMEM, "no memory");
  EXPECT_TRUE(IS_ERR(pointer));
  EXPECT_EQ(PTR_ERR(pointer), Error(ENOMEM));
  EXPECT_EQ(MakeValue(pointer).ToString(), "-ENOMEM");
}

TEST(Error, PrintsByName) {
  EXPECT_EQ(Error(EAGAIN).ToString(), "-EAGAIN");
  EXPECT_EQ(Error(EIOCBQUEUED).ToString(), "-EIOCBQUEUED");
}

}  // namespace
}  // namespace kpath
