// SPDX-License-Identifier: Apache-2.0
//
// A transcript of more processes than there are places for what strace does not print
// (staging.h).
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/judges/replay_text.h"
#include "tools/transcript/replay/staging.h"

namespace kpath {
namespace {

TEST(ManyProcesses, OneAfterTheOther) {
  std::string text;
  const int last = 10 + static_cast<int>(Staging::kParts);
  for (int pid = 10; pid <= last; ++pid) {
    absl::StrAppend(&text, "7  fork() = ", pid, "\n", pid, "  io_setup(1, [0x7f0000000000]) = 0\n",
                    pid, "  exit_group(0) = ?\n", pid, "  +++ exited with 0 +++\n7  wait4(", pid,
                    ", NULL, 0, NULL) = ", pid, "\n");
  }
  const ReplayReport report = ReplayText("many.strace", text);
  EXPECT_EQ(Describe(report), "");
  EXPECT_EQ(report.kernel_report, "");
  EXPECT_EQ(report.legal, report.calls);
}

TEST(ManyProcesses, PlacesEndBelowPrograms) {
  EXPECT_EQ(Staging::BaseOf(0), kStagingBase);
  EXPECT_LT(Staging::BaseOf(Staging::kParts - 1) + kStagingBytesPerProcess, 0x550000000000u);
  EXPECT_EQ(Staging::BaseOf(Staging::kParts), kStagingBase);
}

}  // namespace
}  // namespace kpath
