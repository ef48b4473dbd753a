// SPDX-License-Identifier: Apache-2.0
//
// The reader on each recording of a real kernel under tests/reference/.
#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader.h"
#include "sim/trace/graph_reader_file.h"
#include "sim/trace/graph_writer.h"

namespace kpath {
namespace {

constexpr char kFolder[] = "tests/reference/linux-4.19.13/graph";

std::vector<std::string> Recordings() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string TextOf(const std::string& recording) {
  return ReadTextFile(absl::StrCat(kFolder, "/", recording, ".graph")).value();
}

Graph Load(const std::string& recording) {
  absl::StatusOr<Graph> graph = LoadGraph(absl::StrCat(kFolder, "/", recording, ".graph"));
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return graph.ok() ? *std::move(graph) : Graph();
}

size_t Occurrences(absl::string_view text, absl::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// "a{b c{d}}" without the inside of `folded`.
std::string Outline(const CallTree& calls, CallId root, const std::string& folded) {
  std::string text = calls.name(root);
  const CallId first = calls.node(root).first_child;
  if (first == kNoCall) return text;
  if (text == folded) return absl::StrCat(text, "{..}");
  absl::StrAppend(&text, "{");
  for (CallId id = first; id != kNoCall; id = calls.node(id).next_sibling) {
    absl::StrAppend(&text, id == first ? "" : " ", Outline(calls, id, folded));
  }
  return absl::StrCat(text, "}");
}

CallId Find(const CallTree& calls, absl::string_view name) {
  for (CallId id = 0; id < calls.size(); ++id) {
    if (calls.name(id) == name) return id;
  }
  ADD_FAILURE() << "no call of " << name;
  return 0;
}

class RecordingTest : public testing::TestWithParam<std::string> {};

TEST_P(RecordingTest, EveryLineBecomesOneCall) {
  const std::string text = TextOf(GetParam());
  std::map<std::string, int> expected;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::EndsWith(line, "() {") && !absl::EndsWith(line, "();")) continue;
    const size_t name = line.find_last_of(' ', line.find("()")) + 1;
    ++expected[std::string(line.substr(name, line.find("()") - name))];
  }
  std::map<std::string, int> found;
  for (const Stream& stream : Load(GetParam()).streams) {
    for (CallId id = 0; id < stream.calls.size(); ++id) {
      if (stream.calls.node(id).entered) ++found[stream.calls.name(id)];
    }
  }
  EXPECT_EQ(found, expected);
}

// A system call that returns is one whole tree: entry, return, and between them nothing open and
// nothing whose entry was not seen.
TEST_P(RecordingTest, EverySystemCallIsWhole) {
  const Graph graph = Load(GetParam());
  size_t whole = 0;
  for (const Stream& stream : graph.streams) {
    for (CallId id = 0; id < stream.calls.size(); ++id) {
      const std::string& name = stream.calls.name(id);
      if (name != "do_syscall_64" && name != "do_int80_syscall_32") continue;
      EXPECT_EQ(stream.calls.node(id).parent, kNoCall);
      for (CallId inside = id; inside != kNoCall; inside = stream.calls.Next(inside, id)) {
        EXPECT_TRUE(stream.calls.node(inside).entered) << stream.calls.name(inside);
        EXPECT_TRUE(stream.calls.node(inside).returned) << stream.calls.name(inside);
      }
      ++whole;
    }
  }
  const std::string text = TextOf(GetParam());
  EXPECT_EQ(whole, Occurrences(text, "|  do_syscall_64()") +
                       Occurrences(text, "|  do_int80_syscall_32()"));
  EXPECT_GE(whole, 1u);
}

// A call that sleeps goes on where it stopped: schedule ends with finish_task_switch.
TEST_P(RecordingTest, EveryScheduleThatReturnsEndsWithTheSwitchBack) {
  for (const Stream& stream : Load(GetParam()).streams) {
    const CallTree& calls = stream.calls;
    for (CallId id = 0; id < calls.size(); ++id) {
      if (calls.name(id) != "schedule" || !calls.node(id).returned) continue;
      ASSERT_NE(calls.node(id).last_child, kNoCall);
      EXPECT_EQ(calls.name(calls.node(id).last_child), "finish_task_switch");
    }
  }
}

TEST_P(RecordingTest, NoCallLastsLessThanTheCallsInsideIt) {
  for (const Stream& stream : Load(GetParam()).streams) {
    const CallTree& calls = stream.calls;
    for (CallId id = 0; id < calls.size(); ++id) {
      int64_t inside_ns = 0;
      for (CallId child = calls.node(id).first_child; child != kNoCall;
           child = calls.node(child).next_sibling) {
        inside_ns += std::max<int64_t>(0, calls.node(child).duration_ns);
      }
      if (!calls.node(id).returned) continue;
      // Up to 1 ms of a duration above 1 s, and 10 us of one above 10 ms, is not printed.
      EXPECT_GE(calls.node(id).duration_ns + 1000000, inside_ns) << calls.name(id);
    }
  }
}

// The text with "f() {" and "} /* f */" on adjacent lines made one leaf: something was cut out
// between them when the recording was made, and a graph does not keep that.
std::string WithEmptyCallsAsLeaves(absl::string_view text) {
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const size_t brace = line.find("} /*");
    if (brace != line.npos && !lines.empty() && absl::EndsWith(lines.back(), "() {")) {
      const std::string name = lines.back().substr(brace, lines.back().find("()") - brace);
      if (lines.back()[brace - 1] == ' ' && absl::EndsWith(line, absl::StrCat(name, " */"))) {
        lines.back() = absl::StrCat(line.substr(0, brace), name, "();");
        continue;
      }
    }
    lines.emplace_back(line);
  }
  return absl::StrJoin(lines, "\n");
}

// Writes the graph's calls to a GraphWriter and compares every byte with the recording.
TEST_P(RecordingTest, WriterGivesTheSameBytes) {
  const Graph graph = Load(GetParam());
  if (graph.streams.size() > 1) GTEST_SKIP() << "its marks of task switches were removed";
  std::string written;
  GraphWriterOptions options;
  options.overhead_marks = false;
  GraphWriter writer([&](absl::string_view part) { absl::StrAppend(&written, part); }, options);
  const CallTree& calls = graph.streams[0].calls;
  CallId before = kNoCall;
  const auto close_until = [&](CallId parent) {
    for (; before != parent; before = calls.node(before).parent) {
      writer.Exit(0, 1, calls.node(before).duration_ns);
    }
  };
  for (CallId id = calls.first_root(); id != kNoCall; id = calls.Next(id, kNoCall)) {
    close_until(calls.node(id).parent);
    writer.Enter(0, "t", 1, calls.name(id), 0);  // every call begins at 0: durations are all that
    before = id;                                 // the text shows
  }
  close_until(kNoCall);
  const std::string text = TextOf(GetParam());
  EXPECT_EQ(written, WithEmptyCallsAsLeaves(text.substr(text.find("\n 0)") + 1)));
}

INSTANTIATE_TEST_SUITE_P(Graph, RecordingTest, testing::ValuesIn(Recordings()),
                         [](const auto& info) { return info.param; });

TEST(RecordingsTest, AreAllThere) { EXPECT_EQ(Recordings().size(), 24u); }

TEST(RecordingsTest, IoDestroyWaitsAsOneTree) {
  const Graph graph = Load("io_destroy_idle_ctx");
  ASSERT_EQ(graph.streams.size(), 3u);  // the caller, the idle task, the grace-period kthread
  const CallTree& calls = graph.streams[0].calls;
  EXPECT_EQ(calls.node(calls.first_root()).next_sibling, kNoCall);
  EXPECT_EQ(Outline(calls, Find(calls, "wait_for_completion"), "schedule"),
            "wait_for_completion{_raw_spin_lock_irq schedule_timeout{schedule{..}} "
            "_raw_spin_lock_irq}");
  EXPECT_EQ(Outline(calls, Find(calls, "__x64_sys_io_destroy"), "kill_ioctx"),
            "__x64_sys_io_destroy{lookup_ioctx __init_waitqueue_head kill_ioctx{..} "
            "wait_for_completion{_raw_spin_lock_irq schedule_timeout{" +
                Outline(calls, Find(calls, "schedule"), "") + "} _raw_spin_lock_irq}}");

  const CallTree& idle = graph.streams[1].calls;
  EXPECT_EQ(idle.name(idle.first_root()), "do_idle");
  EXPECT_FALSE(idle.node(idle.first_root()).entered);  // known from its closing line
}

TEST(RecordingsTest, FsyncGoesOnInOneWorker) {
  const Graph graph = Load("io_submit_tmpfs_fsync");
  ASSERT_EQ(graph.streams.size(), 2u);
  const CallTree& worker = graph.streams[1].calls;
  EXPECT_EQ(Outline(worker, Find(worker, "process_one_work"), "aio_fsync_work"),
            "process_one_work{get_work_pwq find_worker_executing_work aio_fsync_work{..} "
            "_cond_resched{rcu_all_qs} _raw_spin_lock_irq pwq_dec_nr_in_flight{put_pwq}}");
}

// Both times that tags run out the same worker takes the requests, though the grace-period kthread
// waits in schedule() as deep as the worker does.
TEST(RecordingsTest, WorkersAndKthreadsAreNotMixedUp) {
  const Graph graph = Load("tags2_6x_pread_4096_scattered");
  ASSERT_EQ(graph.streams.size(), 4u);
  std::vector<std::string> counts;
  for (const Stream& stream : graph.streams) {
    size_t work = 0;
    size_t grace_periods = 0;
    for (CallId id = 0; id < stream.calls.size(); ++id) {
      work += stream.calls.name(id) == "process_one_work";
      grace_periods += stream.calls.name(id) == "__note_gp_changes";
    }
    counts.push_back(absl::StrCat(work, "/", grace_periods));
  }
  EXPECT_EQ(counts, (std::vector<std::string>{"0/0", "2/0", "0/1", "0/0"}));
}

TEST(RecordingsTest, TracedChildIsATaskOfItsOwn) {
  const Graph graph = Load("ptrace_child_io_destroy_exit_stop");
  ASSERT_EQ(graph.streams.size(), 2u);
  const CallTree& child = graph.streams[1].calls;
  const CallId stop = Find(child, "ptrace_stop");
  EXPECT_FALSE(child.node(stop).returned);  // it stays stopped when the recording ends
  EXPECT_TRUE(child.node(Find(child, "__x64_sys_io_destroy")).returned);
}

}  // namespace
}  // namespace kpath
