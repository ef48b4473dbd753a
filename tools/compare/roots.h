// SPDX-License-Identifier: Apache-2.0
//
// Which trees of two graphs belong together.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sim/trace/call_tree.h"
#include "tools/compare/visible.h"

namespace kpath {

// A graph, and each of its streams as the rules let it be seen.
struct VisibleGraph {
  VisibleGraph(const Graph& seen, const CompareRules& rules);

  uint32_t OrderOf(size_t stream, CallId call) const;

  const Graph* graph;
  const CompareRules* rules;
  std::vector<VisibleTree> streams;
};

// A call in a graph. Refers to nothing if `call` is kNoCall.
struct TreeRef {
  size_t stream = 0;
  CallId call = kNoCall;
};

// What --root=NAME[:K] asks for.
struct RootChoice {
  std::string name;
  size_t rank = 1;  // from 1
};

// Parses "NAME" or "NAME:K".
absl::StatusOr<RootChoice> ParseRootChoice(absl::string_view text);

// Every call of `name` whose entry was recorded, in all streams, in order of entry. Inner calls
// count, and so do calls that a rule cuts.
std::vector<TreeRef> FindCalls(const VisibleGraph& graph, absl::string_view name);

// The outermost calls of `stream` whose entry was recorded.
std::vector<TreeRef> FindRoots(const VisibleGraph& graph, size_t stream);

// The stream of the task that is recorded first; streams.size() if there is none.
size_t FirstTask(const Graph& graph);

// What two outermost calls must have in common to be the same call of the kernel: the name, and for
// an entry function the system call that it dispatches to ("" for a number without one).
struct RootKind {
  absl::string_view name;
  absl::string_view system_call;

  bool operator==(const RootKind& other) const {
    return name == other.name && system_call == other.system_call;
  }
};

RootKind KindOf(const VisibleGraph& graph, const TreeRef& root);

// The calls of the model that stand for `recorded`, a list of outermost calls of one task: the last
// place where one task of the model makes calls of just these kinds one after the other. A scenario
// makes its preparations first and the call it is about last. Empty if there is no such place.
std::vector<TreeRef> FindLastRun(const VisibleGraph& recording,
                                 const std::vector<TreeRef>& recorded, const VisibleGraph& model);

}  // namespace kpath
