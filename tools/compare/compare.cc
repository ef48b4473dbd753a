// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/compare.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/compare/conditional.h"

namespace kpath {
namespace {

constexpr absl::string_view kNoSuchCall = "no such call";

ComparedTree NotInModel(const VisibleGraph& recording, const TreeRef& recorded,
                        std::string expected) {
  ComparedTree tree;
  tree.recorded = recorded;
  tree.difference.emplace();
  tree.difference->expected = std::move(expected);
  tree.difference->actual = std::string(kNoSuchCall);
  tree.difference->recorded_line = recording.OrderOf(recorded.stream, recorded.call);
  return tree;
}

// "do_syscall_64() > __x64_sys_ptrace(), then ..."
std::string DescribeRun(const VisibleGraph& recording, const std::vector<TreeRef>& roots) {
  return absl::StrJoin(roots, ", then ", [&](std::string* out, const TreeRef& root) {
    const RootKind kind = KindOf(recording, root);
    absl::StrAppend(out, kind.name, "()");
    if (!kind.system_call.empty()) absl::StrAppend(out, " with ", kind.system_call, "()");
  });
}

// The asynchronous trees of a model, each to be used once.
class AsyncTrees {
 public:
  // Those that began after `begin`, in all streams but `without`.
  AsyncTrees(const VisibleGraph& model, size_t without, uint32_t begin)
      : model_(model), without_(without), begin_(begin) {
    for (size_t stream = 0; stream < model.streams.size(); ++stream) {
      if (stream == without) continue;
      for (const TreeRef& root : FindRoots(model, stream)) {
        const uint32_t order = model.OrderOf(root.stream, root.call);
        if (order < begin) continue;
        by_name_[std::string(model.streams[stream].name(root.call))].emplace(order, root);
      }
    }
  }

  // The counterpart of a recorded tree, compared; nothing if there is none of its name.
  std::optional<ComparedTree> Match(const VisibleGraph& recording, const TreeRef& recorded) {
    const std::string name(recording.streams[recorded.stream].name(recorded.call));
    auto& candidates = by_name_[name];
    if (candidates.empty()) AddInner(name, &candidates);
    if (candidates.empty()) return std::nullopt;
    std::optional<ComparedTree> first;
    for (auto candidate = candidates.begin(); candidate != candidates.end(); ++candidate) {
      ComparedTree tree = CompareTrees(recording, recorded, model_, candidate->second, false);
      if (!tree.difference.has_value()) {
        candidates.erase(candidate);
        return tree;
      }
      if (!first.has_value()) first = std::move(tree);
    }
    candidates.erase(candidates.begin());
    return first;
  }

 private:
  // The recording may have begun inside of the call that surrounds the tree. Once for each name.
  void AddInner(const std::string& name, std::map<uint32_t, TreeRef>* candidates) {
    if (!inner_added_.insert(name).second) return;
    for (const TreeRef& call : FindCalls(model_, name)) {
      const uint32_t order = model_.OrderOf(call.stream, call.call);
      if (call.stream == without_ || order < begin_ || IsOutermost(call)) continue;
      candidates->emplace(order, call);
    }
  }

  bool IsOutermost(const TreeRef& call) const {
    const std::vector<TreeRef> roots = FindRoots(model_, call.stream);
    return std::any_of(roots.begin(), roots.end(),
                       [&](const TreeRef& root) { return root.call == call.call; });
  }

  const VisibleGraph& model_;
  const size_t without_;
  const uint32_t begin_;
  std::set<std::string> inner_added_;
  std::map<std::string, std::map<uint32_t, TreeRef>> by_name_;  // then by order of entry
};

void CompareAsync(const VisibleGraph& recording, size_t recorded_task, const VisibleGraph& model,
                  const TreeRef& model_begin, CompareResult* result) {
  std::map<uint32_t, TreeRef> recorded;  // by order of entry
  for (size_t stream = 0; stream < recording.streams.size(); ++stream) {
    if (stream == recorded_task) continue;
    for (const TreeRef& root : FindRoots(recording, stream)) {
      recorded.emplace(recording.OrderOf(root.stream, root.call), root);
    }
  }
  AsyncTrees modelled(model, model_begin.stream,
                      model.OrderOf(model_begin.stream, model_begin.call));
  for (const auto& [order, root] : recorded) {
    std::optional<ComparedTree> tree = modelled.Match(recording, root);
    if (tree.has_value()) {
      result->trees.push_back(*std::move(tree));
    } else {
      ++result->not_compared[std::string(recording.streams[root.stream].name(root.call))];
    }
  }
}

absl::StatusOr<CompareResult> CompareChosen(const Graph& recorded, const Graph& model,
                                            const CompareOptions& options) {
  const absl::StatusOr<RootChoice> choice = ParseRootChoice(options.root);
  if (!choice.ok()) return choice.status();
  const VisibleGraph recording(recorded, options.rules);
  const std::vector<TreeRef> in_recording = FindCalls(recording, choice->name);
  if (in_recording.size() < choice->rank) {
    return absl::NotFoundError(absl::StrCat("--root=", options.root, ": the recording has ",
                                            in_recording.size(), " calls of ", choice->name,
                                            ", expected at least ", choice->rank));
  }
  const TreeRef& wanted = in_recording[choice->rank - 1];
  const VisibleGraph modelled(model, options.rules);
  const std::vector<TreeRef> in_model = FindCalls(modelled, choice->name);
  CompareResult result;
  if (in_model.size() < choice->rank) {
    result.trees.push_back(NotInModel(
        recording, wanted, absl::StrCat("call ", choice->rank, " of ", choice->name, "()")));
  } else {
    result.trees.push_back(
        CompareTrees(recording, wanted, modelled, in_model[choice->rank - 1], true));
  }
  return result;
}

}  // namespace

const ComparedTree* CompareResult::FirstDifferent() const {
  const auto found = std::find_if(trees.begin(), trees.end(), [](const ComparedTree& tree) {
    return tree.difference.has_value();
  });
  return found == trees.end() ? nullptr : &*found;
}

ComparedTree CompareTrees(const VisibleGraph& recording, const TreeRef& recorded,
                          const VisibleGraph& model, const TreeRef& modelled, bool open_root) {
  const VisibleTree& recorded_tree = recording.streams[recorded.stream];
  const StepsOfBoth steps = LeaveOutConditional(
      *recording.rules, {recorded_tree.Steps(recorded.call, open_root),
                         model.streams[modelled.stream].Steps(modelled.call, open_root)});
  const std::vector<VisibleStep>& expected = steps.recorded;
  const std::vector<VisibleStep>& actual = steps.model;
  ComparedTree tree;
  tree.recorded = recorded;
  tree.model = modelled;
  tree.open_root = open_root;
  tree.calls = std::count_if(expected.begin(), expected.end(),
                             [](const VisibleStep& step) { return step.is_enter; });
  tree.difference = FirstDifference(recorded_tree, expected, actual);
  return tree;
}

absl::StatusOr<CompareResult> CompareGraphs(const Graph& recorded, const Graph& model,
                                            const CompareRules& rules) {
  const VisibleGraph recording(recorded, rules);
  const size_t task = FirstTask(recorded);
  std::vector<TreeRef> roots;
  if (task < recorded.streams.size()) roots = FindRoots(recording, task);
  if (roots.empty()) {
    return absl::InvalidArgumentError(
        "the recording holds no call to compare, expected at least one");
  }
  const VisibleGraph modelled(model, rules);
  const std::vector<TreeRef> run = FindLastRun(recording, roots, modelled);
  CompareResult result;
  if (run.empty()) {
    result.trees.push_back(NotInModel(recording, roots.front(), DescribeRun(recording, roots)));
    return result;
  }
  for (size_t i = 0; i < roots.size(); ++i) {
    result.trees.push_back(CompareTrees(recording, roots[i], modelled, run[i], false));
  }
  CompareAsync(recording, task, modelled, run.front(), &result);
  return result;
}

absl::StatusOr<CompareResult> Compare(const Graph& recorded, const Graph& model,
                                      const CompareOptions& options) {
  if (!options.root.empty()) return CompareChosen(recorded, model, options);
  return CompareGraphs(recorded, model, options.rules);
}

}  // namespace kpath
