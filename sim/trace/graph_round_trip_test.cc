// SPDX-License-Identifier: Apache-2.0
//
// What GraphWriter writes, the reader reads back: random runs of several tasks on several CPUs,
// with interrupts, compared with the graph that GraphBuilder makes of the same events.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/trace/call_tree_builder.h"
#include "sim/trace/graph_reader.h"
#include "sim/trace/graph_writer.h"

namespace kpath {
namespace {

constexpr int kCpus = 2;
constexpr int kTasks = 4;  // pids 0 (one idle task for each CPU) to 3

// Makes the same random events for both.
class RandomRun {
 public:
  RandomRun(uint32_t seed, bool tasks_move, std::vector<CallEvents*> to)
      : random_(seed), tasks_move_(tasks_move), to_(std::move(to)) {
    for (int pid = 0; pid < kTasks; ++pid) cpu_of_[pid] = pid % kCpus;
  }

  void Run(int events) {
    for (int i = 0; i < events; ++i) Step();
    for (int pid = 0; pid < kTasks; ++pid) {
      // Some stay open to the end.
      while (depth_[pid] > 0 && Pick(8) != 0) Exit(pid);
    }
  }

 private:
  uint32_t Pick(uint32_t below) { return random_() % below; }

  void Step() {
    if (Pick(10) == 0) pid_ = static_cast<int>(Pick(kTasks));
    // The idle task stays where it is; others may move.
    if (tasks_move_ && pid_ != 0 && Pick(20) == 0) cpu_of_[pid_] = static_cast<int>(Pick(kCpus));
    time_ns_ += Pick(5) == 0 ? Pick(2000000000) : Pick(5000);
    const int depth = depth_[pid_];
    if (Pick(12) == 0 && depth > 0) {
      for (CallEvents* events : to_) events->Annotate(cpu_of_[pid_], pid_, "remark");
    } else if (depth > 0 && Pick(2) == 0) {
      Exit(pid_);
    } else if (depth < 12) {
      Enter(pid_);
    }
  }

  void Enter(int pid) {
    static const char* const kNames[] = {"schedule", "finish_task_switch",    "aio_read", "fget",
                                         "do_IRQ",   "slob_alloc.constprop.0"};
    const std::string comm = absl::StrCat("task", pid);
    const char* name = kNames[Pick(std::size(kNames))];
    for (CallEvents* events : to_) events->Enter(cpu_of_[pid], comm, pid, name, time_ns_);
    ++depth_[pid];
  }

  void Exit(int pid) {
    for (CallEvents* events : to_) events->Exit(cpu_of_[pid], pid, time_ns_);
    --depth_[pid];
  }

  std::mt19937 random_;
  const bool tasks_move_;
  const std::vector<CallEvents*> to_;
  int64_t time_ns_ = 0;
  int pid_ = 1;
  int cpu_of_[kTasks] = {};
  int depth_[kTasks] = {};
};

// Everything of a graph that its text keeps. Durations are kept to the digits that fit.
std::string Describe(const Graph& graph) {
  std::vector<std::string> streams;
  for (const Stream& stream : graph.streams) {
    std::string text = absl::StrCat(stream.kind == Stream::Kind::kTask ? "task " : "interrupts ",
                                    stream.comm, " ", stream.pid, "\n");
    const CallTree& calls = stream.calls;
    for (CallId id = calls.first_root(); id != kNoCall; id = calls.Next(id, kNoCall)) {
      const CallNode& node = calls.node(id);
      for (CallId up = id; up != kNoCall; up = calls.node(up).parent) text += ' ';
      absl::StrAppend(&text, calls.name(id), " on ", node.cpu, node.returned ? " " : " open ",
                      node.duration_ns >= 10000000 ? "long" : absl::StrCat(node.duration_ns), "\n");
    }
    if (calls.size() > 0) streams.push_back(std::move(text));
  }
  std::sort(streams.begin(), streams.end());
  std::string text;
  for (const std::string& stream : streams) text += stream;
  return text;
}

class RoundTripTest : public testing::TestWithParam<int> {};

TEST_P(RoundTripTest, ReaderGivesBackWhatWasWritten) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    GraphWriterOptions options;
    options.cpus = kCpus;
    options.closing_names = (GetParam() & 1) != 0;
    options.task_column = (GetParam() & 2) != 0;
    options.overhead_marks = (GetParam() & 4) != 0;
    std::string text;
    GraphWriter writer([&](absl::string_view part) { absl::StrAppend(&text, part); }, options);
    writer.Header();
    GraphBuilder builder;
    // Without the column, text does not tell who is the first to run on a CPU until it is left.
    RandomRun(seed, /*tasks_move=*/options.task_column, {&writer, &builder}).Run(400);
    writer.Finish();

    const absl::StatusOr<Graph> read = ReadGraph(text, "random");
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.status().message();
    ASSERT_EQ(Describe(*read), Describe(builder.Take())) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(AllFormats, RoundTripTest, testing::Range(0, 8));

TEST(RoundTripTest, SameEventsGiveTheSameBytes) {
  std::string texts[2];
  for (std::string& text : texts) {
    GraphWriter writer([&](absl::string_view part) { absl::StrAppend(&text, part); }, {});
    RandomRun(7, /*tasks_move=*/true, {&writer}).Run(400);
    writer.Finish();
  }
  EXPECT_EQ(texts[0], texts[1]);
}

}  // namespace
}  // namespace kpath
