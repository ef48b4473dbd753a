// SPDX-License-Identifier: Apache-2.0
//
// Each lesson by the built program, byte for byte. After a change that is meant, this writes the
// new outputs, of new lessons too:
//     bazel-4 run //examples/lessons:lessons_test -- --update
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader_file.h"

namespace kpath {
namespace {

constexpr char kFolder[] = "examples/lessons/";
constexpr char kUpdate[] = "bazel-4 run //examples/lessons:lessons_test -- --update";

// "1-registers" …: each script is a lesson.
std::vector<std::string> Lessons() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(kFolder)) {
    if (file.path().extension() == ".gdb") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// What the command prints that README.md tells to use; `*status` is its exit status.
std::string OutputOf(const std::string& lesson, int* status) {
  const std::string path = absl::StrCat(kFolder, lesson);
  const std::string command =
      absl::StrCat("tools/kpath/kpath step ", path, ".strace -x ", path, ".gdb </dev/null 2>&1");
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  char buffer[4096];
  for (size_t got; (got = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) text.append(buffer, got);
  *status = pclose(pipe);
  return text;
}

// The first line in which the two differ, with both sides; empty if they are equal.
std::string FirstDifference(const std::string& stored, const std::string& now) {
  const std::vector<std::string> a = absl::StrSplit(stored, '\n'), b = absl::StrSplit(now, '\n');
  for (size_t i = 0; i < a.size() || i < b.size(); ++i) {
    const std::string was = i < a.size() ? a[i] : "(end)", is = i < b.size() ? b[i] : "(end)";
    if (was != is) return absl::StrCat("line ", i + 1, "\n  was: ", was, "\n  is:  ", is);
  }
  return "";
}

class Lesson : public testing::TestWithParam<std::string> {};

TEST_P(Lesson, ShowsWhatIsStored) {
  const absl::StatusOr<std::string> stored =
      ReadTextFile(absl::StrCat(kFolder, GetParam(), ".out"));
  ASSERT_TRUE(stored.ok()) << stored.status() << "\nTo make it: " << kUpdate;
  int status;
  const std::string now = OutputOf(GetParam(), &status);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(FirstDifference(*stored, now), "") << "If this is meant: " << kUpdate;
}

TEST_P(Lesson, IsInTheReadme) {
  const absl::StatusOr<std::string> readme = ReadTextFile(absl::StrCat(kFolder, "README.md"));
  ASSERT_TRUE(readme.ok()) << readme.status();
  EXPECT_NE(readme->find(absl::StrCat("(", GetParam(), ".gdb)")), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Each, Lesson, testing::ValuesIn(Lessons()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(Lessons, AreSix) { EXPECT_EQ(Lessons().size(), 6); }

// In the user's own tree, not in Bazel's.
int Update() {
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (root == nullptr) {
    std::fprintf(stderr, "use: %s\n", kUpdate);
    return 2;
  }
  int failed = 0;
  for (const std::string& lesson : Lessons()) {
    int status;
    std::ofstream(absl::StrCat(root, "/", kFolder, lesson, ".out")) << OutputOf(lesson, &status);
    if (status == 0) continue;
    std::fprintf(stderr, "%s does not come to its end: see %s.out\n", lesson.c_str(),
                 lesson.c_str());
    failed = 1;
  }
  return failed;
}

}  // namespace
}  // namespace kpath

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc > 1 && std::strcmp(argv[1], "--update") == 0) return kpath::Update();
  return RUN_ALL_TESTS();
}
