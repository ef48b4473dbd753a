// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/infer_cpus.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace kpath {
namespace {

absl::optional<InferredCpus> Infer(const std::string& text) {
  const auto transcript = strace::ParseTranscript("t", text);
  EXPECT_TRUE(transcript.ok()) << transcript.status();
  return InferCpus(*MakePlan(*transcript));
}

// io_setup(nr_events), then io_submit of 200 with this result.
std::string Recorded(int nr_events, const std::string& result) {
  return absl::StrCat("1  io_setup(", nr_events, ", [0x7f0000000000]) = 0\n",
                      "1  io_submit(0x7f0000000000, 200, 0x7f0000010000) = ", result, "\n");
}

// Measured on a real 4.19.13: io_setup(1), then 200 reads in one call.
TEST(InferCpus, TheSlotsOfOneAndOfTwoCpus) {
  EXPECT_EQ(SlotsForOneCpu(1, 1), 124u);
  EXPECT_EQ(SlotsForOneCpu(1, 2), 120u);
}

TEST(InferCpus, AShortSubmitTells) {
  EXPECT_FALSE(Infer(Recorded(1, "124")).has_value()) << "one CPU";
  const auto two = Infer(Recorded(1, "120"));
  ASSERT_TRUE(two.has_value());
  EXPECT_EQ(two->cpus, 2);
  EXPECT_EQ(two->line, 2u);
}

TEST(InferCpus, NothingElseTells) {
  EXPECT_FALSE(Infer(Recorded(1, "200")).has_value()) << "all were taken";
  EXPECT_FALSE(Infer(Recorded(1, "1")).has_value()) << "stopped by something else";
  EXPECT_FALSE(Infer(Recorded(1, "-1 EAGAIN (Resource temporarily unavailable)")).has_value());
  EXPECT_FALSE(Infer("1  io_submit(0x7f0000000000, 200, 0x7f0000010000) = 120\n").has_value());
}

}  // namespace
}  // namespace kpath
