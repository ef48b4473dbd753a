// SPDX-License-Identifier: Apache-2.0
//
// The trace of a run, byte for byte. After a change that is meant:
//     bazel-4 run //tools/kpath:golden_test -- --update
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader_file.h"

namespace kpath {
namespace {

constexpr char kGolden[] = "tests/goldens/first-read.steps";
constexpr char kCommand[] =
    "tools/kpath/kpath run --quiet --trace=steps examples/first-read.strace";

std::string OutputOf(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  for (size_t got; (got = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) text.append(buffer, got);
  return pclose(pipe) == 0 ? text : "";
}

// The first line in which the two differ, with both sides; empty if they are equal.
std::string FirstDifference(const std::string& golden, const std::string& now) {
  const std::vector<std::string> a = absl::StrSplit(golden, '\n'), b = absl::StrSplit(now, '\n');
  for (size_t i = 0; i < a.size() || i < b.size(); ++i) {
    const std::string was = i < a.size() ? a[i] : "(end)", is = i < b.size() ? b[i] : "(end)";
    if (was != is) return absl::StrCat(kGolden, ":", i + 1, "\n  was: ", was, "\n  is:  ", is);
  }
  return "";
}

TEST(Golden, TheStepsOfTheFirstRead) {
  const absl::StatusOr<std::string> golden = ReadTextFile(kGolden);
  ASSERT_TRUE(golden.ok()) << golden.status();
  const std::string now = OutputOf(kCommand);
  ASSERT_NE(now, "");
  EXPECT_EQ(FirstDifference(*golden, now), "")
      << "If this is meant: bazel-4 run //tools/kpath:golden_test -- --update";
}

// In the user's own tree, not in Bazel's.
int Update() {
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (root == nullptr) {
    std::fprintf(stderr, "use: bazel-4 run //tools/kpath:golden_test -- --update\n");
    return 2;
  }
  std::ofstream(absl::StrCat(root, "/", kGolden)) << OutputOf(kCommand);
  return 0;
}

}  // namespace
}  // namespace kpath

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && std::strcmp(argv[1], "--update") == 0) return kpath::Update();
  return RUN_ALL_TESTS();
}
