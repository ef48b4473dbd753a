// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/host.h"

#include <csignal>
#include <cstdio>

#include "gtest/gtest.h"
#include "tools/diff_host/diff_host.h"
#include "tools/diff_host/test_programs.h"
#include "tools/diff_host/transcript.h"

namespace kpath::diff_host {
namespace {

TEST(KernelVersion, IsReadFromTheRelease) {
  EXPECT_EQ(*ParseKernelVersion("6.18.44-generic"), (KernelVersion{6, 18, 44}));
  EXPECT_EQ(*ParseKernelVersion("4.19"), (KernelVersion{4, 19, 0}));
  EXPECT_EQ(*ParseKernelVersion("5.10-rc1"), (KernelVersion{5, 10, 0}));
  EXPECT_FALSE(ParseKernelVersion("").ok());
  EXPECT_FALSE(ParseKernelVersion("next").ok());
  EXPECT_LT((KernelVersion{5, 10, 0}), (KernelVersion{6, 1, 0}));
  EXPECT_LT((KernelVersion{5, 9, 9}), (KernelVersion{5, 10, 0}));
}

TEST(CountInList, RangesAndNumbers) {
  EXPECT_EQ(CountInList("0"), 1);
  EXPECT_EQ(CountInList("0-1"), 2);
  EXPECT_EQ(CountInList("0-3,8,10-11"), 7);
  EXPECT_EQ(CountInList(""), 0);
  EXPECT_EQ(CountInList("3-1"), 0);
  EXPECT_EQ(CountInList("x"), 0);
}

// ---- On the host ----

class OnHost : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Host>> host = Host::Open();
    if (!host.ok()) GTEST_SKIP() << "skipped: " << host.status().message();
    host_ = *std::move(host);
  }
  Observation Run(std::vector<Op> ops, int patience_ms = Judge::kPatienceMs) {
    Program program;
    program.ops = std::move(ops);
    host_->Start(program);
    return host_->Finish(patience_ms);
  }

  std::unique_ptr<Host> host_;
};

TEST_F(OnHost, AProgramRunsToItsEnd) {
  const Observation seen = Run({SetupOp(), SubmitOp({ReadIocb()}), GeteventsOp()});
  EXPECT_EQ(seen.outcome, Outcome::kFinished);
  EXPECT_EQ(seen.op, 3u);
  EXPECT_EQ(ResultOf(seen, 0), 0);
  EXPECT_EQ(ResultOf(seen, 1), 1);
  EXPECT_EQ(ResultOf(seen, 2), 1);
}

TEST_F(OnHost, ACallThatDoesNotReturnIsNoticed) {
  Op wait = GeteventsOp();
  wait.args[0] = 1;  // min_nr
  wait.args[3] = 0;  // no timeout
  const Observation seen = Run({SetupOp(), wait});
  EXPECT_EQ(seen.outcome, Outcome::kBlocked);
  EXPECT_EQ(seen.op, 1u);
}

TEST_F(OnHost, ASignalIsNoticed) {
  // Its list is not to be written, so the program's own store fails.
  const Observation seen = Run({SetupOp(),
                                {.kind = OpKind::kProtect, .args = {2, 0}},
                                {.kind = OpKind::kStore, .context = {-1, kEvents}}});
  EXPECT_EQ(seen.outcome, Outcome::kKilled);
  EXPECT_EQ(seen.signal, SIGSEGV);
  EXPECT_EQ(seen.op, 2u);
}

TEST_F(OnHost, ManyAtOnceAreFinishedInOrder) {
  for (uint64_t i = 0; i < Judge::kMostAtOnce; ++i) {
    Program program;
    program.ops = std::vector<Op>(i % 3 + 1, SetupOp());
    host_->Start(program);
  }
  for (uint64_t i = 0; i < Judge::kMostAtOnce; ++i) {
    EXPECT_EQ(host_->Finish(Judge::kPatienceMs).op, i % 3 + 1);
  }
  EXPECT_EQ(host_->running(), 0u);
}

}  // namespace
}  // namespace kpath::diff_host
