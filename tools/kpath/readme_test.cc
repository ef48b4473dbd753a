// SPDX-License-Identifier: Apache-2.0
//
// What README.md shows is what happens: its commands are run, its first test is the one that is
// built.
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader_file.h"
#include "tools/kpath/test_program.h"

namespace kpath {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

std::string Read(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

// The fenced blocks of README.md, without their fences.
std::vector<std::string> Blocks() {
  std::vector<std::string> blocks;
  bool inside = false;
  for (absl::string_view line : absl::StrSplit(Read("README.md"), '\n')) {
    if (absl::StartsWith(line, "```")) {
      inside = !inside;
      if (inside) blocks.emplace_back();
    } else if (inside) {
      absl::StrAppend(&blocks.back(), line, "\n");
    }
  }
  EXPECT_FALSE(inside);
  return blocks;
}

// The one block that contains `text`.
std::string BlockWith(const std::string& text) {
  std::string found;
  for (const std::string& block : Blocks()) {
    if (!absl::StrContains(block, text)) continue;
    EXPECT_EQ(found, "") << "two blocks with " << text;
    found = block;
  }
  EXPECT_NE(found, "") << "no block with " << text;
  return found;
}

std::string OutputOf(const std::string& command) { return Shell(command).out; }

// A command of README.md, as this test can run it.
std::string Runnable(const std::string& command) {
  return absl::StrCat("tools/kpath/kpath", absl::StripPrefix(command, "./kpath"));
}

TEST(Readme, TheGraphIsAPartOfTheRun) {
  ASSERT_THAT(Blocks(), Contains("$ ./kpath run examples/first-read.strace\n"));
  const std::string out = OutputOf(Runnable("./kpath run examples/first-read.strace 2>/dev/null"));
  EXPECT_TRUE(absl::StrContains(out, BlockWith("do_syscall_64() {")))
      << "If this is meant: bazel-4 run //tools/kpath:golden_test -- --update";
}

TEST(Readme, TheVerdictIsTheLastLine) {
  const std::string err =
      OutputOf(Runnable("./kpath run examples/first-read.strace 2>&1 >/dev/null"));
  EXPECT_EQ(err, BlockWith("examples/first-read.strace: "));
}

TEST(Readme, TheSessionOfTheDebuggerIsOneOfItsTests) {
  EXPECT_EQ(BlockWith("(kpath) break"), Read("tests/goldens/step/readme.out"))
      << "If this is meant: bazel-4 run //tools/kpath:step_test -- --update";
}

TEST(Readme, ShownLiesAreFound) {
  const std::string block = BlockWith("recorded:  ");
  const std::string err = OutputOf(
      "sed 's/EBADF (Bad file descriptor)/EINVAL (Invalid argument)/' examples/first-read.strace "
      ">lie.strace; tools/kpath/kpath run --trace=none lie.strace 2>&1");
  EXPECT_EQ(err, block);
}

TEST(Readme, TheFirstTestIsTheOneThatIsBuilt) {
  std::string source = Read("testing/first_test.cc");
  source = source.substr(source.find("#include"));
  EXPECT_EQ(BlockWith("#include \"testing/kpath.h\""), source);
  EXPECT_THAT(Read("testing/BUILD"), HasSubstr(BlockWith("name = \"first_test\"")));
}

// The rows of the table of commands, and what the program and the front door say.
TEST(Readme, EachCommandOfTheTableIsThere) {
  int rows = 0;
  const std::string door = Read("kpath");
  for (absl::string_view line : absl::StrSplit(Read("README.md"), '\n')) {
    if (!absl::ConsumePrefix(&line, "| `./kpath ")) continue;
    ++rows;
    const std::string usage(line.substr(0, line.find('`')));
    const std::string command = usage.substr(0, usage.find(' '));
    EXPECT_THAT(door, HasSubstr(absl::StrCat("\n  ./kpath ", command)));
    if (command == "test" || command == "bench") continue;  // the front door's own
    EXPECT_THAT(OutputOf(absl::StrCat("tools/kpath/kpath ", command, " --help")),
                HasSubstr(absl::StrCat("Usage: kpath ", command)));
  }
  EXPECT_GE(rows, 4);
}

// Each `# kpath:` setting that README.md names is one that the program takes.
TEST(Readme, SettingsAreTaken) {
  const std::string text = Read("README.md");
  int settings = 0;
  for (size_t at = text.find("`# kpath:"); at != std::string::npos;
       at = text.find("`# kpath:", at + 1)) {
    ++settings;
    const std::string directive = text.substr(at + 1, text.find('`', at + 1) - at - 1);
    const std::string out =
        OutputOf(absl::StrCat("printf '", directive,
                              "\\n1 getpid() = 1\\n' >setting.strace; "
                              "tools/kpath/kpath run --trace=none setting.strace 2>&1"));
    EXPECT_EQ(out, "setting.strace: 1 call, 1 legal, 0 not legal\n") << directive;
  }
  EXPECT_GE(settings, 5);
}

// Each example that README.md names is there, and the other way round.
TEST(Readme, TheExamplesAreThere) {
  const std::string text = Read("README.md");
  int examples = 0;
  for (const auto& entry : std::filesystem::directory_iterator("examples")) {
    if (entry.path().extension() != ".strace") continue;
    ++examples;
    EXPECT_THAT(text, HasSubstr(absl::StrCat("](", entry.path().string(), ")")));
  }
  EXPECT_GE(examples, 7);
}

// What `kpath run --help` says about settings is taken, too.
TEST(Readme, SettingsOfTheHelpAreThoseOfTheReadme) {
  const std::string text = Read("README.md");
  for (absl::string_view line : absl::StrSplit(OutputOf("tools/kpath/kpath run --help"), '\n')) {
    if (!absl::ConsumePrefix(&line, "  # kpath: ")) continue;
    const std::string setting(line.substr(0, line.find("  ")));
    EXPECT_THAT(text, HasSubstr(absl::StrCat("`# kpath: ", setting, "`")));
  }
}

}  // namespace
}  // namespace kpath
