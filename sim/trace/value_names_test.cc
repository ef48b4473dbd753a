// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/value_names.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ValueNames, NothingIsNoName) {
  EXPECT_THAT(ValueNames(""), IsEmpty());
  EXPECT_THAT(ValueNames(" "), IsEmpty());
}

TEST(ValueNames, ExpressionsAreSplitBetweenValues) {
  EXPECT_THAT(ValueNames("ctx, nr"), ElementsAre("ctx", "nr"));
  EXPECT_THAT(ValueNames("min(a, b), list[i, j], c"), ElementsAre("min(a, b)", "list[i, j]", "c"));
}

TEST(ValueNames, HowAValueIsShownIsNoPartOfItsName) {
  EXPECT_THAT(ValueNames("Value::Address(ctx->user_id), Value::Result(ret)"),
              ElementsAre("ctx->user_id", "ret"));
  EXPECT_THAT(ValueNames("static_cast<int>(fd), static_cast<uint32_t>(size())"),
              ElementsAre("fd", "size()"));
  EXPECT_THAT(ValueNames("static_cast<int>(fd) + 1"), ElementsAre("static_cast<int>(fd) + 1"));
}

TEST(NamedValues, AreThoseThatThereAre) {
  const Value values[] = {Value::Unsigned(209), Value::Address(0x10)};
  EXPECT_EQ(NamedValues("nr, Value::Address(regs)", values), "nr=209, regs=0x10");
  EXPECT_EQ(NamedValues("nr", values), "nr=209, 0x10");  // a value that was given no name
  EXPECT_EQ(NamedValues("", {}), "");
}

}  // namespace
}  // namespace kpath
