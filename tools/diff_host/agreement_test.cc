// SPDX-License-Identifier: Apache-2.0
//
// The second judge as a test: ten series of random programs, always the same, on the host and on
// the model. ./kpath diff-host runs more of them.
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tools/diff_host/diff_host.h"
#include "tools/diff_host/transcript.h"

namespace kpath::diff_host {
namespace {

constexpr uint64_t kProgramsASeries = 150;

class Series : public testing::TestWithParam<uint64_t> {};

TEST_P(Series, TheModelDoesWhatTheHostDoes) {
  const auto host = Host::Open();
  if (!host.ok()) GTEST_SKIP() << "skipped: " << host.status().message();
  Model model({.cpus = (*host)->cpus(), .aio_max_nr = (*host)->aio_max_nr()});
  const DiffReport report =
      DiffHost(**host, model).Run({.seed = GetParam(), .programs = kProgramsASeries});
  if (report.found.has_value()) {
    FAIL() << report.found->transcript << ToText(report.found->program, report.found->difference)
           << "\nrepeat: ./kpath diff-host --seed=" << GetParam()
           << " --program=" << report.found->index;
  }
  EXPECT_EQ(report.compared, kProgramsASeries);
  // Most of what is compared is compared to the end.
  EXPECT_GT(report.agreed, kProgramsASeries / 2);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Series, testing::Range<uint64_t>(1, 11));

}  // namespace
}  // namespace kpath::diff_host
