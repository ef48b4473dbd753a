// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/side_by_side.h"

#include <unistd.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "tools/compare/outline_for_test.h"

namespace kpath {
namespace {

std::string ReportOf(absl::string_view recorded, absl::string_view model,
                     const SideBySideOptions& view) {
  CompareOptions options;
  const Graph recorded_graph = Outline(recorded);
  const Graph model_graph = Outline(model);
  const absl::StatusOr<CompareResult> result = Compare(recorded_graph, model_graph, options);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return Report(recorded_graph, model_graph, options, *result, view);
}

SideBySideOptions Narrow() {
  SideBySideOptions view;
  view.width = 49;
  return view;
}

TEST(SideBySideTest, ShowsBothTreesAroundTheDifference) {
  EXPECT_EQ(ReportOf("a{b c{d e{f} g} h}", "a{b c{e{f x} g} h}", Narrow()),
            "a > c: expected d() (line 4 of the recording), the model has e()\n"
            "\n"
            "  recording             | model\n"
            "  a() {                 | a() {\n"
            "    b();                |   b();\n"
            "    c() {               |   c() {\n"
            "<     d();              |\n"
            "      e() {             |     e() {\n"
            "        f();            |       f();\n"
            ">                       |       x();\n"
            "      }                 |     }\n"
            "      g();              |     g();\n"
            "    }                   |   }\n"
            "    h();                |   h();\n"
            "  }                     | }\n");
}

TEST(SideBySideTest, ShowsAsManyLinesAsAskedForAndNoSharedIndentation) {
  SideBySideOptions view = Narrow();
  view.before = 1;
  view.after = 2;
  EXPECT_EQ(ReportOf("a{b{c{d e f g h}}}", "a{b{c{d f g h}}}", view),
            "a > b > c, after d(): expected e() (line 5 of the recording), the model has f()\n"
            "\n"
            "  recording             | model\n"
            "  d();                  | d();\n"
            "< e();                  |\n"
            "  f();                  | f();\n");
}

TEST(SideBySideTest, LongNamesAreCut) {
  const std::string report = ReportOf("a{" + std::string(60, 'b') + "}", "a", Narrow());
  for (absl::string_view line : absl::StrSplit(report.substr(report.find("\n\n")), '\n')) {
    EXPECT_LE(line.size(), 49u) << line;
  }
  EXPECT_TRUE(absl::StrContains(report, "<   bbbbbbbbbbbbbbbbb...| \n") ||
              absl::StrContains(report, "<   bbbbbbbbbbbbbbbbb...|\n"))
      << report;
}

TEST(SideBySideTest, ColorsOnlyOnRequest) {
  SideBySideOptions view = Narrow();
  EXPECT_FALSE(absl::StrContains(ReportOf("a{b}", "a{c}", view), "\x1b"));
  view.color = true;
  const std::string report = ReportOf("a{b}", "a{c}", view);
  EXPECT_TRUE(absl::StrContains(report, "\x1b[31m<   b();"));
  EXPECT_TRUE(absl::StrContains(report, "\x1b[32m>"));
}

TEST(SideBySideTest, CallThatTheModelLacksHasNoPicture) {
  EXPECT_EQ(ReportOf("a{b}", "c", Narrow()),
            "expected a() (line 1 of the recording), the model has no such call\n");
}

TEST(ReportTest, CountsWhatIsEqualAndListsWhatIsNotCompared) {
  EXPECT_EQ(ReportOf("a{b c}\nirq: do_IRQ{x}\nidle idle", "a{b c}\nirq: do_IRQ{x}", Narrow()),
            "equal: 5 calls in 2 trees\n"
            "not in the model, so not compared: idle() x2\n");
  EXPECT_EQ(ReportOf("a", "a", Narrow()), "equal: 1 call in 1 tree\n");
}

TEST(ViewForTerminalTest, NoTerminalNoColor) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const SideBySideOptions view = ViewForTerminal(pipe_ends[1]);
  EXPECT_FALSE(view.color);
  EXPECT_EQ(view.width, 100);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

}  // namespace
}  // namespace kpath
