// SPDX-License-Identifier: Apache-2.0
#include "tools/compare/conditional.h"

#include <string>

namespace kpath {
namespace {

using Steps = std::vector<VisibleStep>;

// The index behind the call that begins at `begin`.
size_t EndOfCall(const Steps& steps, size_t begin) {
  size_t i = begin + 1;
  while (i < steps.size() && (steps[i].is_enter || steps[i].depth > steps[begin].depth)) ++i;
  return i < steps.size() ? i + 1 : i;
}

bool MayBeMissing(const CompareRules& rules, const std::vector<absl::string_view>& callers,
                  const Steps& steps, size_t i) {
  return i < steps.size() && steps[i].is_enter && !callers.empty() &&
         rules.IsConditional(callers.back(), steps[i].name);
}

}  // namespace

StepsOfBoth LeaveOutConditional(const CompareRules& rules, const StepsOfBoth& steps) {
  StepsOfBoth left_in;
  std::vector<absl::string_view> callers;
  size_t i = 0, j = 0;
  while (i < steps.recorded.size() && j < steps.model.size()) {
    const VisibleStep& recorded = steps.recorded[i];
    const VisibleStep& model = steps.model[j];
    if (recorded.is_enter == model.is_enter && recorded.name == model.name) {
      recorded.is_enter ? callers.push_back(recorded.name) : callers.pop_back();
      left_in.recorded.push_back(recorded);
      left_in.model.push_back(model);
      ++i, ++j;
    } else if (MayBeMissing(rules, callers, steps.recorded, i)) {
      i = EndOfCall(steps.recorded, i);
    } else if (MayBeMissing(rules, callers, steps.model, j)) {
      j = EndOfCall(steps.model, j);
    } else {
      break;
    }
  }
  left_in.recorded.insert(left_in.recorded.end(), steps.recorded.begin() + i, steps.recorded.end());
  left_in.model.insert(left_in.model.end(), steps.model.begin() + j, steps.model.end());
  return left_in;
}

}  // namespace kpath
