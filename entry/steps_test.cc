// SPDX-License-Identifier: Apache-2.0
//
// The listings against the recordings of a real kernel, step by step. What is compared:
// recorded_run.h. That the comparison finds every mistake is shown in mutation_test.cc.
#include "entry/entry_64.h"
#include "entry/recorded_run.h"
#include "entry/reference_file.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

using assembly::entry_SYSCALL_64;
using assembly::entry_SYSCALL_64_listing;
using assembly::swapgs_restore_regs_and_return_to_usermode;
using assembly::swapgs_restore_regs_and_return_to_usermode_listing;

// Its first step in the recordings.
constexpr char kIretPath[] = "common_interrupt+43";

TEST(Steps, EntrySyscall64AgreesInterpreted) {
  const RecordedSteps recording = ReadReferenceSteps("entry_SYSCALL_64");
  RecordedRun run(recording, "entry_SYSCALL_64");
  EXPECT_EQ(run.Compare(entry_SYSCALL_64, entry_SYSCALL_64_listing.lines), "");
}

TEST(Steps, EntrySyscall64AgreesCompiled) {
  const RecordedSteps recording = ReadReferenceSteps("entry_SYSCALL_64");
  RecordedRun run(recording, "entry_SYSCALL_64");
  EXPECT_EQ(run.CompareCompiled(entry_SYSCALL_64, entry_SYSCALL_64_listing.lines.size()), "");
}

TEST(Steps, IretPathAgreesInterpreted) {
  for (const char* name : {"common_interrupt", "entry_INT80_compat"}) {
    const RecordedSteps recording = ReadReferenceSteps(name);
    RecordedRun run(recording, kIretPath);
    EXPECT_EQ(run.Compare(swapgs_restore_regs_and_return_to_usermode,
                          swapgs_restore_regs_and_return_to_usermode_listing.lines),
              "")
        << name;
  }
}

TEST(Steps, IretPathAgreesCompiled) {
  for (const char* name : {"common_interrupt", "entry_INT80_compat"}) {
    const RecordedSteps recording = ReadReferenceSteps(name);
    RecordedRun run(recording, kIretPath);
    EXPECT_EQ(run.CompareCompiled(swapgs_restore_regs_and_return_to_usermode,
                                  swapgs_restore_regs_and_return_to_usermode_listing.lines.size()),
              "")
        << name;
  }
}

TEST(Steps, ADifferenceIsToldWithItsLine) {
  RecordedSteps recording = ReadReferenceSteps("entry_SYSCALL_64");
  recording.steps[12].changes[1].second = 0x42;
  RecordedRun run(recording, "entry_SYSCALL_64");
  EXPECT_EQ(run.Compare(entry_SYSCALL_64, entry_SYSCALL_64_listing.lines),
            "line 17: recorded entry_SYSCALL_64+40 | xor    %edx,%edx | rdx=0 eflags=42, the model "
            "has entry_SYSCALL_64+40 | xor    %edx,%edx | rdx=0 eflags=46");
}

TEST(Steps, DifferencesThatNoStepShowsAreFound) {
  const RecordedSteps original = ReadReferenceSteps("entry_SYSCALL_64");
  const auto compare = [](const RecordedSteps& recording) {
    RecordedRun run(recording, "entry_SYSCALL_64");
    return run.Compare(entry_SYSCALL_64, entry_SYSCALL_64_listing.lines);
  };
  {
    RecordedSteps recording = original;
    recording.calls[0].pt_regs[0].second = 0x5556;  // r15
    EXPECT_EQ(compare(recording),
              "line 46: recorded pt_regs::r15=5556 in the call, the model has 5555");
  }
  {
    RecordedSteps recording = original;
    recording.calls[0].arguments[0].second = 0xd2;  // rdi
    EXPECT_EQ(compare(recording), "line 46: recorded rdi=d2 in the call, the model has d1");
  }
  {
    RecordedSteps recording = original;
    recording.steps.pop_back();
    EXPECT_EQ(compare(recording),
              "line 83: the recording has ended, the model has entry_SYSCALL_64+248 | sysretq | "
              "eflags=217 cs=33 ss=2b");
  }
  {
    RecordedSteps recording = original;
    recording.steps.push_back(recording.steps.back());
    EXPECT_EQ(compare(recording),
              "line 84: the model has ended, recorded entry_SYSCALL_64+248 | sysretq | "
              "eflags=217 cs=33 ss=2b");
  }
}

}  // namespace
}  // namespace kpath
