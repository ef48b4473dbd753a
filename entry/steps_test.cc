// SPDX-License-Identifier: Apache-2.0
//
// The listings against the recordings of a real kernel, step by step. What is compared:
// recorded_run.h. That the comparison finds every mistake is shown in mutation_test.cc.
#include <algorithm>
#include <string>

#include "entry/recorded_listings.h"
#include "entry/recorded_run.h"
#include "entry/reference_file.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

using assembly::entry_SYSCALL_64;
using assembly::entry_SYSCALL_64_listing;

class Steps : public testing::TestWithParam<RecordedListing> {};

TEST_P(Steps, AgreeInterpreted) {
  const RecordedSteps recording = ReadReferenceSteps(GetParam().recording);
  RecordedRun run(recording, *GetParam().start);
  EXPECT_EQ(run.Compare(GetParam().listing), "");
}

TEST_P(Steps, AgreeCompiled) {
  const RecordedSteps recording = ReadReferenceSteps(GetParam().recording);
  RecordedRun run(recording, *GetParam().start);
  EXPECT_EQ(run.CompareCompiled(GetParam().listing), "");
}

std::string TestName(const testing::TestParamInfo<RecordedListing>& info) {
  std::string name = info.param.recording + "_at_" + info.param.listing.symbol->name;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, Steps, testing::ValuesIn(AllRecordedListings()), TestName);

TEST(StepsTest, ADifferenceIsToldWithItsLine) {
  RecordedSteps recording = ReadReferenceSteps("entry_SYSCALL_64");
  recording.steps[12].changes[1].second = 0x42;
  RecordedRun run(recording, entry_SYSCALL_64);
  EXPECT_EQ(run.Compare(ListingView(entry_SYSCALL_64_listing)),
            "line 17: recorded entry_SYSCALL_64+40 | xor    %edx,%edx | rdx=0 eflags=42, the model "
            "has entry_SYSCALL_64+40 | xor    %edx,%edx | rdx=0 eflags=46");
}

TEST(StepsTest, DifferencesThatNoStepShowsAreFound) {
  const RecordedSteps original = ReadReferenceSteps("entry_SYSCALL_64");
  const auto compare = [](const RecordedSteps& recording) {
    RecordedRun run(recording, entry_SYSCALL_64);
    return run.Compare(ListingView(entry_SYSCALL_64_listing));
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
