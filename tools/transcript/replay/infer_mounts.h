// SPDX-License-Identifier: Apache-2.0
//
// File systems on disks that a transcript shows, though no line of its scenario mounts one: tmpfs
// has no direct I/O, so where a file is opened with O_DIRECT, its directory is on a disk.
#pragma once

#include "tools/transcript/replay/plan.h"
#include "tools/transcript/replay/scenario.h"

namespace kpath {

// Adds to the scenario a disk for each such directory, and mounts it there; or, if the transcript
// itself makes the directory, on the one above. Directories that are
// named from the working directory are left alone, as nobody knows where that is; so are /dev,
// /proc and /sys, and what is below a mount of the scenario's.
void InferMounts(const Plan& plan, Scenario* scenario);

}  // namespace kpath
