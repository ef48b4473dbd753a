// SPDX-License-Identifier: Apache-2.0
//
// Calls that the clock decides: tests/reference/conditional.txt. One rule a line, with its reason:
//   PARENT > CHILD: reason
// CHILD, where PARENT calls it, may be on one side alone: there it is left out. Where both sides
// have it, it is compared.
#pragma once

#include <vector>

#include "tools/compare/rules.h"
#include "tools/compare/visible.h"

namespace kpath {

struct StepsOfBoth {
  std::vector<VisibleStep> recorded;
  std::vector<VisibleStep> model;
};

// The steps of two trees without the calls that a rule lets be on one side alone, up to the first
// other difference; from there on as they are.
StepsOfBoth LeaveOutConditional(const CompareRules& rules, const StepsOfBoth& steps);

}  // namespace kpath
