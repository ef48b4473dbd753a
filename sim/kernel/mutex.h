// SPDX-License-Identifier: Apache-2.0
//
// Mutexes: locks whose waiters sleep, first come first served.
// v4.19 include/linux/mutex.h, kernel/locking/mutex.c
//
//   struct mutex lock;          // a member; "struct mutex", so that it is not taken for a function
//   mutex_init(&t->lock);
//   mutex_lock(&t->lock);
//   mutex_unlock(&t->lock);     // by the task that locked it
//
// A task that comes while the mutex is being handed to a waiter may get it first (as in the
// kernel); a waiter that has lost it once is handed it.
//
// Departs: nobody spins while the owner runs on another CPU (CONFIG_MUTEX_SPIN_ON_OWNER).
//
// Context: mutex_trylock and mutex_unlock in process context, the others also need to be allowed to
// sleep (reported by might_sleep). Order and recursion are checked by lockdep.h.
//
// Invariants
//   1. owner is null or the task that is between lock and unlock.
//   2. Unlocking with waiters wakes the first one; a waiter leaves the list only as owner or
//   killed.
#pragma once

#include <cstdint>
#include <deque>

#include "sim/kernel/spinlock.h"

namespace kpath {

struct mutex_waiter {
  task_struct* task;
  bool woken_in_vain = false;  // it was woken, and somebody else was quicker
};

struct mutex {
  task_struct* owner = nullptr;
  task_struct* pickup = nullptr;  // the waiter it is handed to
  lockdep_map dep_map;
  spinlock_t wait_lock;
  std::deque<mutex_waiter*> wait_list;  // longest waiting first
};

inline Value MakeValue(const mutex* lock) {
  return Value::Text(lock->wait_lock.magic == SPINLOCK_MAGIC ? lock->dep_map.key.name
                                                             : "bad magic");
}

void __mutex_init(mutex* lock, const lock_class_key& key);
#define mutex_init(lock) \
  ::kpath::__mutex_init(lock, ::kpath::lock_class_key{#lock, __FILE__, __LINE__})

void mutex_lock(mutex* lock);
// Takes a mutex of a class of which one is held already; `subclass` is 1 … 7.
void mutex_lock_nested(mutex* lock, int subclass);
// Returns 0, or -EINTR if the task is being killed.
[[nodiscard]] int mutex_lock_killable(mutex* lock);
// Returns 0, or -EINTR if a signal is waiting.
[[nodiscard]] int mutex_lock_interruptible(mutex* lock);
// Returns 1, or 0 if somebody has it.
[[nodiscard]] int mutex_trylock(mutex* lock);
void mutex_unlock(mutex* lock);
inline bool mutex_is_locked(const mutex* lock) { return lock->owner != nullptr; }

}  // namespace kpath
