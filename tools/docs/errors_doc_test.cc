// SPDX-License-Identifier: Apache-2.0
#include "tools/docs/errors_doc.h"

#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/docs/condition.h"

namespace kpath {
namespace {

using ::testing::StartsWith;

TEST(ErrorsDoc, TheFileIsWhatTheMachineSays) {
  std::ifstream file("docs/errors.md");
  ASSERT_TRUE(file.is_open());
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), ErrorsDoc()) << "bazel-4 run //tools/docs:errors_doc > docs/errors.md";
}

TEST(ErrorsDoc, EachConditionEndsInAnErrorWithAReason) {
  for (const auto& conditions : {SetupConditions(), SubmitConditions(), GeteventsConditions()}) {
    for (const Condition& condition : conditions) {
      const Outcome outcome = Provoke(condition);
      EXPECT_NE(outcome.reason, "") << condition.condition;
      if (condition.condition.find("is lost") != std::string::npos) {
        EXPECT_EQ(outcome.kernel, "1");
        continue;
      }
      EXPECT_THAT(outcome.kernel, StartsWith("-E")) << condition.condition;
      EXPECT_THAT(outcome.libaio, StartsWith("-E")) << condition.condition;
      EXPECT_EQ(outcome.syscall2, "-1, errno " + outcome.libaio.substr(1)) << condition.condition;
    }
  }
}

}  // namespace
}  // namespace kpath
