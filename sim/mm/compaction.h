// SPDX-License-Identifier: Apache-2.0
//
// Moving pages together. v4.19 mm/compaction.c
#pragma once

#include "sim/mm/page.h"

namespace kpath {

// v4.19 mm/compaction.c: compact_nodes. What writing to /proc/sys/vm/compact_memory does: moves
// every page that can be moved, those of AIO rings among them.
//
// Departs: each such page of the machine is moved once to any other frame; there are no zones whose
// ends the pages wander to, and nothing else starts it.
//
// Returns how many pages could not be moved, or -ENOMEM: no page to move to. Context: process; may
// sleep.
int compact_nodes();

}  // namespace kpath
