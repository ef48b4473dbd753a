// SPDX-License-Identifier: Apache-2.0
//
// Holds the graph of a real kernel against the model's graph of the same calls.
//
//   CompareOptions options;                        // the project's rules, no --root
//   absl::StatusOr<CompareResult> result = Compare(recorded, model, options);
//   if (!result.ok()) ...                          // bad --root, nothing to compare
//   if (!result->equal()) std::puts(result->FirstDifferent()->difference->Message().c_str());
//
// Equal means: the same calls in the same order, each inside the same caller, and the same calls
// return, after the rules (rules.h) have been applied to both sides. Times, CPUs, task names, what
// a compiler added to a name do not count.
//
// What is compared:
//   - With a root, "NAME" or "NAME:K": the K-th (from 1, default 1) call of NAME on either side,
//     counted over all streams in order of entry, inner calls too. That tree alone.
//   - Without: the outermost calls of the task that is recorded first, all of them in order, with
//     the last place where one task of the model makes the same calls one after the other: the same
//     outermost function (do_syscall_64), dispatching to the same system call. Then, each on its
//     own, the asynchronous trees of the recording: the outermost calls of interrupts and of other
//     tasks. Each takes the first equal tree of the same name among the model's asynchronous trees
//     that began after the compared calls did, or, if none is equal, the first of that name. If the
//     model has none of its name there, its inner calls are looked through in the same way: a
//     recording may begin in the middle of a task's system call. One whose name the model does not
//     have at all is not compared, and listed.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/trace/call_tree.h"
#include "tools/compare/difference.h"
#include "tools/compare/roots.h"
#include "tools/compare/rules.h"

namespace kpath {

struct CompareOptions {
  CompareRules rules = DefaultRules();
  std::string root;  // "", "NAME" or "NAME:K"
};

// One tree of the recording and its counterpart.
struct ComparedTree {
  TreeRef recorded;
  TreeRef model;           // kNoCall: the model never makes this call
  bool open_root = false;  // the root's inside was compared even if a rule cuts it
  size_t calls = 0;        // compared calls, those that no rule cuts
  std::optional<Difference> difference;
};

struct CompareResult {
  std::vector<ComparedTree> trees;          // the task's calls, then the asynchronous ones
  std::map<std::string, int> not_compared;  // asynchronous trees without counterpart: name, number

  bool equal() const { return FirstDifferent() == nullptr; }
  const ComparedTree* FirstDifferent() const;  // nullptr if equal
};

// Compares two trees. `open_root`: see ComparedTree.
ComparedTree CompareTrees(const VisibleGraph& recording, const TreeRef& recorded,
                          const VisibleGraph& model, const TreeRef& modelled, bool open_root);

// Compares without a root. Fails if the recording holds no call whose entry was recorded.
absl::StatusOr<CompareResult> CompareGraphs(const Graph& recorded, const Graph& model,
                                            const CompareRules& rules);

// Compares as `options` say. Fails with one line if the root is malformed or not in the recording.
absl::StatusOr<CompareResult> Compare(const Graph& recorded, const Graph& model,
                                      const CompareOptions& options);

}  // namespace kpath
