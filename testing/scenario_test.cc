// SPDX-License-Identifier: Apache-2.0
#include "testing/scenario.h"

#include "absl/strings/str_replace.h"
#include "gtest/gtest-spi.h"
#include "sim/trace/graph_reader_file.h"
#include "testing/kpath.h"

namespace kpath::testing {
namespace {

KPATH_SCENARIO_TEST(Scenario, Refused, "testing/testdata/refused.strace")

TEST(Scenario, CountsWhatIsLegal) { EXPECT_EQ(ExpectLegal("testing/testdata/refused.strace"), 4); }

TEST(Scenario, TellsTheVerdict) {
  const absl::StatusOr<std::string> text = ReadTextFile("testing/testdata/refused.strace");
  ASSERT_TRUE(text.ok());
  const std::string lie =
      absl::StrReplaceAll(*text, {{"EBADF (Bad file descriptor)", "EINVAL (Invalid argument)"}});
  EXPECT_NONFATAL_FAILURE(ExpectLegalText("lie.strace", lie),
                          "aio_nbytes=512, aio_offset=0}])\n"
                          "  recorded:  -1 EINVAL (Invalid argument)\n"
                          "  simulated: -1 EBADF (Bad file descriptor)\n"
                          "  reason:    fd 9 is not open\n");
}

// The columns that strace aligns results with are no part of a call.
TEST(Scenario, TellsACallWithoutItsPadding) {
  EXPECT_NONFATAL_FAILURE(
      ExpectLegalText("lie.strace", "100 close(9)     = -1 EINVAL (Invalid argument)\n"),
      "lie.strace:1: close(9)\n  recorded:  -1 EINVAL (Invalid argument)\n  simulated: 0\n");
}

TEST(Scenario, TellsWhatCannotBeReplayed) {
  EXPECT_NONFATAL_FAILURE(ExpectLegal("no/such.strace"),
                          "no/such.strace: cannot read: No such file or directory");
  EXPECT_NONFATAL_FAILURE(ExpectLegalText("bad.strace", "close(9\n"), "bad.strace:1:");
  EXPECT_NONFATAL_FAILURE(ExpectLegalText("empty.strace", ""),
                          "empty.strace: there is no system call in it");
}

// What the kernel finds in itself: v4.19's own deadlock of an eventfd that completes an eventfd.
TEST(Scenario, TellsAReportOfTheKernel) {
  EXPECT_NONFATAL_FAILURE(ExpectLegal("examples/eventfd-recursion.strace"),
                          "the simulated kernel reports:\n");
}

}  // namespace
}  // namespace kpath::testing
