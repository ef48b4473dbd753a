// SPDX-License-Identifier: Apache-2.0
//
// The project's two lists, tests/reference/ignored.txt and inlined.txt, against the recordings.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/trace/graph_reader.h"
#include "tools/compare/protected.h"
#include "tools/compare/rules.h"
#include "tools/compare/visible.h"

namespace kpath {
namespace {

class ListsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const auto& entry :
         std::filesystem::directory_iterator("tests/reference/linux-4.19.13/graph")) {
      recordings_.push_back(LoadGraph(entry.path().string()).value());
    }
    for (const Graph& graph : recordings_) {
      for (const Stream& stream : graph.streams) {
        for (const std::string& name : stream.calls.names()) recorded_.emplace(SourceName(name));
      }
    }
  }

  static bool IsRecorded(const Rule& rule) {
    return std::any_of(recorded_.begin(), recorded_.end(), [&](const std::string& name) {
      return rule.is_prefix ? absl::StartsWith(name, rule.name) : name == rule.name;
    });
  }

  static std::set<CallId> VisibleCalls(const VisibleTree& tree) {
    std::set<CallId> visible;
    for (CallId root : tree.Roots()) {
      for (const VisibleStep& step : tree.Steps(root, false)) visible.insert(step.call);
    }
    return visible;
  }

  static std::vector<Graph> recordings_;
  static std::set<std::string> recorded_;  // every function of every recording
};

std::vector<Graph> ListsTest::recordings_;
std::set<std::string> ListsTest::recorded_;

TEST_F(ListsTest, AreTheFilesOfTheProject) {
  const absl::StatusOr<CompareRules> rules =
      LoadRules("tests/reference/ignored.txt", "tests/reference/inlined.txt");
  ASSERT_TRUE(rules.ok()) << rules.status().message();
  ASSERT_EQ(rules->rules().size(), DefaultRules().rules().size());
  for (size_t i = 0; i < rules->rules().size(); ++i) {
    EXPECT_EQ(rules->rules()[i].name, DefaultRules().rules()[i].name);
    EXPECT_EQ(rules->rules()[i].action, DefaultRules().rules()[i].action);
  }
}

TEST_F(ListsTest, EveryRuleHasAReason) {
  for (const Rule& rule : DefaultRules().rules()) {
    // Enough to say something; a name alone is none.
    const size_t shortest = rule.action == RuleAction::kInline ? 5 : 25;
    EXPECT_GE(rule.reason.size(), shortest) << rule.name << ": " << rule.reason;
  }
}

TEST_F(ListsTest, NothingProtectedIsIgnored) {
  for (const Rule& rule : DefaultRules().rules()) {
    if (rule.action == RuleAction::kInline) continue;
    EXPECT_EQ(ForbiddenArea(absl::StrCat(rule.name, rule.is_prefix ? "*" : "")), "") << rule.name;
  }
}

TEST_F(ListsTest, EveryIgnoredFunctionIsInARecording) {
  for (const Rule& rule : DefaultRules().rules()) {
    if (rule.action == RuleAction::kInline) continue;
    EXPECT_TRUE(IsRecorded(rule)) << rule.name << " cuts nothing: take it off the list";
  }
}

TEST_F(ListsTest, NoInlinedFunctionIsInARecording) {
  for (const Rule& rule : DefaultRules().rules()) {
    if (rule.action != RuleAction::kInline) continue;
    EXPECT_FALSE(IsRecorded(rule)) << rule.name << " is a call of its own in a recording";
  }
}

// A call that the clock decides is there in one recording and not in another.
TEST_F(ListsTest, EveryConditionalCallIsRecordedBothWays) {
  for (const CompareRules::Conditional& rule : DefaultRules().conditional()) {
    EXPECT_GE(rule.reason.size(), 25u) << rule.child;
    size_t with = 0, without = 0;
    for (const Graph& graph : recordings_) {
      for (const Stream& stream : graph.streams) {
        for (CallId id = 0; id < stream.calls.size(); ++id) {
          if (SourceName(stream.calls.name(id)) != rule.parent) continue;
          bool has = false;
          for (CallId child = stream.calls.node(id).first_child; child != kNoCall;
               child = stream.calls.node(child).next_sibling) {
            has |= SourceName(stream.calls.name(child)) == rule.child;
          }
          ++(has ? with : without);
        }
      }
    }
    EXPECT_GT(with, 0u) << rule.parent << " > " << rule.child;
    EXPECT_GT(without, 0u) << rule.parent << " > " << rule.child;
  }
}

// Every call of a protected function in every recording is still there after all rules, and so are
// the locks that such a function takes itself.
TEST_F(ListsTest, NoProtectedCallIsCut) {
  size_t calls = 0;
  size_t locks = 0;
  for (const Graph& graph : recordings_) {
    for (const Stream& stream : graph.streams) {
      const VisibleTree tree(stream.calls, DefaultRules());
      const std::set<CallId> visible = VisibleCalls(tree);
      for (CallId id = 0; id < stream.calls.size(); ++id) {
        const CallId caller = stream.calls.node(id).parent;
        const bool is_protected = IsProtected(tree.name(id));
        const bool is_lock =
            IsLockOperation(tree.name(id)) && caller != kNoCall && IsProtected(tree.name(caller));
        calls += is_protected;
        locks += is_lock;
        EXPECT_TRUE(visible.contains(id) || !(is_protected || is_lock)) << tree.name(id);
      }
    }
  }
  EXPECT_GT(calls, 900u);
  EXPECT_GT(locks, 40u);
}

// How much of the recorded system calls is really compared.
TEST_F(ListsTest, MostOfThePathStaysVisible) {
  size_t calls = 0;
  size_t visible = 0;
  for (const Graph& graph : recordings_) {
    const CallTree& task = graph.streams[0].calls;
    visible += VisibleCalls(VisibleTree(task, DefaultRules())).size();
    for (CallId id = 0; id < task.size(); ++id) {
      // The inside of the allocator alone is a third of all recorded lines.
      const absl::string_view name = SourceName(task.name(id));
      calls += name != "slob_next" && name != "set_slob";
    }
  }
  EXPECT_GT(visible, calls / 2) << visible << " of " << calls;
}

}  // namespace
}  // namespace kpath
