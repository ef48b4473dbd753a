// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/changes.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace kpath::debugger {
namespace {

using Line = std::pair<absl::string_view, absl::string_view>;

std::vector<Line> LinesOf(absl::string_view text) {
  std::vector<Line> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    lines.emplace_back(absl::StrSplit(line, absl::MaxSplits('\t', 1)));
  }
  return lines;
}

}  // namespace

std::string DescribeChanges(absl::string_view before, absl::string_view after) {
  std::map<absl::string_view, absl::string_view> old;
  for (const Line& line : LinesOf(before)) old.insert(line);
  struct Change {
    absl::string_view name, from, to;
  };
  std::vector<Change> changes;
  size_t widest = 0;
  bool other_task = false;
  for (const auto& [name, value] : LinesOf(after)) {
    const auto was = old.find(name);
    if (was == old.end() || was->second == value) continue;
    other_task = other_task || name == "current->pid";
    // Its registers are others, of which nothing has changed.
    if (other_task && absl::StartsWith(name, "$")) continue;
    changes.push_back({name, was->second, value});
    widest = std::max(widest, name.size());
  }
  std::string text;
  for (const Change& change : changes) {
    absl::StrAppend(&text, absl::StrFormat("  %-*s  %s -> %s\n", static_cast<int>(widest),
                                           change.name, change.from, change.to));
  }
  return text;
}

}  // namespace kpath::debugger
