// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/difference.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace kpath {
namespace {

constexpr absl::string_view kNeverReturns = "a call that never returns";

bool SameStep(const VisibleStep& a, const VisibleStep& b) {
  return a.is_enter == b.is_enter && a.depth == b.depth && (!a.is_enter || a.name == b.name);
}

std::string Describe(const std::vector<VisibleStep>& steps, size_t index) {
  if (index >= steps.size()) return std::string(kNeverReturns);
  return steps[index].is_enter ? absl::StrCat(steps[index].name, "()") : "return";
}

// Fills path and after from the steps before the difference, which both sides share.
void Locate(const std::vector<VisibleStep>& steps, Difference* difference) {
  for (size_t index = 0; index < difference->step; ++index) {
    const VisibleStep& step = steps[index];
    difference->path.resize(step.depth);
    difference->after.clear();
    if (step.is_enter) {
      difference->path.emplace_back(step.name);
    } else {
      difference->after = absl::StrCat(step.name, "()");
    }
  }
}

uint32_t LineOf(const VisibleTree& tree, const std::vector<VisibleStep>& steps, size_t index) {
  if (index >= steps.size() || !steps[index].is_enter) return 0;
  return tree.calls().node(steps[index].call).order;
}

}  // namespace

std::string Difference::Message() const {
  std::string message = absl::StrJoin(path, " > ");
  if (!after.empty()) absl::StrAppend(&message, ", after ", after);
  absl::StrAppend(&message, message.empty() ? "" : ": ", "expected ", expected);
  if (recorded_line > 0) absl::StrAppend(&message, " (line ", recorded_line, " of the recording)");
  return absl::StrCat(message, ", the model has ", actual);
}

std::optional<Difference> FirstDifference(const VisibleTree& recorded_tree,
                                          const std::vector<VisibleStep>& recorded,
                                          const std::vector<VisibleStep>& model) {
  const auto [in_recorded, in_model] =
      std::mismatch(recorded.begin(), recorded.end(), model.begin(), model.end(), SameStep);
  if (in_recorded == recorded.end()) return std::nullopt;
  Difference difference;
  difference.step = in_recorded - recorded.begin();
  difference.expected = Describe(recorded, difference.step);
  difference.actual = Describe(model, difference.step);
  difference.recorded_line = LineOf(recorded_tree, recorded, difference.step);
  Locate(recorded, &difference);
  return difference;
}

}  // namespace kpath
