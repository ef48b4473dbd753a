// SPDX-License-Identifier: Apache-2.0

#include "tests/tidy/exceptions.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/tidy/rules.h"

namespace kpath::tidy {
namespace {

constexpr Exception kLongF[] = {{"function_length", "a.cc", "f", "a listing in one piece"}};

Finding LongFunction(const std::string& path, const std::string& name) {
  return {path, 1, "function_length", name, "too long"};
}

TEST(ExceptionsTest, AllowWhatTheyName) {
  EXPECT_TRUE(Apply(kLongF, {LongFunction("a.cc", "f")}).empty());
}

TEST(ExceptionsTest, AllowNothingElse) {
  const std::vector<Finding> left = Apply(kLongF, {LongFunction("a.cc", "f"),
                                                   LongFunction("a.cc", "g"),
                                                   LongFunction("b.cc", "f"),
                                                   {"a.cc", 1, "line_length", "f", "too long"}});
  EXPECT_EQ(left.size(), 3u);
}

TEST(ExceptionsTest, AreFindingsWhenUnused) {
  const std::vector<Finding> left = Apply(kLongF, {});
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(ToString(left[0]),
            "tests/tidy/exceptions.cc:1: [unused_exception] nothing at a.cc needs the exception "
            "from function_length; take its line out");
}

TEST(ExceptionsTest, OfTheProjectHaveAReasonAndStandOnce) {
  std::set<std::string> seen;
  for (const Exception& exception : Exceptions()) {
    EXPECT_TRUE(absl::StrContains(exception.reason, ' ')) << exception.path;
    EXPECT_TRUE(
        seen.insert(absl::StrCat(exception.rule, " ", exception.path, " ", exception.what)).second)
        << exception.path;
  }
}

}  // namespace
}  // namespace kpath::tidy
