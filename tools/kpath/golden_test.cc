// SPDX-License-Identifier: Apache-2.0
//
// The trace of a run, byte for byte. After a change that is meant, this writes the new one, and the
// graph that README.md shows:
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

// The lines of the call that README.md shows: the submission of a read from fd 9.
std::string GraphForReadme() {
  const std::string graph = OutputOf("tools/kpath/kpath run --quiet examples/first-read.strace");
  constexpr char kLast[] = "/* EBADF: fd 9 is not open */\n";
  const size_t announced = graph.find("aio_fildes=9");
  const size_t begin = graph.find('\n', announced) + 1;
  const size_t end = graph.find(kLast, begin) + sizeof(kLast) - 1;
  return graph.substr(begin, end - begin);
}

// `text` with the fenced block that contains `mark` replaced.
std::string ReplaceBlock(const std::string& text, const std::string& mark,
                         const std::string& block) {
  const size_t at = text.find(mark);
  const size_t begin = text.rfind("```\n", at) + 4;
  const size_t end = text.find("```\n", at);
  return absl::StrCat(text.substr(0, begin), block, text.substr(end));
}

// In the user's own tree, not in Bazel's.
int Update() {
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (root == nullptr) {
    std::fprintf(stderr, "use: bazel-4 run //tools/kpath:golden_test -- --update\n");
    return 2;
  }
  std::ofstream(absl::StrCat(root, "/", kGolden)) << OutputOf(kCommand);
  const std::string readme_path = absl::StrCat(root, "/README.md");
  const absl::StatusOr<std::string> readme = ReadTextFile(readme_path);
  if (!readme.ok()) return 2;
  const std::string updated = ReplaceBlock(*readme, "do_syscall_64() {", GraphForReadme());
  std::ofstream(readme_path) << updated;
  return 0;
}

}  // namespace
}  // namespace kpath

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && std::strcmp(argv[1], "--update") == 0) return kpath::Update();
  return RUN_ALL_TESTS();
}
