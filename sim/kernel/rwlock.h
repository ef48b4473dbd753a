// SPDX-License-Identifier: Apache-2.0
//
// Spinning locks with readers and writers. v4.19 include/linux/rwlock.h, kernel/locking/spinlock.c
//
//   rwlock_t tasklist_lock{"tasklist_lock"};
//
//   read_lock(&tasklist_lock);        // others may read meanwhile, interrupts stay as they are
//   read_unlock(&tasklist_lock);
//   write_lock_irq(&tasklist_lock);   // nobody else; interrupts are known to be on
//   write_unlock_irq(&tasklist_lock);
//
// A CPU that does not get the lock lets the other CPUs step until it can have it.
//
// Departs: a reader does not wait behind a writer that waits (the kernel's queue is fair outside of
// interrupts); for lockdep.h a reader is like a writer.
//
// Context: any. Between lock and unlock nobody sleeps.
//
// Invariants
//   1. writer != nullptr implies readers == 0.
//   2. The preempt_count of who holds it is not zero.
#pragma once

#include "sim/kernel/lockdep_map.h"
#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 include/linux/rwlock_types.h: rwlock_t
struct rwlock_t {
  explicit rwlock_t(const char* name) { dep_map.key.name = name; }

  int readers = 0;
  task_struct* writer = nullptr;
  lockdep_map dep_map;
};

inline Value MakeValue(const rwlock_t* lock) { return Value::Text(lock->dep_map.key.name); }

void _raw_read_lock(rwlock_t* lock);
void _raw_read_unlock(rwlock_t* lock);
void _raw_write_lock_irq(rwlock_t* lock);
void _raw_write_unlock_irq(rwlock_t* lock);

inline void read_lock(rwlock_t* lock) { _raw_read_lock(lock); }
inline void read_unlock(rwlock_t* lock) { _raw_read_unlock(lock); }
inline void write_lock_irq(rwlock_t* lock) { _raw_write_lock_irq(lock); }
inline void write_unlock_irq(rwlock_t* lock) { _raw_write_unlock_irq(lock); }

}  // namespace kpath
