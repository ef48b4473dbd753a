// SPDX-License-Identifier: Apache-2.0
//
// Every probe that is linked into the program, whether or not anybody has passed it yet: what a
// debugger completes names from, and how it tells a function that is never called from one that
// does not exist.
//
//   for (const FunctionInfo* function : ProbeList::Functions()) ... function->name
//
// FUNCTION and STEP enter themselves before main(); nothing changes afterwards, so all of it may be
// read from any thread. A function in a header is in the list once for each program part that has
// it.
#pragma once

#include <vector>

#include "sim/machine/probe.h"

namespace kpath {

class ProbeList {
 public:
  // In no particular order.
  static const std::vector<const FunctionInfo*>& Functions();
  static const std::vector<const StepInfo*>& Steps();

  static bool Add(const FunctionInfo& function);
  static bool Add(const StepInfo& step);
};

// Made once for each type of `Where`, a lambda that returns the info of one probe.
template <typename Where>
struct ListedProbe {
  static inline const bool added = ProbeList::Add(Where{}());
};

}  // namespace kpath

// Enters the probe whose info is `info`, a static object, in the list. Costs nothing at run time.
#define KPATH_LIST_PROBE(info) \
  static_cast<void>(&::kpath::ListedProbe<decltype([]() -> const auto& { return info; })>::added)
