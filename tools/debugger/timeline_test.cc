// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/timeline.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/base/config.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tools/debugger/locations.h"
#include "tools/debugger/target.h"
#include "tools/debugger/test_runs.h"

namespace kpath::debugger {
namespace {

// All that tells one moment of a run from another: where it is, whose frames, what registers.
template <typename Looked>
std::string Sight(Looked&& look) {
  std::string text;
  for (const char* what : {"where", "bt", "changes"}) {
    const absl::StatusOr<std::string> seen = look(LookRequest{.words = {what}});
    absl::StrAppend(&text, seen.ok() ? *seen : seen.status().ToString(), "\n");
  }
  const absl::StatusOr<std::string> tasks = look(LookRequest{.words = {"info", "tasks"}});
  return absl::StrCat(text, tasks.ok() ? *tasks : tasks.status().ToString());
}

std::string SightOf(Timeline& timeline) {
  return Sight([&](const LookRequest& request) { return timeline.Look(request); });
}

StopPlan Step() {
  StopPlan plan;
  plan.stepping.mode = Stepping::Mode::kStep;
  plan.stepping.grain = Grain::kInstruction;
  return plan;
}

StopPlan At(const std::string& location) {
  StopPlan plan;
  plan.breakpoints.push_back(*ParseLocation(location));
  plan.breakpoints.back().id = 1;
  return plan;
}

std::unique_ptr<Timeline> Start(const strace::Transcript& transcript) {
  auto timeline = Timeline::Start(transcript);
  EXPECT_TRUE(timeline.ok()) << timeline.status();
  return *std::move(timeline);
}

// What a target that is only run forwards, from stop to stop, shows at each of these positions.
std::map<uint64_t, std::string> StraightRun(const strace::Transcript& transcript, uint64_t every) {
  auto target = Target::Load(transcript);
  EXPECT_TRUE(target.ok()) << target.status();
  std::map<uint64_t, std::string> seen;
  for (uint64_t limit = every; !(*target)->ended(); limit += every) {
    RunRequest request;
    request.limit = limit;
    EXPECT_TRUE((*target)->Run(request).ok());
    seen[(*target)->position()] =
        Sight([&](const LookRequest& look) { return Look(**target, look); });
  }
  return seen;
}

class EveryTranscript : public testing::TestWithParam<const char*> {};

TEST_P(EveryTranscript, GoingBackAndForthShowsTheSameAsGoingStraight) {
  const strace::Transcript transcript = Read(GetParam());
  const auto straight = StraightRun(transcript, 97);
  const auto timeline = Start(transcript);
  std::mt19937 random(7);
  for (int i = 0; i < 100; ++i) {
    const auto chosen = std::next(straight.begin(), random() % straight.size());
    ASSERT_TRUE(timeline->GoTo(chosen->first).ok());
    if (timeline->position() == std::prev(straight.end())->first && !timeline->ended()) {
      ASSERT_TRUE(timeline->Forward({}).ok());
    }
    EXPECT_EQ(SightOf(*timeline), chosen->second) << "at #" << chosen->first;
    if (i % 3 == 0) {
      ASSERT_TRUE(timeline->Backward(Step()).ok());
    }
    if (i % 5 == 0) {
      ASSERT_TRUE(timeline->Forward(At("do_syscall_64")).ok());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Runs, EveryTranscript,
                         testing::Values("examples/first-read.strace",
                                         "examples/two-processes.strace",
                                         "examples/full-circle.strace",
                                         "tests/transcripts/libaio-harness-5.strace"));

// The run with a debugger that stops, looks and goes back is the run without one.
TEST(Timeline, ARunThatIsLookedAtIsTheSameRun) {
  const strace::Transcript transcript = Read("examples/full-circle.strace");
  auto alone = Replayer::Create(transcript, {});
  ASSERT_TRUE(alone.ok());
  const ReplayReport report = (*alone)->Run();
  const auto timeline = Start(transcript);
  std::mt19937 random(11);
  while (!timeline->ended()) {
    ASSERT_TRUE(timeline->Forward(Step()).ok());
    if (random() % 16 == 0) SightOf(*timeline);
    if (random() % 64 == 0) {
      ASSERT_TRUE(timeline->Backward(Step()).ok());
    }
    if (random() % 2 == 0) {
      ASSERT_TRUE(timeline->GoTo(timeline->position() + random() % 50).ok());
    }
  }
  EXPECT_EQ(timeline->position(), (*alone)->machine().position().probes_passed());
  const absl::StatusOr<std::string> where = timeline->Look({.words = {"where"}});
  ASSERT_TRUE(where.ok());
  EXPECT_EQ(*where, absl::StrCat("#", timeline->position(), "  the run has ended: ", report.calls,
                                 " calls, ", report.legal, " legal, 0 not legal\n"));
}

TEST(Timeline, BackwardFindsTheLastPlaceBefore) {
  const auto transcript = Read("examples/first-read.strace");
  const auto timeline = Start(transcript);
  std::vector<uint64_t> forwards;
  while (true) {
    const auto result = timeline->Forward(At("io_submit_one"));
    ASSERT_TRUE(result.ok());
    if (!result->stop.has_value()) break;
    forwards.push_back(result->position);
  }
  ASSERT_EQ(forwards.size(), 3u);
  std::vector<uint64_t> backwards;
  while (true) {
    const auto result = timeline->Backward(At("io_submit_one"));
    ASSERT_TRUE(result.ok());
    if (!result->stop.has_value()) break;
    backwards.push_back(result->position);
  }
  EXPECT_EQ(timeline->position(), 0u);
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(forwards, backwards);
}

TEST(Timeline, IsGivenUpOnceWhenThatIsAskedFor) {
  const auto transcript = ManyReads(800);
  const auto timeline = Start(transcript);
  bool asked = true;
  timeline->interrupted = [&asked] { return std::exchange(asked, false); };
  const auto forward = timeline->Forward({});
  ASSERT_TRUE(forward.ok());
  EXPECT_TRUE(forward->interrupted);
  EXPECT_FALSE(forward->ended);
  const auto end = timeline->Forward({});
  ASSERT_TRUE(end.ok());
  EXPECT_FALSE(end->interrupted);
  EXPECT_TRUE(end->ended);
  asked = true;
  const auto backward = timeline->Backward(At("ioctx_alloc"));
  ASSERT_TRUE(backward.ok());
  EXPECT_TRUE(backward->interrupted);
  EXPECT_EQ(timeline->position(), end->position);
  const auto found = timeline->Backward(At("ioctx_alloc"));
  ASSERT_TRUE(found.ok());
  EXPECT_TRUE(found->stop.has_value());
}

TEST(Timeline, APlanThatCannotBeReadMovesNothing) {
  const auto transcript = Read("examples/first-read.strace");
  const auto timeline = Start(transcript);
  ASSERT_TRUE(timeline->GoTo(1500).ok());
  StopPlan plan = At("io_submit_one");
  plan.breakpoints[0].condition = "1 +";
  EXPECT_FALSE(timeline->Backward(plan).ok());
  EXPECT_FALSE(timeline->Forward(plan).ok());
  EXPECT_EQ(timeline->position(), 1500u);
}

#if !defined(ABSL_HAVE_ADDRESS_SANITIZER) && defined(__OPTIMIZE__)
// 100 ms and 20 ms are what is promised; here with room for a computer that is busy.
TEST(Timeline, AMillionProbesAreReachedQuickly) {
  using Clock = std::chrono::steady_clock;
  const auto milliseconds = [](Clock::duration time) {
    return std::chrono::duration<double, std::milli>(time).count();
  };
  const strace::Transcript transcript = ManyReads(2700);
  const auto timeline = Start(transcript);
  ASSERT_TRUE(timeline->Forward({}).ok());
  const uint64_t end = timeline->position();
  ASSERT_GT(end, 1'000'000u);
  std::mt19937 random(3);
  constexpr int kGoes = 40;
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < kGoes; ++i) ASSERT_TRUE(timeline->GoTo(random() % end).ok());
  const double go_ms = milliseconds(Clock::now() - begin) / kGoes;
  ASSERT_TRUE(timeline->GoTo(end - 20'000).ok());
  const Clock::time_point middle = Clock::now();
  for (int i = 0; i < kGoes; ++i) ASSERT_TRUE(timeline->Backward(Step()).ok());
  const double step_ms = milliseconds(Clock::now() - middle) / kGoes;
  std::printf("%llu probes: goto %.1f ms, reverse step %.1f ms\n",
              static_cast<unsigned long long>(end), go_ms, step_ms);
  EXPECT_LT(go_ms, 400);
  EXPECT_LT(step_ms, 80);
}
#endif

}  // namespace
}  // namespace kpath::debugger
