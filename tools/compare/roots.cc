// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/roots.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace kpath {
namespace {

// How the kernel names what sys_call_table points to.
constexpr absl::string_view kSystemCallPrefixes[] = {
    "__x64_sys_", "__ia32_sys_", "__x32_compat_sys_", "__ia32_compat_sys_", "sys_", "compat_sys_",
};

bool IsSystemCall(absl::string_view name) {
  return std::any_of(std::begin(kSystemCallPrefixes), std::end(kSystemCallPrefixes),
                     [&](absl::string_view prefix) { return absl::StartsWith(name, prefix); });
}

std::vector<RootKind> KindsOf(const VisibleGraph& graph, const std::vector<TreeRef>& roots) {
  std::vector<RootKind> kinds;
  for (const TreeRef& root : roots) kinds.push_back(KindOf(graph, root));
  return kinds;
}

}  // namespace

VisibleGraph::VisibleGraph(const Graph& seen, const CompareRules& rules)
    : graph(&seen), rules(&rules) {
  for (const Stream& stream : seen.streams) streams.emplace_back(stream.calls, rules);
}

uint32_t VisibleGraph::OrderOf(size_t stream, CallId call) const {
  return graph->streams[stream].calls.node(call).order;
}

absl::StatusOr<RootChoice> ParseRootChoice(absl::string_view text) {
  RootChoice choice;
  const size_t colon = text.find(':');
  choice.name = std::string(text.substr(0, colon));
  const bool has_rank = colon != absl::string_view::npos;
  if (choice.name.empty() ||
      (has_rank && (!absl::SimpleAtoi(text.substr(colon + 1), &choice.rank) || choice.rank == 0))) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--root=", text, ": expected --root=NAME or --root=NAME:K with K = 1, 2, ..."));
  }
  return choice;
}

std::vector<TreeRef> FindCalls(const VisibleGraph& graph, absl::string_view name) {
  std::vector<TreeRef> found;
  for (size_t stream = 0; stream < graph.streams.size(); ++stream) {
    const CallTree& calls = graph.streams[stream].calls();
    for (CallId id = 0; id < calls.size(); ++id) {
      if (!calls.node(id).entered || graph.streams[stream].name(id) != name) continue;
      found.push_back({stream, id});
    }
  }
  std::stable_sort(found.begin(), found.end(), [&](const TreeRef& a, const TreeRef& b) {
    return graph.OrderOf(a.stream, a.call) < graph.OrderOf(b.stream, b.call);
  });
  return found;
}

std::vector<TreeRef> FindRoots(const VisibleGraph& graph, size_t stream) {
  std::vector<TreeRef> roots;
  const VisibleTree& tree = graph.streams[stream];
  for (CallId root : tree.Roots()) {
    if (tree.calls().node(root).entered) roots.push_back({stream, root});
  }
  return roots;
}

size_t FirstTask(const Graph& graph) {
  const auto first =
      std::find_if(graph.streams.begin(), graph.streams.end(),
                   [](const Stream& stream) { return stream.kind == Stream::Kind::kTask; });
  return first - graph.streams.begin();
}

RootKind KindOf(const VisibleGraph& graph, const TreeRef& root) {
  const VisibleTree& tree = graph.streams[root.stream];
  RootKind kind;
  kind.name = tree.name(root.call);
  for (const VisibleStep& step : tree.Steps(root.call, /*open_root=*/false)) {
    if (step.depth != 1 || !step.is_enter || !IsSystemCall(step.name)) continue;
    kind.system_call = step.name;
    break;
  }
  return kind;
}

std::vector<TreeRef> FindLastRun(const VisibleGraph& recording,
                                 const std::vector<TreeRef>& recorded, const VisibleGraph& model) {
  const std::vector<RootKind> wanted = KindsOf(recording, recorded);
  std::vector<TreeRef> best;
  for (size_t stream = 0; stream < model.streams.size(); ++stream) {
    if (model.graph->streams[stream].kind != Stream::Kind::kTask) continue;
    const std::vector<TreeRef> roots = FindRoots(model, stream);
    const std::vector<RootKind> kinds = KindsOf(model, roots);
    const auto run = std::find_end(kinds.begin(), kinds.end(), wanted.begin(), wanted.end());
    if (run == kinds.end()) continue;
    const TreeRef* first = &roots[run - kinds.begin()];
    if (!best.empty() && model.OrderOf(first->stream, first->call) <
                             model.OrderOf(best.front().stream, best.front().call)) {
      continue;
    }
    best.assign(first, first + wanted.size());
  }
  return best;
}

}  // namespace kpath
