// SPDX-License-Identifier: Apache-2.0
#include "testing/faults.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "testing/fault_plan.h"
#include "testing/matchers.h"

namespace kpath::testing {

int ForEachFailure(const std::function<void(Machine& machine)>& body,
                   const FailureOptions& options) {
  std::vector<std::string> points;
  for (int failing = -1; failing < static_cast<int>(points.size()); ++failing) {
    // A run is the same as the first one up to the point that fails, so its name is known.
    const std::string name = failing < 0 ? "without a failure"
                                         : absl::StrCat("failing: ", points[failing], " (",
                                                        failing + 1, " of ", points.size(), ")");
    const ::testing::ScopedTrace trace(__FILE__, __LINE__, name);
    Machine machine(options.machine);
    machine.faults().Enumerate(options.within, failing);
    body(machine);
    machine.Run();
    EXPECT_THAT(machine, LeavesNothingBehind());
    if (failing < 0) points = machine.faults().points();
  }
  return static_cast<int>(points.size());
}

int ForEachFailure(const user::Code& program, const FailureOptions& options) {
  return ForEachFailure([&program](Machine& machine) { machine.Run(program); }, options);
}

}  // namespace kpath::testing
