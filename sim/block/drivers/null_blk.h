// SPDX-License-Identifier: Apache-2.0
//
// A disk that does nothing, in one of three ways. v4.19 drivers/block/null_blk_main.c
//
//   gendisk* disk = null_add_dev({.submit_queues = 2, .hw_queue_depth = 64, .irqmode =
//   NULL_IRQ_TIMER});
//
// Context: null_add_dev: process, or while the machine is set up.
#pragma once

#include <cstdint>
#include <string>

#include "sim/block/genhd.h"

namespace kpath {

// How a request ends.
enum null_irqmode {
  NULL_IRQ_NONE = 0,     // at once, in queue_rq
  NULL_IRQ_SOFTIRQ = 1,  // by blk_mq_complete_request
  NULL_IRQ_TIMER = 2,    // after completion_nsec, in a timer's interrupt
};

// Departs: of queue_mode only 2 (multi-queue) is modelled; nothing is throttled, zoned, or has bad
// blocks.
struct nullb_device {
  uint64_t size = uint64_t{250} << 30;  // bytes
  int64_t completion_nsec = 10'000;
  unsigned submit_queues = 1;
  unsigned hw_queue_depth = 64;
  unsigned blocksize = 512;
  int irqmode = NULL_IRQ_SOFTIRQ;
  bool memory_backed = false;  // it keeps what is written to it
  // Each so-many-th request is never completed, until its timeout ends it, without an error; 0:
  // none. The module's fault injection, timeout=INTERVAL,100,0,-1.
  unsigned timeout_interval = 0;
  std::string disk_name = "nullb0";
};

// v4.19 drivers/block/null_blk_main.c: null_add_dev. Null: no memory.
gendisk* null_add_dev(const nullb_device& dev);

}  // namespace kpath
