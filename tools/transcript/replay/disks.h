// SPDX-License-Identifier: Apache-2.0
//
// What the scenario's disks have done, for the report.
//
// Context: from outside of the machine.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sim/machine/machine.h"
#include "tools/transcript/replay/scenario.h"

namespace kpath {

// Path and text of each that was used, in the order of the scenario.
std::vector<std::pair<std::string, std::string>> DescribeDisks(Machine& machine,
                                                               const Scenario& scenario);

}  // namespace kpath
