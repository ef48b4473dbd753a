// SPDX-License-Identifier: Apache-2.0
//
// The scenario's disks and what is on them; what they have done, for the report.
//
// Context: DescribeDisks: from outside of the machine; MakeFiles: a program.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "entry/boot.h"
#include "sim/machine/machine.h"
#include "tools/transcript/replay/scenario.h"
#include "tools/transcript/replay/world.h"

namespace kpath {

// Path and text of each that was used, in the order of the scenario.
std::vector<std::pair<std::string, std::string>> DescribeDisks(Machine& machine,
                                                               const Scenario& scenario);

// What is mounted from the start.
std::vector<MountOptions> MountsOf(const Scenario& scenario);
// Makes the scenario's files, in memory or, where a disk is mounted, there. From then on disks fail
// where they are to.
void MakeFiles(World& world, const Scenario& scenario);

}  // namespace kpath
