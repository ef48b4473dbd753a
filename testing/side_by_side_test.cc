// SPDX-License-Identifier: Apache-2.0
#include "testing/side_by_side.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kpath::testing {
namespace {

TEST(SideBySide, IsEmptyForEqualTexts) { EXPECT_EQ(SideBySide("a", "x\n", "b", "x\n"), ""); }

TEST(SideBySide, MarksWhatIsChangedAddedAndTakenAway) {
  EXPECT_EQ(SideBySide("golden", "a\nb\nc\nd\n", "now", "a\nB\nc\nc2\n"),
            "golden   now\n"
            "a        a\n"
            "b      | B\n"
            "c        c\n"
            "d      | c2\n");
  EXPECT_EQ(SideBySide("golden", "a\nb\n", "now", "a\nnew\nb\n"),
            "golden   now\n"
            "a        a\n"
            "       > new\n"
            "b        b\n");
  EXPECT_EQ(SideBySide("golden", "a\nold\nb\n", "now", "a\nb\n"),
            "golden   now\n"
            "a        a\n"
            "old    <\n"
            "b        b\n");
}

TEST(SideBySide, LeavesOutWhatIsEqualAndFar) {
  std::string left, right;
  for (int i = 0; i < 20; ++i) absl::StrAppend(&left, "line ", i, "\n");
  right = left + "more\n";
  EXPECT_EQ(SideBySide("golden", left, "now", right),
            "golden    now\n"
            "  ... 17 equal\n"
            "line 17   line 17\n"
            "line 18   line 18\n"
            "line 19   line 19\n"
            "        > more\n");
}

TEST(SideBySide, ComparesWithNothing) {
  EXPECT_EQ(SideBySide("golden", "", "now", "a\n"),
            "golden   now\n"
            "       > a\n");
}

TEST(SideBySide, CutsLongLines) {
  const std::string text = SideBySide("golden", std::string(200, 'x'), "now", "a");
  EXPECT_EQ(text.find('~'), text.find('\n') + 60);
}

// Texts that are too long to be aligned are shown all the same.
TEST(SideBySide, LongTexts) {
  std::string left, right;
  for (int i = 0; i < 6000; ++i) {
    absl::StrAppend(&left, "l", i, "\n");
    absl::StrAppend(&right, "r", i, "\n");
  }
  const std::string text = SideBySide("golden", left, "now", right);
  EXPECT_NE(text.find("\nl5999  | r5999\n"), std::string::npos);
}

}  // namespace
}  // namespace kpath::testing
