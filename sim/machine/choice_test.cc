// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/choice.h"

#include "gtest/gtest.h"

namespace kpath {
namespace {

TEST(ChoiceLog, IsReadBackAsWritten) {
  const ChoiceLog log = {{3, ChoiceKind::kStepCpu, 4, 2}, {17, ChoiceKind::kFailAlloc, 2, 1}};
  EXPECT_EQ(ToString(log), "3:step-cpu:4:2 17:fail-alloc:2:1");
  const auto parsed = ParseChoiceLog(ToString(log));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, log);
}

TEST(ChoiceLog, BadTextIsRefusedWithTheWord) {
  const struct {
    const char* text;
    const char* message;
  } kCases[] = {
      {"3", "'3' is not a choice, expected INDEX:KIND:OPTIONS:PICK"},
      {"3:step-cpu:x:1", "'3:step-cpu:x:1' is not a choice, expected INDEX:KIND:OPTIONS:PICK"},
      {"3:coin:2:1", "unknown kind of choice 'coin'"},
      {"3:step-cpu:2:2", "'3:step-cpu:2:2': the pick must be between 1 and OPTIONS - 1"},
      {"3:step-cpu:2:0", "'3:step-cpu:2:0': the pick must be between 1 and OPTIONS - 1"},
      {"3:order:2:1 3:order:2:1", "'3:order:2:1': choices must come in the order of their index"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(ParseChoiceLog(c.text).status().message(), c.message) << c.text;
  }
}

TEST(SeededChooser, SameSeedSameAnswersAndNoAllocationFails) {
  SeededChooser one(7), two(7);
  int departures = 0;
  for (uint64_t i = 0; i < 1000; ++i) {
    const int pick = one.Choose(i, ChoiceKind::kStepCpu, 3);
    EXPECT_EQ(pick, two.Choose(i, ChoiceKind::kStepCpu, 3));
    EXPECT_LT(pick, 3);
    departures += pick != 0;
    EXPECT_EQ(one.Choose(i, ChoiceKind::kFailAlloc, 2), 0);
  }
  EXPECT_GT(departures, 0);
}

TEST(ReplayChooser, GivesTheRecordedAnswers) {
  ReplayChooser chooser({{1, ChoiceKind::kPickTask, 3, 2}});
  EXPECT_EQ(chooser.Choose(0, ChoiceKind::kPickTask, 3), 0);
  EXPECT_EQ(chooser.Choose(1, ChoiceKind::kPickTask, 3), 2);
  EXPECT_EQ(chooser.Choose(2, ChoiceKind::kPickTask, 3), 0);
}

TEST(ReplayChooserDeathTest, AnotherQuestionThanTheRecordedOneIsFatal) {
  ReplayChooser chooser({{0, ChoiceKind::kPickTask, 3, 2}});
  EXPECT_DEATH(chooser.Choose(0, ChoiceKind::kStepCpu, 3),
               "replay asks another question: recorded 0:pick-task:3:2, asked 0:step-cpu:3");
}

}  // namespace
}  // namespace kpath
