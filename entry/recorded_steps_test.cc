// SPDX-License-Identifier: Apache-2.0
#include "entry/recorded_steps.h"

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

constexpr char kGood[] =
    "# A comment.\n"
    "# before: rip=10 rax=d1\n"
    "  0 | entry    | swapgs               | gs_base=ff00\n"
    "  1 | entry+3  | call   0x99 <f>      | rsp=8 eflags=46\n"
    "#   call enters f rdi=d1 rsi=20; running to return\n"
    "#   pt_regs at 20: r15=5 orig_ax=ffffffffffffffda\n"
    "  3 | entry+8  | nop                  | \n";

std::string ErrorOf(const std::string& text) {
  return std::string(ParseRecordedSteps("f.steps", text).status().message());
}

TEST(RecordedSteps, KeepsAllThatALineSays) {
  const absl::StatusOr<RecordedSteps> steps = ParseRecordedSteps("f.steps", kGood);
  ASSERT_TRUE(steps.ok()) << steps.status();
  EXPECT_EQ(steps->before, (RegisterValues{{"rip", 0x10}, {"rax", 0xd1}}));
  ASSERT_EQ(steps->steps.size(), 3u);
  const RecordedStep& step = steps->steps[1];
  EXPECT_EQ(step.line, 4);
  EXPECT_EQ(step.index, 1);
  EXPECT_EQ(step.location, "entry+3");
  EXPECT_EQ(step.text, "call   0x99 <f>");
  EXPECT_EQ(step.changes, (RegisterValues{{"rsp", 8}, {"eflags", 0x46}}));
  EXPECT_TRUE(steps->steps[2].changes.empty());
  ASSERT_EQ(steps->calls.size(), 1u);
  const RecordedCall& call = steps->calls[0];
  EXPECT_EQ(call.steps_before, 2u);
  EXPECT_EQ(call.function, "f");
  EXPECT_EQ(call.arguments, (RegisterValues{{"rdi", 0xd1}, {"rsi", 0x20}}));
  EXPECT_EQ(call.pt_regs_address, 0x20u);
  EXPECT_EQ(call.pt_regs, (RegisterValues{{"r15", 5}, {"orig_ax", -uint64_t{38}}}));
}

TEST(RecordedSteps, FindsStepsAndRegisters) {
  const absl::StatusOr<RecordedSteps> steps = ParseRecordedSteps("f.steps", kGood);
  ASSERT_TRUE(steps.ok());
  EXPECT_EQ(steps->FindStep("entry+8"), 2u);
  EXPECT_EQ(steps->FindStep("entry+9"), 3u);
  EXPECT_EQ(FindRegister(steps->before, "rax"), 0xd1u);
  EXPECT_EQ(FindRegister(steps->before, "rbx", 7), 7u);
}

TEST(RecordedSteps, ErrorsSayWhereWhatAndWhatWasExpected) {
  const std::string before = "# before: rax=1\n";
  EXPECT_EQ(ErrorOf(""), "f.steps:1: no registers before the first step, expected '# before: '");
  EXPECT_EQ(ErrorOf("# before: rax=1"),
            "f.steps:1: no steps, expected lines 'index | symbol+offset | …'");
  EXPECT_EQ(ErrorOf(before + "0 | entry | nop\n"),
            "f.steps:2: 3 columns, expected 4: index | symbol+offset | instruction | changed "
            "registers");
  EXPECT_EQ(ErrorOf(before + "x | entry | nop |\n"),
            "f.steps:2: bad index 'x', expected a decimal number");
  EXPECT_EQ(ErrorOf(before + "1 | entry | nop |\n1 | entry | nop |\n"),
            "f.steps:3: index 1 after 1, expected a greater one");
  EXPECT_EQ(ErrorOf(before + "0 | | nop |\n"),
            "f.steps:2: an empty column, expected symbol+offset and an instruction");
  EXPECT_EQ(ErrorOf(before + "0 | entry | nop | rax\n"),
            "f.steps:2: bad register 'rax', expected name=hex");
  EXPECT_EQ(ErrorOf(before + "0 | entry | nop | rax=xyz\n"),
            "f.steps:2: bad register 'rax=xyz', expected name=hex");
  EXPECT_EQ(ErrorOf(before + "# call enters f rdi=1; running\n"),
            "f.steps:2: a call before the first step, expected its instruction");
  EXPECT_EQ(ErrorOf(before + "# pt_regs at 20: r15=1\n"),
            "f.steps:2: pt_regs of no call, expected '# call enters' before it");
  EXPECT_EQ(ErrorOf(before + "0 | entry | nop |\n# call enters f rdi=1\n# pt_regs at zz: r15=1\n"),
            "f.steps:4: bad address 'zz', expected a hex number and ':'");
}

TEST(RecordedSteps, AllRecordingsAreRead) {
  for (const char* name : {"common_interrupt", "divide_error", "entry_INT80_compat",
                           "entry_SYSCALL_64", "entry_SYSCALL_compat", "entry_SYSENTER_compat"}) {
    const std::string path = absl::StrCat("tests/reference/linux-4.19.13/entry/", name, ".steps");
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    const absl::StatusOr<RecordedSteps> steps = ParseRecordedSteps(path, text);
    ASSERT_TRUE(steps.ok()) << steps.status();
    EXPECT_EQ(steps->steps[0].location, name);
    EXPECT_GT(steps->steps.size(), 50u) << path;
    EXPECT_GE(steps->calls.size(), 1u) << path;
  }
}

}  // namespace
}  // namespace kpath
