// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/lockdep_graph.h"

#include <algorithm>
#include <deque>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace kpath {
namespace {

absl::string_view DescribeUsageBit(unsigned bit) {
  switch (bit) {
    case LOCK_USED_IN_HARDIRQ:
      return "is taken in hardirq context";
    case LOCK_ENABLED_HARDIRQ:
      return "is held with hardirqs on";
    case LOCK_USED_IN_SOFTIRQ:
      return "is taken in softirq context";
    default:
      return "is held with softirqs on";
  }
}

}  // namespace

int LockGraph::FindClass(const lock_class_key& key, int subclass) {
  const std::string identity =
      absl::StrCat(key.name, "\n", key.file, "\n", key.line, "\n", subclass);
  const auto [found, is_new] = by_key_.emplace(identity, static_cast<int>(classes_.size()));
  if (is_new) {
    classes_.emplace_back().name =
        subclass == 0 ? std::string(key.name) : absl::StrCat(key.name, "/", subclass);
  }
  return found->second;
}

void LockGraph::AddUsage(int lock_class, unsigned usage, const char* function) {
  LockClass& c = classes_[lock_class];
  const unsigned fresh = usage & ~c.usage;
  c.usage |= fresh;
  for (unsigned bit = 1; bit <= fresh; bit <<= 1) {
    if ((fresh & bit) != 0) c.usage_seen_in.emplace_back(bit, function);
  }
}

void LockGraph::AddDependency(int before, int after, const char* function,
                              const std::string& task) {
  LockClass& c = classes_[before];
  c.dependencies.push_back({after, function, task});
  if (c.taken_after.size() <= static_cast<size_t>(after)) c.taken_after.resize(after + 1);
  c.taken_after[after] = true;
}

template <typename IsEnd>
std::vector<int> LockGraph::Search(int from, IsEnd is_end) const {
  std::vector<int> came_from(classes_.size(), -1);
  came_from[from] = from;
  std::deque<int> queue = {from};
  while (!queue.empty()) {
    int at = queue.front();
    queue.pop_front();
    if (is_end(at)) {
      std::vector<int> path = {at};
      while (at != from) path.push_back(at = came_from[at]);
      std::reverse(path.begin(), path.end());
      return path;
    }
    for (const Dependency& dependency : classes_[at].dependencies) {
      if (came_from[dependency.after] >= 0) continue;
      came_from[dependency.after] = at;
      queue.push_back(dependency.after);
    }
  }
  return {};
}

std::vector<int> LockGraph::FindPath(int from, int to) const {
  return Search(from, [&](int at) { return at == to; });
}

std::vector<int> LockGraph::FindInversion(const LockIrq& irq) const {
  for (size_t from = 0; from < classes_.size(); ++from) {
    if ((classes_[from].usage & irq.used_in) == 0) continue;
    std::vector<int> path = Search(static_cast<int>(from),
                                   [&](int at) { return (classes_[at].usage & irq.enabled) != 0; });
    if (!path.empty()) return path;
  }
  return {};
}

std::string LockGraph::DescribeDependency(int before, int after) const {
  for (const Dependency& dependency : classes_[before].dependencies) {
    if (dependency.after != after) continue;
    return absl::StrCat(" ", classes_[before].name, " -> ", classes_[after].name, ", in ",
                        dependency.function, " by ", dependency.task);
  }
  return "";
}

std::string LockGraph::DescribeUsage(int lock_class, unsigned bit) const {
  for (const auto& [seen, function] : classes_[lock_class].usage_seen_in) {
    if (seen != bit) continue;
    return absl::StrCat(" ", classes_[lock_class].name, " ", DescribeUsageBit(bit), ", first in ",
                        function);
  }
  return "";
}

}  // namespace kpath
