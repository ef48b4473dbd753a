// SPDX-License-Identifier: Apache-2.0
//
// Disks that a transcript shows, though no line of its scenario has them: tmpfs has no direct I/O,
// so where a file is opened with O_DIRECT, or gets it by fcntl(F_SETFL), its directory is on a
// disk.
#pragma once

#include "tools/transcript/replay/plan.h"
#include "tools/transcript/replay/scenario.h"

namespace kpath {

// Adds to the scenario a disk for each such directory, and mounts it there; or, if the transcript
// itself makes the directory, on the one above. A name that begins at a working directory that
// nobody knows is one below "/", where the process is replayed: then the root file system is on a
// disk. So is, below World::kAssumedFiles, what a descriptor stands for that no recorded call made,
// if it gets O_DIRECT or AIO reads or writes it. What lies below /dev (but not /dev/shm) is a disk
// itself. Left alone are /proc and /sys, and what is below a mount of the scenario's.
void InferMounts(const Plan& plan, Scenario* scenario);

}  // namespace kpath
