// SPDX-License-Identifier: Apache-2.0
//
// What the lock validator (lockdep.h) keeps in each lock and in each task.
// v4.19 include/linux/lockdep.h: struct lock_class_key, lockdep_map, held_lock
#pragma once

#include "sim/machine/position.h"

namespace kpath {

// Locks of one class are alike: what is learned of one holds for all. Locks that are initialised at
// one place of the code are of one class, and so are those that are given one name.
struct lock_class_key {
  const char* name;       // for reports: "&ctx->ring_lock"
  const char* file = "";  // where the class is initialised; "": the name alone tells
  int line = 0;
};

struct lockdep_map {
  lock_class_key key = {nullptr};
  int lock_class = -1;  // in this machine; found when the lock is first taken
};

// A lock that a task holds or waits for.
struct held_lock {
  lockdep_map* instance;
  int lock_class;
  int irq_context;          // 0: process, 1: softirq, 2 and more: hardirq
  bool read;                // shared with other readers
  bool trylock;             // taken without waiting, so it can close no circle
  const char* acquired_in;  // modelled function
  Position acquired_at;
};

}  // namespace kpath
