// SPDX-License-Identifier: Apache-2.0

#include "tests/tidy/code_text.h"

#include "gtest/gtest.h"

namespace kpath::tidy {
namespace {

TEST(BlankCommentsAndLiteralsTest, BlanksLineComments) {
  EXPECT_EQ(BlankCommentsAndLiterals("a; // b\nc;"), "a;     \nc;");
}

TEST(BlankCommentsAndLiteralsTest, BlanksBlockCommentsAndKeepsTheirLines) {
  EXPECT_EQ(BlankCommentsAndLiterals("a/*b\nc*/d"), "a   \n   d");
  EXPECT_EQ(BlankCommentsAndLiterals("a/*b"), "a   ");
}

TEST(BlankCommentsAndLiteralsTest, BlanksStringsAndKeepsQuotes) {
  EXPECT_EQ(BlankCommentsAndLiterals(R"(f("a//b", c);)"), R"(f("    ", c);)");
  EXPECT_EQ(BlankCommentsAndLiterals(R"(f("a\"b", c);)"), R"(f("    ", c);)");
  EXPECT_EQ(BlankCommentsAndLiterals(R"(f("a\\"); g();)"), R"(f("   "); g();)");
}

TEST(BlankCommentsAndLiteralsTest, BlanksCharacters) {
  EXPECT_EQ(BlankCommentsAndLiterals("f('{', '\\'', x);"), "f(' ', '  ', x);");
}

TEST(BlankCommentsAndLiteralsTest, LeavesDigitSeparators) {
  EXPECT_EQ(BlankCommentsAndLiterals("int a = 1'000; int b = 2'000;"),
            "int a = 1'000; int b = 2'000;");
}

TEST(BlankCommentsAndLiteralsTest, BlanksRawStrings) {
  EXPECT_EQ(BlankCommentsAndLiterals("f(R\"(a\"\n{b)\"); c"), "f(R\"   \n  )\"); c");
  EXPECT_EQ(BlankCommentsAndLiterals("f(R\"x(a)\" b)x\"); c"), "f(R\"       )x\"); c");
}

TEST(BlankCommentsAndLiteralsTest, SurvivesUnfinishedLiterals) {
  EXPECT_EQ(BlankCommentsAndLiterals("\"a\\"), "\"  ");
  EXPECT_EQ(BlankCommentsAndLiterals("R\"(abc"), "R\"    ");
  EXPECT_EQ(BlankCommentsAndLiterals("R\"abc"), "R\"   ");
  EXPECT_EQ(BlankCommentsAndLiterals("'"), "'");
}

}  // namespace
}  // namespace kpath::tidy
