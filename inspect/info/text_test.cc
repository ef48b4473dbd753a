// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/text.h"

#include "gtest/gtest.h"

namespace kpath {
namespace {

TEST(Text, Numbers) {
  EXPECT_EQ(Hex(0), "0x0");
  EXPECT_EQ(Hex(~0ull), "0xffffffffffffffff");
  EXPECT_EQ(Hex16(0x401002), "0x0000000000401002");
  EXPECT_EQ(Count(0, "page"), "0 pages");
  EXPECT_EQ(Count(1, "page"), "1 page");
}

TEST(Text, BitsByNameAndTheRestAsANumber) {
  const std::vector<BitName> names = {{6, "BOTH"}, {2, "TWO"}, {8, "EIGHT"}};
  EXPECT_EQ(BitNames(14, names, "|", "none"), "BOTH|EIGHT");
  EXPECT_EQ(BitNames(2, names, "|", "none"), "TWO");
  EXPECT_EQ(BitNames(0x30, names, "|", "none"), "0x30");
  EXPECT_EQ(BitNames(0x18, names, " ", "none"), "EIGHT 0x10");
  EXPECT_EQ(BitNames(0, names, "|", "none"), "none");
}

TEST(Text, ALineIsCutAtTheWidthOfTheScreen) {
  EXPECT_EQ(Cut("12345", 5), "12345");
  EXPECT_EQ(Cut("123456", 5), "1234…");
  EXPECT_EQ(Cut("123 56", 5), "123…");
  EXPECT_EQ(Cut("123456", 0), "123456");
  EXPECT_EQ(Cut("1234…", 5), "1234…");
}

TEST(Text, TextIsWrappedAtBlanks) {
  EXPECT_EQ(Wrap("one two three", 0, 2), "one two three");
  EXPECT_EQ(Wrap("one two three", 13, 2), "one two three");
  EXPECT_EQ(Wrap("one two three", 12, 2), "one two\n  three");
  EXPECT_EQ(Wrap("one two three", 3, 2), "one\n  two\n  three");
}

TEST(Text, ColumnsAreAsWideAsTheirCells) {
  Table table({"NR", "NAME", "WHY"}, {Align::kRight, Align::kLeft, Align::kLeft});
  EXPECT_TRUE(table.empty());
  table.Add({"1", "read", "a reason"});
  table.Add({"200", "x", ""});
  EXPECT_EQ(table.ToString(80),
            " NR  NAME  WHY\n"
            "  1  read  a reason\n"
            "200  x\n");
  EXPECT_EQ(table.ToString(12, 1),
            "  NR  NAME…\n"
            "   1  read…\n"
            " 200  x\n");
}

TEST(Text, TheLastColumnIsWrappedWhereThereIsRoom) {
  Table table({"NR", "WHY"}, {Align::kRight, Align::kLeft});
  table.Add({"1", "a reason that has many words"});
  EXPECT_EQ(table.ToString(20),
            "NR  WHY\n"
            " 1  a reason that\n"
            "    has many words\n");
}

}  // namespace
}  // namespace kpath
