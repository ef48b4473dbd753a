// SPDX-License-Identifier: Apache-2.0
//
// Plugs: a task that submits several requests holds them back in a list of its own until it has
// them all, so that neighbours can be merged and the device is started once. v4.19
// include/linux/blkdev.h: struct blk_plug, block/blk-core.c
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
//      nothing.
//   2. A task that goes to sleep has an empty plug: schedule() flushes it first (SchedHooks).
#pragma once

#include "sim/kernel/list.h"
#include "sim/kernel/sched.h"

namespace kpath {

// Departs: no list of requests of single-queue drivers and none of callbacks (md, cgroups): no such
// driver is modelled.
struct blk_plug {
  list_head mq_list;  // requests, oldest first
};

// More requests of one queue than this, or a last one of so many bytes, and the plug is flushed.
inline constexpr unsigned BLK_MAX_REQUEST_COUNT = 16;
inline constexpr unsigned BLK_PLUG_FLUSH_SIZE = 128 * 1024;

// v4.19 block/blk-core.c: blk_start_plug. Does nothing inside another plug.
void blk_start_plug(blk_plug* plug);
// v4.19 block/blk-core.c: blk_finish_plug. Issues what was held back, if `plug` is the outermost.
void blk_finish_plug(blk_plug* plug);
// v4.19 block/blk-core.c: blk_flush_plug_list. `from_schedule`: the task is about to sleep, so the
// device is started from kblockd.
void blk_flush_plug_list(blk_plug* plug, bool from_schedule);

// Makes the block layer usable, and lets schedule() flush plugs. Called once a machine, by Boot.
void blk_init();

}  // namespace kpath
