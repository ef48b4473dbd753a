// SPDX-License-Identifier: Apache-2.0
//
// The lock validator: a light model of lockdep. v4.19 kernel/locking/lockdep.c
//
// It learns, per class of locks, which classes were taken while which were held, and in which
// contexts; what could deadlock in another order of events stops the machine, whether or not it
// does in this run:
//
//   WARNING: possible circular locking dependency detected   A then B here, B then A there
//   WARNING: possible recursive locking detected             A while A (or its like) is held
//   WARNING: inconsistent lock state                         taken in an interrupt and, elsewhere,
//                                                            with that interrupt allowed
//   WARNING: possible irq lock inversion dependency detected the same through other locks
//   WARNING: bad unlock balance detected!                    released by a task that has not taken
//   it
//
// spinlock.h, mutex.h and rwsem.h call it; nobody else has to.
//
// Departs: of lockdep's contexts only hard and soft interrupts; readers are like writers, as they
// are in v4.19 for rwsems; nothing is learned of trylocks but that they are held.
//
// Context: any.
//
// Invariants
//   1. task_struct::held_locks is what the task holds or waits for, in the order it was taken.
//   2. A dependency or a context that is known already costs one look-up; only new ones are
//   checked.
#pragma once

#include <string>

#include "sim/kernel/lockdep_map.h"
#include "sim/kernel/sched.h"

namespace kpath {

// Before a lock is waited for. `subclass` tells locks of one class apart that are nested on purpose
// (mutex_lock_nested); 0 .. 7.
void lock_acquire(lockdep_map* map, int subclass, bool trylock, bool read);
// When it is released, or when waiting for it was given up.
void lock_release(lockdep_map* map);
// A writer becomes a reader.
void lock_downgrade(lockdep_map* map);
// True if the current task holds it.
bool lock_is_held(const lockdep_map* map);

// Interrupts are allowed again: the locks that are still held are held with them allowed.
void MarkHeldLocks();
inline void lockdep_hardirqs_on() {
  if (!current->held_locks.empty()) MarkHeldLocks();
}

// v4.19 kernel/locking/lockdep.c: debug_check_no_locks_held. A task that ends holds none.
void debug_check_no_locks_held();
// v4.19 kernel/locking/lockdep.c: lockdep_sys_exit. Nor does one that returns to user mode.
[[noreturn]] void ReportLocksInUserMode();
inline void lockdep_sys_exit() {
  if (!current->held_locks.empty()) [[unlikely]]
    ReportLocksInUserMode();
}

// v4.19 kernel/locking/lockdep.c: prove_locking. False: nothing is learned or reported of the order
// of locks, and what can deadlock does. True from the start.
void SetProveLocking(bool on);

// The locks that a task holds or waits for, a line each, oldest first; empty if none.
std::string DescribeHeldLocks(const task_struct* task);

}  // namespace kpath
