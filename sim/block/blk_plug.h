// SPDX-License-Identifier: Apache-2.0
//
// Plugs: a task that submits several requests holds them back in a list of its own until it has
// them all, so that neighbours can be merged and the device is started once. v4.19 block/blk-core.c
//
//   blk_plug plug;
//   blk_start_plug(&plug);
//   ... submit ...
//   blk_finish_plug(&plug);
//
// Context: process. A plug lives on the stack of the function that starts it.
//
// Invariants
//   1. current->plug is the outermost plug that was started and not finished; inner ones do
//   nothing.
//   2. A task that goes to sleep has an empty plug: schedule() flushes it first (SchedHooks).
#pragma once

#include "sim/kernel/sched.h"

namespace kpath {

struct blk_plug {
  bool started = false;  // by blk_start_plug; an inner plug stays as it was made
};

// v4.19 block/blk-core.c: blk_start_plug. Does nothing inside another plug.
void blk_start_plug(blk_plug* plug);
// v4.19 block/blk-core.c: blk_finish_plug. Issues what was held back, if `plug` is the outermost.
void blk_finish_plug(blk_plug* plug);
// v4.19 block/blk-core.c: blk_flush_plug_list. `from_schedule`: the task is about to sleep, so the
// device is started from kblockd.
void blk_flush_plug_list(blk_plug* plug, bool from_schedule);

// Lets schedule() flush plugs. Called once a machine, by Boot.
void blk_init();

}  // namespace kpath
