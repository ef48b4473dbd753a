// SPDX-License-Identifier: Apache-2.0
//
// kpath step by scripts: each command, byte for byte. After a change that is meant, this writes the
// new outputs, that in README.md, too:
//     bazel-4 run //tools/kpath:step_test -- --update
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader_file.h"
#include "tools/kpath/test_program.h"

namespace kpath {
namespace {

using testing::HasSubstr;

struct Script {
  const char* name;  // tests/goldens/step/NAME.gdb and .out
  const char* transcript;
};
constexpr Script kScripts[] = {
    {"moving", "examples/first-read.strace"},  {"breakpoints", "examples/first-read.strace"},
    {"looking", "examples/first-read.strace"}, {"disk", "examples/full-circle.strace"},
    {"readme", "examples/first-read.strace"},  // README.md shows it
};

std::string Text(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadTextFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

// `arguments` in the shell's syntax; `input` is standard input.
Ran Step(const std::string& arguments, const std::string& input = "") {
  return Shell(absl::StrCat("$kpath step ", arguments, " <", Make("in", input)));
}

std::string ScriptPath(const Script& script) {
  return absl::StrCat("tests/goldens/step/", script.name, ".gdb");
}
std::string GoldenPath(const Script& script) {
  return absl::StrCat("tests/goldens/step/", script.name, ".out");
}
Ran RunScript(const Script& script) {
  return Step(absl::StrCat(script.transcript, " --batch -x ", ScriptPath(script)));
}

TEST(Step, ScriptsShowWhatTheyShowed) {
  for (const Script& script : kScripts) {
    const Ran ran = RunScript(script);
    EXPECT_EQ(ran.err, "");
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(FirstDifference(Text(GoldenPath(script)), ran.out), "")
        << GoldenPath(script)
        << "\nIf this is meant: bazel-4 run //tools/kpath:step_test -- --update";
  }
}

TEST(Step, EveryCommandIsInAScript) {
  std::set<std::string> used = {"list", "record", "source", "quit"};  // below
  for (const Script& script : kScripts) {
    for (const absl::string_view line : absl::StrSplit(Text(ScriptPath(script)), '\n')) {
      used.insert(std::string(line.substr(0, line.find_first_of(" /"))));
    }
  }
  const std::string help = Step("examples/first-read.strace", "help\n").out;
  int commands = 0;
  for (const absl::string_view line : absl::StrSplit(help, '\n')) {
    if (!absl::StartsWith(line, "  ") || line[2] == ' ') continue;
    const std::string name(line.substr(2, line.find_first_of(" /[", 2) - 2));
    EXPECT_EQ(used.count(name), 1u) << name << " is in no script";
    ++commands;
  }
  EXPECT_GT(commands, 40);
}

TEST(Step, StandardInputIsAScriptToo) {
  const Ran typed = Step("examples/first-read.strace", Text(ScriptPath(kScripts[0])));
  EXPECT_EQ(typed.status, 0) << typed.err;
  EXPECT_EQ(typed.out, Text(GoldenPath(kScripts[0])));
}

TEST(Step, TheFirstErrorEndsAScript) {
  const struct {
    const char* command;
    const char* complaint;
  } kCases[] = {
      {"frobnicate", "there is no command 'frobnicate'; see: help"},
      {"re", "'re' may be "},
      {"break io_sumbit_one",
       "no function, symbol or step named io_sumbit_one; did you mean io_submit_one?"},
      {"break submit.cc:x", "expected the number of a line behind 'submit.cc:', not 'x'"},
      {"break submit.cc:99999", "no probe at line 99999 of submit.cc or behind it"},
      {"break nothing.cc:1", "no source file named nothing.cc has a probe"},
      {"break syscall frob", "no system call named frob"},
      {"break vector 256", "expected the number of a vector, 0 to 255, not '256'"},
      {"break *0x1", "no instruction begins at 0x1"},
      {"break do_syscall_64 if nr ==", "column 6: expected "},
      {"watch", "expected an expression to watch"},
      {"watch -l 1 + 1", "it is in no place with an address"},
      {"whatis", "expected an expression"},
      {"delete 7", "no breakpoint number 7"},
      {"condition 7 1", "no breakpoint number 7"},
      {"undisplay 7", "no display number 7"},
      {"step x", "expected how many times, not 'x'"},
      {"goto nowhere", "expected a position, a bookmark, start or end, not 'nowhere'"},
      {"bookmark 1", "expected a name that begins with a letter, not '1'"},
      {"print", "there is no value $ yet"},
      {"print $7", "there is no value $7 yet"},
      {"print frob", "no symbol \"frob\" in the current frame or kernel"},
      {"print/q 1", "print has no format '/q'"},
      {"x", "expected an address"},
      {"x/8zz 0", "x/8zz: 'z' is neither a format"},
      {"frame 99", "No frame"},
      {"down", "Bottom (innermost) frame selected; you cannot go down."},
      {"task 99", "there is no task 99"},
      {"info frob", "info has no topic 'frob'"},
      {"info files x", "expected a pid, not 'x'"},
      {"set grain fine", "expected function, statement or instruction, not 'fine'"},
      {"set width -1", "expected a number of columns, or 0 for any, not '-1'"},
      {"set print pretty maybe", "expected on or off, not 'maybe'"},
      {"set frob 1", "there is no setting 'frob 1'"},
      {"record", "expected a file, or stop"},
      {"record stop", "no commands are being recorded"},
      {"record /nowhere/x", "cannot make /nowhere/x"},
      {"source", "expected a file with commands"},
      {"source /nowhere/x", "cannot read commands from /nowhere/x"},
      {"help frob", "there is no command 'frob'"},
      {"!", "expected a command, not '!'"},
  };
  for (const auto& one : kCases) {
    const std::string script = Make("bad.gdb", absl::StrCat("stop\n", one.command, "\necho on\n"));
    const Ran ran = Step(absl::StrCat("examples/first-read.strace -x ", script));
    EXPECT_EQ(ran.status, 2) << one.command;
    EXPECT_THAT(ran.err, HasSubstr(absl::StrCat(script, ":2: ", one.complaint)));
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 1) << ran.err;
    EXPECT_THAT(ran.out, Not(HasSubstr("(kpath) echo")));
  }
}

TEST(Step, BehindTheEndThereIsNothing) {
  const Ran ran = Step("examples/first-read.strace", "goto end\nreverse-step\nrun\nstep\n");
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("standard input:4: the run has ended; run begins it again"));
}

TEST(Step, WhatIsRecordedCanBeRepeated) {
  const std::string recorded = TempPath("recorded.gdb");
  std::filesystem::remove(recorded);
  const Ran first = Step(
      "examples/first-read.strace",
      absl::StrCat("record ", recorded, "\ntbreak io_submit_one\ncontinue\nrecord stop\nstep\n"));
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(Text(recorded), "tbreak io_submit_one\ncontinue\n");
  const Ran again = Step("examples/first-read.strace", absl::StrCat("source ", recorded, "\n"));
  EXPECT_THAT(again.out, HasSubstr("Temporary breakpoint 1, io_submit_one"));
  const Ran refused = Step("examples/first-read.strace", absl::StrCat("record ", recorded, "\n"));
  EXPECT_THAT(refused.err, HasSubstr("it is there already"));
  const std::string loop = TempPath("loop.gdb");
  Make("loop.gdb", absl::StrCat("source ", loop, "\n"));
  EXPECT_THAT(Step(absl::StrCat("examples/first-read.strace -x ", loop)).err,
              HasSubstr(absl::StrCat(loop, " would be read inside of itself")));
}

TEST(Step, ListShowsTheSourceWhereItIsAtHand) {
  std::filesystem::create_directories(TempPath("root/fs_aio"));
  std::string source;
  for (int i = 1; i < 300; ++i) absl::StrAppend(&source, "line ", i, "\n");
  Make("root/fs_aio/submit.cc", source);
  setenv("KPATH_SOURCES", TempPath("root").c_str(), 1);
  const std::string commands = "tbreak io_submit_one\ncontinue\nlist\n";
  const Ran found = Step("examples/first-read.strace", commands);
  EXPECT_THAT(found.out, HasSubstr("=> line "));
  setenv("KPATH_SOURCES", "/nowhere", 1);
  const Ran missing = Step("examples/first-read.strace", commands);
  EXPECT_THAT(missing.err, HasSubstr("the source is not at hand"));
  unsetenv("KPATH_SOURCES");
}

// Whether a byte of UTF-8 begins a character.
bool IsColumn(char c) { return (c & 0xc0) != 0x80; }

TEST(Step, QuitLeavesAndWidthIsKept) {
  const Ran ran =
      Step("examples/first-read.strace", "set width 60\ninfo tasks\nhelp\nquit\necho on\n");
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.out, Not(HasSubstr("echo on")));
  const std::string tasks = ran.out.substr(0, ran.out.find("(kpath) help"));
  for (const absl::string_view line : absl::StrSplit(tasks, '\n')) {
    EXPECT_LE(std::count_if(line.begin(), line.end(), IsColumn), 60) << line;
  }
  EXPECT_THAT(ran.out, Not(HasSubstr("\033")));  // no terminal, no colours
}

TEST(Step, BadInputIsToldInOneLine) {
  EXPECT_THAT(Step("/nowhere.strace").err, HasSubstr("/nowhere.strace"));
  EXPECT_EQ(Step("/nowhere.strace").status, 2);
  EXPECT_EQ(Step("").status, 2);
  EXPECT_EQ(Step("examples/first-read.strace -x /nowhere.gdb").status, 2);
  const std::string bad = Make("bad.strace", "1 open(\n");
  EXPECT_THAT(Step(bad).err, HasSubstr("bad.strace:1:"));
}

// Puts a session in the place of the one that README.md shows.
int UpdateReadme(const std::string& root, const std::string& session) {
  const std::string path = absl::StrCat(root, "/README.md");
  const std::string readme = Text(path);
  const size_t begin = readme.find("(kpath) break");
  if (begin == std::string::npos) return 2;
  std::ofstream(path) << readme.substr(0, begin) << session
                      << readme.substr(readme.find("```\n", begin));
  return 0;
}

int Update(const std::string& root) {
  for (const Script& script : kScripts) {
    const Ran ran = RunScript(script);
    if (ran.status != 0) {
      std::fputs(ran.err.c_str(), stderr);
      return 2;
    }
    std::ofstream(absl::StrCat(root, "/", GoldenPath(script))) << ran.out;
  }
  return UpdateReadme(root, RunScript(kScripts[4]).out);
}

}  // namespace
}  // namespace kpath

int main(int argc, char** argv) {
  return kpath::Main(argc, argv, "//tools/kpath:step_test", kpath::Update);
}
