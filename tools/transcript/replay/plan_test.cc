// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/plan.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tools/transcript/replay/frame.h"

namespace kpath {
namespace {

strace::Transcript Parse(absl::string_view text) {
  absl::StatusOr<strace::Transcript> transcript = strace::ParseTranscript("t.strace", text);
  EXPECT_TRUE(transcript.ok()) << transcript.status();
  return *std::move(transcript);
}

// The steps in their order: "7:close 7:exec 8:end".
std::string Order(const Plan& plan) {
  std::string text;
  for (const PlanStep& step : plan.steps) {
    absl::StrAppend(&text, text.empty() ? "" : " ", step.pid, ":");
    if (step.kind == PlanStep::Kind::kCall) absl::StrAppend(&text, step.call->name);
    if (step.kind == PlanStep::Kind::kExec) absl::StrAppend(&text, "exec");
    if (step.kind == PlanStep::Kind::kSignal) absl::StrAppend(&text, "signal ", step.signal);
    if (step.kind == PlanStep::Kind::kEnd) absl::StrAppend(&text, "killed by ", step.signal);
  }
  return text;
}

TEST(Plan, CallsComeInTheOrderInWhichTheyBegan) {
  const strace::Transcript transcript = Parse(
      "7 read(3,  <unfinished ...>\n"
      "8 close(4) = 0\n"
      "7 <... read resumed>\"x\", 1) = 1\n");
  const absl::StatusOr<Plan> plan = MakePlan(transcript);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Order(*plan), "7:read 8:close");
  EXPECT_GT(plan->steps[0].end, plan->steps[1].end);
  EXPECT_FALSE(plan->MadeByPlan(7));
}

TEST(Plan, AForkMakesTheProcessThatItReturns) {
  const strace::Transcript transcript = Parse(
      "7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f00) = 8\n"
      "8 getpid() = 8\n");
  const absl::StatusOr<Plan> plan = MakePlan(transcript);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->steps[0].child, 8);
  EXPECT_EQ(plan->processes.at(8).parent, 7);
}

TEST(Plan, AChildThatNobodyFollowedHasNoSteps) {
  const strace::Transcript transcript = Parse("7 fork() = 8\n");
  const absl::StatusOr<Plan> plan = MakePlan(transcript);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->processes.at(8).steps.empty());
}

TEST(Plan, AProcessIsMadeOnce) {
  const strace::Transcript transcript = Parse("7 fork() = 8\n7 fork() = 8\n");
  EXPECT_EQ(MakePlan(transcript).status().message(),
            "t.strace:2:3: process 8 is made a second time, expected a new pid");
}

TEST(Plan, AVforkThatReturnsWhileTheChildGoesOnMeansAnExecve) {
  const strace::Transcript transcript = Parse(
      "7 vfork( <unfinished ...>\n"
      "8 close(3) = 0\n"
      "7 <... vfork resumed>) = 8\n"
      "8 getpid() = 8\n");
  const absl::StatusOr<Plan> plan = MakePlan(transcript);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Order(*plan), "7:vfork 8:close 8:exec 8:getpid");
  EXPECT_LT(plan->steps[2].end, plan->steps[0].end);
}

TEST(Plan, AVforkOnOneLineHasItsExecveInside) {
  const strace::Transcript transcript = Parse("7 vfork() = 8\n8 getpid() = 8\n");
  const absl::StatusOr<Plan> plan = MakePlan(transcript);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Order(*plan), "7:vfork 8:exec 8:getpid");
}

TEST(Plan, AVforkWhoseChildEndedHasNoExecve) {
  const strace::Transcript transcript = Parse(
      "7 clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f00, stack_size=0x900}, "
      "88"
      " <unfinished ...>\n"
      "8 exit_group(1) = ?\n"
      "7 <... clone3 resumed>) = 8\n");
  const absl::StatusOr<Plan> plan = MakePlan(transcript);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Order(*plan), "7:clone3 8:exit_group");
}

TEST(Plan, AProcessThatWasKilledEndsThere) {
  const strace::Transcript transcript =
      Parse("7 close(3) = 0\n7 --- SIGSEGV {si_signo=SIGSEGV} ---\n7 +++ killed by SIGSEGV +++\n");
  const absl::StatusOr<Plan> plan = MakePlan(transcript);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(Order(*plan), "7:close 7:signal 11 7:killed by 11");
}

TEST(InferIocbOutcomes, TheEventTellsWhereTheIocbWas) {
  const strace::Transcript transcript = Parse(
      "io_submit(0x7f00, 2, [{aio_data=1, aio_nbytes=512}, {aio_data=2, aio_nbytes=512}]) = 2\n"
      "io_getevents(0x7f00, 1, 2, [{data=2, obj=0x200, res=512, res2=0}, {data=1, obj=0x100, "
      "res=512, res2=0}], NULL) = 2\n");
  const absl::StatusOr<Plan> plan = MakePlan(transcript);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const IocbOutcomes outcomes = InferIocbOutcomes(*plan);
  const strace::Call* submit = &transcript.calls[0];
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes.at({submit, 0}).address, 0x100u);
  EXPECT_EQ(outcomes.at({submit, 1}).address, 0x200u);
}

TEST(InferIocbOutcomes, OnlyThoseThatWereTaken) {
  const strace::Transcript transcript = Parse(
      "io_submit(0x7f00, 2, [{aio_data=1, aio_nbytes=5}, {aio_data=1, aio_nbytes=6}]) = 1\n"
      "io_getevents(0x7f00, 1, 2, [{data=1, obj=0x100, res=6, res2=0}], NULL) = 1\n");
  const absl::StatusOr<Plan> plan = MakePlan(transcript);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const IocbOutcomes outcomes = InferIocbOutcomes(*plan);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_EQ(outcomes.begin()->first.second, 0u);
}

TEST(Plan, WithoutPidsACallMayTellTheOnlyOne) {
  for (const auto& [text, pid] :
       std::vector<std::pair<std::string, int>>{{"close(3) = 0\ngettid() = 77\n", 77},
                                                {"set_tid_address(0x7f0000000000) = 78\n", 78},
                                                {"close(3) = 0\n", 1}}) {
    const auto transcript = strace::ParseTranscript("t", text);
    ASSERT_TRUE(transcript.ok());
    const auto plan = MakePlan(*transcript);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->processes.begin()->first, pid) << text;
  }
}

}  // namespace
}  // namespace kpath
