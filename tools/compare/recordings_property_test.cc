// SPDX-License-Identifier: Apache-2.0
//
// A recording compared with itself is equal; after one change of one call that no rule cuts, it is
// not, and the comparison names the place. Random calls of every recording, always the same ones.
#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader.h"
#include "tools/compare/compare.h"

namespace kpath {
namespace {

constexpr char kFolder[] = "tests/reference/linux-4.19.13/graph";
constexpr char kStranger[] = "kpath_test_no_such_function";

enum class Change { kDrop, kAdd, kSwap, kRename };

constexpr Change kChanges[] = {Change::kDrop, Change::kAdd, Change::kSwap, Change::kRename};

// A call that rules leave visible, below the system call's own function.
struct Place {
  CallId call;
  CallId next = kNoCall;          // the visible call after it inside the same caller
  std::vector<std::string> path;  // its visible callers
};

// Copies a tree with one change at `place`.
class ChangedCopy {
 public:
  ChangedCopy(const CallTree& from, const Place& place, Change change)
      : from_(from), place_(place), change_(change) {
    CopyAll(from.first_root(), kNoCall);
  }

  CallTree Take() { return std::move(to_); }

 private:
  void CopyAll(CallId first, CallId parent) {
    for (CallId id = first; id != kNoCall; id = from_.node(id).next_sibling) Copy(id, parent);
  }

  void Copy(CallId id, CallId parent) {
    if (id == place_.call && change_ == Change::kDrop) return;
    if (id == place_.call && change_ == Change::kSwap) {
      CopyCall(place_.next, parent, place_.next);
      CopyCall(id, parent, id);
      return;
    }
    if (id == place_.next && change_ == Change::kSwap) return;
    if (id == place_.call && change_ == Change::kAdd) {
      to_.node(to_.Add(parent, kStranger)).returned = true;
    }
    CopyCall(id, parent, id);
  }

  void CopyCall(CallId id, CallId parent, CallId inside) {
    const bool is_renamed = id == place_.call && change_ == Change::kRename;
    const CallId copy = to_.Add(parent, is_renamed ? kStranger : from_.name(id));
    CallNode& node = to_.node(copy);
    node.order = from_.node(id).order;
    node.entered = from_.node(id).entered;
    node.returned = from_.node(id).returned;
    CopyAll(from_.node(inside).first_child, copy);
  }

  const CallTree& from_;
  const Place& place_;
  const Change change_;
  CallTree to_;
};

// The places of the first task's calls that may be changed without changing which tree is meant.
std::vector<Place> Places(const Graph& graph) {
  const VisibleGraph visible(graph, DefaultRules());
  const CallTree& calls = graph.streams[0].calls;
  std::vector<Place> places;
  for (const TreeRef& root : FindRoots(visible, 0)) {
    std::vector<std::string> path;
    std::vector<size_t> last;  // by depth: the place before, inside the same caller
    for (const VisibleStep& step : visible.streams[0].Steps(root.call, false)) {
      path.resize(step.depth);
      last.resize(step.depth + 1, SIZE_MAX);
      if (!step.is_enter) continue;
      if (step.depth >= 2) {
        const size_t before = last[step.depth];
        // Only where both stand side by side in the tree itself, not moved up by a rule.
        if (before != SIZE_MAX &&
            calls.node(places[before].call).parent == calls.node(step.call).parent) {
          places[before].next = step.call;
        }
        last[step.depth] = places.size();
        places.push_back({step.call, kNoCall, path});
      }
      path.emplace_back(step.name);
    }
  }
  return places;
}

Graph WithChange(const Graph& graph, const Place& place, Change change) {
  Graph changed = graph;
  changed.streams[0].calls = ChangedCopy(graph.streams[0].calls, place, change).Take();
  return changed;
}

bool BeginsWith(const std::vector<std::string>& path, const std::vector<std::string>& with) {
  return path.size() >= with.size() && std::equal(with.begin(), with.end(), path.begin());
}

class RecordingPropertyTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    graph_ = LoadGraph(absl::StrCat(kFolder, "/", GetParam(), ".graph")).value();
  }

  static std::string NameOf(const Graph& graph, CallId call) {
    return std::string(SourceName(graph.streams[0].calls.name(call)));
  }

  // Compares and checks that the difference is where the change was made. Dropping or swapping
  // calls that look like their neighbours shows only behind them, but still inside the same caller.
  void ExpectFound(const Place& place, Change change) {
    const absl::StatusOr<CompareResult> result =
        CompareGraphs(graph_, WithChange(graph_, place, change), DefaultRules());
    ASSERT_TRUE(result.ok()) << result.status().message();
    const std::string name = NameOf(graph_, place.call);
    const std::string where = absl::StrCat(name, " in ", absl::StrJoin(place.path, " > "));
    ASSERT_FALSE(result->equal()) << where;
    const Difference& difference = *result->FirstDifferent()->difference;
    EXPECT_TRUE(BeginsWith(difference.path, place.path)) << where << "\n" << difference.Message();
    if (change == Change::kAdd || change == Change::kRename) {
      EXPECT_EQ(difference.path, place.path);
      EXPECT_EQ(difference.expected, absl::StrCat(name, "()"));
      EXPECT_EQ(difference.actual, absl::StrCat(kStranger, "()"));
      EXPECT_EQ(difference.recorded_line, graph_.streams[0].calls.node(place.call).order);
    } else {
      const uint32_t line = graph_.streams[0].calls.node(place.call).order;
      EXPECT_TRUE(difference.recorded_line == 0 || difference.recorded_line >= line);
    }
  }

  Graph graph_;
};

TEST_P(RecordingPropertyTest, EqualsItself) {
  const absl::StatusOr<CompareResult> result = CompareGraphs(graph_, graph_, DefaultRules());
  ASSERT_TRUE(result.ok()) << result.status().message();
  EXPECT_TRUE(result->equal()) << result->FirstDifferent()->difference->Message();
  EXPECT_TRUE(result->not_compared.empty());
}

TEST_P(RecordingPropertyTest, AnyChangeIsFoundInItsPlace) {
  const std::vector<Place> places = Places(graph_);
  if (places.empty()) GTEST_SKIP() << "no call below the system call";
  std::mt19937 generator(20181229);
  for (int i = 0; i < 10; ++i) {
    const Place& place = places[generator() % places.size()];
    for (Change change : kChanges) {
      if (change == Change::kSwap &&
          (place.next == kNoCall || NameOf(graph_, place.next) == NameOf(graph_, place.call))) {
        continue;
      }
      ExpectFound(place, change);
    }
  }
}

// What rules cut may differ in any way.
TEST_P(RecordingPropertyTest, ChangeInsideACutIsNotSeen) {
  const CallTree& calls = graph_.streams[0].calls;
  int changed = 0;
  for (CallId id = 0; id < calls.size() && changed < 5; ++id) {
    const std::string name = NameOf(graph_, id);
    if (name != "slob_next" && name != "decay_load" && name != "timespec64_trunc") continue;
    ++changed;
    const Place place{id, kNoCall, {}};
    for (Change change : {Change::kDrop, Change::kAdd, Change::kRename}) {
      const auto result = CompareGraphs(graph_, WithChange(graph_, place, change), DefaultRules());
      ASSERT_TRUE(result.ok());
      EXPECT_TRUE(result->equal()) << name;
    }
  }
}

std::vector<std::string> Recordings() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Graph, RecordingPropertyTest, testing::ValuesIn(Recordings()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace kpath
