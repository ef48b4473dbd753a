// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/visible.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tools/compare/outline_for_test.h"

namespace kpath {
namespace {

class VisibleTreeTest : public testing::Test {
 protected:
  VisibleTreeTest() { rules_ = ReadRules({"i", "cut: x\nfold{}: x\n"}, {"n", "inl: x\n"}).value(); }

  // The tree of the first root as steps: "a( b( ) )", without a ")" where a call does not return.
  std::string Steps(absl::string_view outline, bool open_root = false) const {
    const Graph graph = Outline(outline);
    const CallTree& calls = graph.streams[0].calls;
    std::string text;
    for (const VisibleStep& step :
         VisibleTree(calls, rules_).Steps(calls.first_root(), open_root)) {
      if (step.is_enter) absl::StrAppend(&text, step.depth, step.name, "(");
      if (!step.is_enter) absl::StrAppend(&text, step.depth, ")");
    }
    return text;
  }

  std::string Roots(absl::string_view outline) const {
    const Graph graph = Outline(outline);
    const CallTree& calls = graph.streams[0].calls;
    std::string text;
    for (CallId root : VisibleTree(calls, rules_).Roots())
      absl::StrAppend(&text, calls.name(root), " ");
    return text;
  }

  CompareRules rules_;
};

TEST_F(VisibleTreeTest, ShowsEntriesAndReturns) {
  EXPECT_EQ(Steps("a{b c{d}}"), "0a(1b(1)1c(2d(2)1)0)");
}

TEST_F(VisibleTreeTest, CutsACallWithItsInside) { EXPECT_EQ(Steps("a{cut{b} c}"), "0a(1c(1)0)"); }

TEST_F(VisibleTreeTest, CutsTheInsideOnly) {
  EXPECT_EQ(Steps("a{fold{b{c}} d}"), "0a(1fold(1)1d(1)0)");
}

TEST_F(VisibleTreeTest, TakesInlinedCallsOut) {
  EXPECT_EQ(Steps("a{inl{b inl{c}} d}"), "0a(1b(1)1c(1)1d(1)0)");
}

TEST_F(VisibleTreeTest, ComparesSourceNames) {
  EXPECT_EQ(Steps("a{cut.constprop.0{b} c.isra.3}"), "0a(1c(1)0)");
}

TEST_F(VisibleTreeTest, OpenCallsDoNotReturn) { EXPECT_EQ(Steps("a!{b c!}"), "0a(1b(1)1c("); }

TEST_F(VisibleTreeTest, ProtectedCallsStayVisibleInsideACut) {
  EXPECT_EQ(Steps("a{cut{b{blk_flush_plug_list{c cut}}} d}"),
            "0a(1blk_flush_plug_list(2c(2)1)1d(1)0)");
  EXPECT_EQ(Steps("a{fold{b submit_bio}}"), "0a(1fold(2submit_bio(2)1)0)");
}

TEST_F(VisibleTreeTest, RootIsAlwaysSeenAndCanBeOpened) {
  EXPECT_EQ(Steps("cut{a}"), "0cut(0)");
  EXPECT_EQ(Steps("fold{a}"), "0fold(0)");
  EXPECT_EQ(Steps("fold{a fold{b}}", /*open_root=*/true), "0fold(1a(1)1fold(1)0)");
}

TEST_F(VisibleTreeTest, RootsAreWhatTheRulesLeaveOutermost) {
  EXPECT_EQ(Roots("a inl{b cut{c} inl{d}} cut{e aio_complete{f}} g"), "a b d aio_complete g ");
}

}  // namespace
}  // namespace kpath
