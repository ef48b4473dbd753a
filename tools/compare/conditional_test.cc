// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/conditional.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tools/compare/difference.h"
#include "tools/compare/outline_for_test.h"

namespace kpath {
namespace {

CompareRules Rules(absl::string_view text) {
  CompareRules rules;
  const absl::Status status = rules.AddConditional({"conditional.txt", text});
  EXPECT_TRUE(status.ok()) << status;
  return rules;
}

// Whether two outlines are equal by the rule "a > b".
bool Equal(absl::string_view recorded, absl::string_view model) {
  const CompareRules rules = Rules("a > b: the clock decides whether it is called");
  const Graph left_graph = Outline(recorded), right_graph = Outline(model);
  const CallTree& left = left_graph.streams[0].calls;
  const CallTree& right = right_graph.streams[0].calls;
  const VisibleTree left_tree(left, rules), right_tree(right, rules);
  const StepsOfBoth steps = LeaveOutConditional(
      rules,
      {left_tree.Steps(left.first_root(), false), right_tree.Steps(right.first_root(), false)});
  return !FirstDifference(left_tree, steps.recorded, steps.model).has_value();
}

TEST(Conditional, ACallMayBeOnOneSideAlone) {
  EXPECT_TRUE(Equal("r{a{b{c d}} e}", "r{a e}"));
  EXPECT_TRUE(Equal("r{a e}", "r{a{b{c d}} e}"));
  EXPECT_TRUE(Equal("r{a{c} a{b c}}", "r{a{b c} a{c}}"));
}

TEST(Conditional, WhereBothHaveItItIsCompared) {
  EXPECT_TRUE(Equal("r{a{b{c}}}", "r{a{b{c}}}"));
  EXPECT_FALSE(Equal("r{a{b{c}}}", "r{a{b{d}}}"));
  EXPECT_FALSE(Equal("r{a{b{c}}}", "r{a{b}}"));
}

TEST(Conditional, OnlyThereAndOnlyThat) {
  EXPECT_FALSE(Equal("r{b a}", "r{a}"));
  EXPECT_FALSE(Equal("r{a{x{b}}}", "r{a{x}}"));
  EXPECT_FALSE(Equal("r{a{c}}", "r{a}"));
  EXPECT_FALSE(Equal("r{a{b c}}", "r{a{b}}"));
}

TEST(Conditional, ARuleThatIsNoneIsRefused) {
  for (const char* text :
       {"a: x", "a > : why not, after all", "a > b", "a > b:", "> b: no parent"}) {
    CompareRules rules;
    EXPECT_FALSE(rules.AddConditional({"f", text}).ok()) << text;
  }
}

}  // namespace
}  // namespace kpath
