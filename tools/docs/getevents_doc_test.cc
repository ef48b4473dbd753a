// SPDX-License-Identifier: Apache-2.0
#include "tools/docs/getevents_doc.h"

#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace kpath {
namespace {

TEST(GeteventsDoc, ThePageShowsWhatTheRunsPrint) {
  std::ifstream file("docs/how-io_getevents-works.md");
  ASSERT_TRUE(file.is_open());
  std::ostringstream text;
  text << file.rdbuf();
  const auto runs = GeteventsRuns();
  std::string unknown;
  EXPECT_EQ(text.str(), WithRuns(text.str(), runs, &unknown));
  EXPECT_EQ(unknown, "");
  for (const auto& [name, output] : runs) {
    EXPECT_NE(text.str().find("<!-- run: " + name + " -->"), std::string::npos) << name;
    EXPECT_NE(output, "") << name;
  }
}

TEST(GeteventsDoc, BlocksAreReplacedAndNothingElse) {
  std::string unknown;
  const std::string page = "a\n<!-- run: x -->\n```text\nold\n```\nb\n```text\nkept\n```\n";
  EXPECT_EQ(WithRuns(page, {{"x", "new\n"}}, &unknown),
            "a\n<!-- run: x -->\n```text\nnew\n```\nb\n```text\nkept\n```\n");
  EXPECT_EQ(unknown, "");
  EXPECT_EQ(WithRuns(page, {}, &unknown), page);
  EXPECT_EQ(unknown, "x");
}

}  // namespace
}  // namespace kpath
