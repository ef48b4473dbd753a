// SPDX-License-Identifier: Apache-2.0
//
// Plants each offence and sees it found; shows for each rule what it must leave alone.

#include "tests/tidy/rules.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kpath::tidy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::string_view kHead = "// SPDX-License-Identifier: Apache-2.0\n";

// "rule@line" of each finding in a file that consists of the license line and `rest`.
std::vector<std::string> Rules(absl::string_view path, absl::string_view rest) {
  std::vector<std::string> rules;
  for (const Finding& finding : CheckSource(path, absl::StrCat(kHead, rest))) {
    rules.push_back(absl::StrCat(finding.rule, "@", finding.line));
  }
  return rules;
}

std::string Repeat(int times, absl::string_view text) {
  std::string all;
  for (int i = 0; i < times; ++i) absl::StrAppend(&all, text);
  return all;
}

TEST(LicenseTest, IsRequiredInTheFirstTwoLines) {
  const auto rules = [](absl::string_view text) { return CheckSource("kpath", text).size(); };
  EXPECT_EQ(rules("# SPDX-License-Identifier: Apache-2.0\n"), 0u);
  EXPECT_EQ(rules("#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n"), 0u);
  EXPECT_EQ(rules("#!/bin/bash\n#\n# SPDX-License-Identifier: Apache-2.0\n"), 1u);
  EXPECT_EQ(rules("// SPDX-License-Identifier: MIT\n"), 1u);
  EXPECT_EQ(rules(""), 1u);
}

TEST(PragmaOnceTest, IsRequiredInHeadersOnly) {
  EXPECT_THAT(Rules("a.h", "int f();\n"), ElementsAre("pragma_once@1"));
  EXPECT_THAT(Rules("a.h", "// #pragma once\n"), ElementsAre("pragma_once@1"));
  EXPECT_THAT(Rules("a.h", "#pragma once\n"), IsEmpty());
  EXPECT_THAT(Rules("a.cc", "int f();\n"), IsEmpty());
}

TEST(LineLengthTest, CountsColumns) {
  const std::string longest = Repeat(kMaxColumns, "x");
  EXPECT_THAT(Rules("a.cc", absl::StrCat(longest, "\n")), IsEmpty());
  EXPECT_THAT(Rules("a.cc", absl::StrCat("\n", longest, "x\n")), ElementsAre("line_length@3"));
  EXPECT_THAT(Rules("a.cc", absl::StrCat("// ", Repeat(97, "→"), "\n")), IsEmpty());
  EXPECT_THAT(Rules("BUILD", absl::StrCat("# ", longest, "\n")), IsEmpty());
}

TEST(FileLengthTest, CountsLines) {
  EXPECT_THAT(Rules("a.cc", Repeat(kMaxFileLines - 1, "\n")), IsEmpty());
  EXPECT_THAT(Rules("a.cc", Repeat(kMaxFileLines, "\n")), ElementsAre("file_length@501"));
}

TEST(FunctionLengthTest, CountsFromHeadToBrace) {
  const auto function = [](int lines) {
    return absl::StrCat("\nvoid Ring::Fill(int a,\n    int b) {\n", Repeat(lines - 3, "  f();\n"),
                        "}\n");
  };
  EXPECT_THAT(Rules("a.cc", function(kMaxFunctionLines)), IsEmpty());
  EXPECT_THAT(Rules("a.cc", function(kMaxFunctionLines + 1)), ElementsAre("function_length@3"));
  const Finding found =
      CheckSource("a.cc", absl::StrCat(kHead, function(kMaxFunctionLines + 1))).at(0);
  EXPECT_EQ(found.what, "Ring::Fill");
  EXPECT_EQ(ToString(found),
            "a.cc:3: [function_length] Ring::Fill has 71 lines, at most 70 expected");
}

TEST(TestingBranchTest, FindsConditions) {
  EXPECT_THAT(Rules("a.cc", "  if (testing) return;\n"), ElementsAre("testing_branch@2"));
  EXPECT_THAT(Rules("a.cc", "  if (!config.is_testing) {\n"), ElementsAre("testing_branch@2"));
  EXPECT_THAT(Rules("a.cc", "  x = kUnderTest ? 1 : 2;\n"), IsEmpty());
  EXPECT_THAT(Rules("a.cc", "  x = in_test ? 1 : 2;\n"), ElementsAre("testing_branch@2"));
}

TEST(TestingBranchTest, LeavesGoogleTestAndComments) {
  EXPECT_THAT(Rules("a.cc", "  if (testing::Test::HasFailure()) return;\n"), IsEmpty());
  EXPECT_THAT(Rules("a.cc", "  // if (testing)\n"), IsEmpty());
  EXPECT_THAT(Rules("a.cc", "  if (attesting) return;\n"), IsEmpty());
}

TEST(StringViewTest, FindsTheStandardOne) {
  EXPECT_THAT(Rules("a.cc", "void f(std::string_view a);\n"), ElementsAre("string_view@2"));
  EXPECT_THAT(Rules("a.cc", "void f(absl::string_view a);\n"), IsEmpty());
  EXPECT_THAT(Rules("a.cc", "// not std::string_view\n"), IsEmpty());
}

TEST(HostStateTest, FindsClocks) {
  for (absl::string_view line :
       {"std::chrono::steady_clock::now()", "std::chrono::system_clock::now()", "time(NULL)",
        "time(nullptr)", "std::time(0)", "gettimeofday(&tv, nullptr)",
        "::clock_gettime(CLOCK_REALTIME, &ts)", "absl::Now()", "clock()", "__rdtsc()"}) {
    EXPECT_THAT(Rules("a.cc", absl::StrCat("  x = ", line, ";\n")), ElementsAre("host_state@2"))
        << line;
  }
}

TEST(HostStateTest, FindsRandomNumbers) {
  for (absl::string_view line : {"rand()", "std::rand()", "srand(1)", "drand48()",
                                 "std::random_device device", "getrandom(p, 8, 0)"}) {
    EXPECT_THAT(Rules("a.cc", absl::StrCat("  ", line, ";\n")), ElementsAre("host_state@2"))
        << line;
  }
}

TEST(HostStateTest, LeavesOtherNames) {
  for (absl::string_view line : {"machine.clock()", "virtual_time(1)", "random.Next()", "int time;",
                                 "f(\"rand()\");", "choices->rand()", "sys_time(regs)"}) {
    EXPECT_THAT(Rules("a.cc", absl::StrCat("  ", line, "\n")), IsEmpty()) << line;
  }
}

TEST(IsSourceTest, KnowsSourcesFromData) {
  for (absl::string_view path : {"a/b.cc", "a/b.h", "a/BUILD", "WORKSPACE", "kpath", ".ci/run",
                                 "third_party/x.BUILD", "bazel/a.bzl", "t/syscall_64.tbl"}) {
    EXPECT_TRUE(IsSource(path)) << path;
  }
  for (absl::string_view path : {"LICENSE", "README.md", "a.strace", "a.graph", "x/run", "a.cc~"}) {
    EXPECT_FALSE(IsSource(path)) << path;
  }
}

}  // namespace
}  // namespace kpath::tidy
