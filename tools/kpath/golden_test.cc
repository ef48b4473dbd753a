// SPDX-License-Identifier: Apache-2.0
//
// The trace of a run, byte for byte. After a change that is meant, this writes the new one, and the
// graph that README.md shows:
//     bazel-4 run //tools/kpath:golden_test -- --update
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader_file.h"
#include "tools/kpath/test_program.h"

namespace kpath {
namespace {

constexpr char kGolden[] = "tests/goldens/first-read.steps";
constexpr char kCommand[] = "$kpath run --quiet --trace=steps examples/first-read.strace";

std::string OutputOf(const std::string& command) {
  const Ran ran = Shell(command);
  return ran.status == 0 ? ran.out : "";
}

TEST(Golden, TheStepsOfTheFirstRead) {
  const absl::StatusOr<std::string> golden = ReadTextFile(kGolden);
  ASSERT_TRUE(golden.ok()) << golden.status();
  const std::string now = OutputOf(kCommand);
  ASSERT_NE(now, "");
  EXPECT_EQ(FirstDifference(*golden, now), "")
      << kGolden << "\nIf this is meant: bazel-4 run //tools/kpath:golden_test -- --update";
}

// The lines of the call that README.md shows: the submission of a read from fd 9.
std::string GraphForReadme() {
  const std::string graph = OutputOf("$kpath run --quiet examples/first-read.strace");
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

int Update(const std::string& root) {
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
  return kpath::Main(argc, argv, "//tools/kpath:golden_test", kpath::Update);
}
