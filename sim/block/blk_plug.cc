// SPDX-License-Identifier: Apache-2.0
#include "sim/block/blk_plug.h"

#include "sim/block/blk_core.h"
#include "sim/block/blk_mq.h"

namespace kpath {

// v4.19 block/blk-core.c: blk_start_plug
void blk_start_plug(blk_plug* plug) {
  FUNCTION();
  if (current->plug != nullptr) {
    STEP("nested plug: nothing to do");
    return;
  }
  current->plug = plug;
}

// v4.19 block/blk-core.c: blk_flush_plug_list
// Departs: nothing can be held back yet: no file of the model reaches a block device. The list of
// requests comes with the block layer.
void blk_flush_plug_list(blk_plug* plug, bool from_schedule) {
  FUNCTION(list_empty(&plug->mq_list), from_schedule);
}

// v4.19 block/blk-core.c: blk_finish_plug
void blk_finish_plug(blk_plug* plug) {
  FUNCTION();
  if (plug != current->plug) return;
  blk_flush_plug_list(plug, false);
  current->plug = nullptr;
}

void blk_init() {
  sched_hooks->flush_plug = [](task_struct* task) { blk_flush_plug_list(task->plug, true); };
}

}  // namespace kpath
