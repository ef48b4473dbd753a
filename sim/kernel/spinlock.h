// SPDX-License-Identifier: Apache-2.0
//
// Spinlocks, with the checks of CONFIG_DEBUG_SPINLOCK.
// v4.19 include/linux/spinlock.h, kernel/locking/spinlock.c, spinlock_debug.c
//
//   struct thing {
//     spinlock_t lock;                        // not usable before spin_lock_init(&t->lock)
//     spinlock_t other{"thing.other"};        // usable at once: DEFINE_SPINLOCK
//   };
//
//   spin_lock(&t->lock);                      // never taken in an interrupt
//   spin_lock_irq(&t->lock);                  // interrupts are known to be on
//   unsigned long flags;
//   spin_lock_irqsave(&t->lock, flags);       // in any context
//   spin_unlock_irqrestore(&t->lock, flags);
//
// A CPU that finds the lock taken lets the other CPUs step until it is free.
//
// Context: any. Between lock and unlock nobody sleeps (reported by might_sleep and schedule).
//
// Stops the machine with a report
//   BUG: spinlock recursion     the task that holds it takes it
//   BUG: spinlock wrong owner   another task, or CPU, than the one that holds it releases it
//   BUG: spinlock already unlocked
//   BUG: spinlock lockup suspected   who could release it waits for the one that waits, or is gone
//   BUG: spinlock bad magic     not initialised, or its memory was freed
//   and what lockdep.h says of order and contexts
//
// Invariants
//   1. locked is true exactly while owner and owner_cpu tell who holds it.
//   2. The holder's preempt_count is not zero.
#pragma once

#include <cstdint>

#include "sim/kernel/lockdep_map.h"
#include "sim/kernel/sched.h"

namespace kpath {

inline constexpr uint32_t SPINLOCK_MAGIC = 0xdead4ead;

// v4.19 include/linux/spinlock_types.h: struct spinlock, struct raw_spinlock
struct spinlock_t {
  spinlock_t() = default;
  // Of the class `name`, a literal.
  explicit spinlock_t(const char* name) : magic(SPINLOCK_MAGIC) { dep_map.key.name = name; }

  uint32_t magic = 0;
  bool locked = false;
  int owner_cpu = -1;
  task_struct* owner = nullptr;
  lockdep_map dep_map;
};

inline Value MakeValue(const spinlock_t* lock) {
  return Value::Text(lock->magic == SPINLOCK_MAGIC ? lock->dep_map.key.name : "bad magic");
}

// v4.19 kernel/locking/spinlock_debug.c: __raw_spin_lock_init
void __raw_spin_lock_init(spinlock_t* lock, const lock_class_key& key);
#define spin_lock_init(lock) \
  ::kpath::__raw_spin_lock_init(lock, ::kpath::lock_class_key{#lock, __FILE__, __LINE__})

void _raw_spin_lock(spinlock_t* lock);
void _raw_spin_lock_nested(spinlock_t* lock, int subclass);
void _raw_spin_lock_irq(spinlock_t* lock);
void _raw_spin_lock_bh(spinlock_t* lock);
// Returns what _raw_spin_unlock_irqrestore needs.
unsigned long _raw_spin_lock_irqsave(spinlock_t* lock);
// Returns 1, or 0 if the lock is taken; preemption is off only if it returns 1.
int _raw_spin_trylock(spinlock_t* lock);
void _raw_spin_unlock(spinlock_t* lock);
void _raw_spin_unlock_irq(spinlock_t* lock);
void _raw_spin_unlock_bh(spinlock_t* lock);
void _raw_spin_unlock_irqrestore(spinlock_t* lock, unsigned long flags);

inline void spin_lock(spinlock_t* lock) { _raw_spin_lock(lock); }
// Takes a lock of a class of which one is held already; `subclass` is 1 … 7.
inline void spin_lock_nested(spinlock_t* lock, int subclass) {
  _raw_spin_lock_nested(lock, subclass);
}
inline void spin_lock_irq(spinlock_t* lock) { _raw_spin_lock_irq(lock); }
inline void spin_lock_bh(spinlock_t* lock) { _raw_spin_lock_bh(lock); }
inline void spin_lock_irqsave(spinlock_t* lock, unsigned long& flags) {
  flags = _raw_spin_lock_irqsave(lock);
}
inline int spin_trylock(spinlock_t* lock) { return _raw_spin_trylock(lock); }
// v4.19 include/linux/spinlock.h: spin_trylock_irqsave. Interrupts are off only if it returns 1.
int spin_trylock_irqsave(spinlock_t* lock, unsigned long& flags);
inline void spin_unlock(spinlock_t* lock) { _raw_spin_unlock(lock); }
inline void spin_unlock_irq(spinlock_t* lock) { _raw_spin_unlock_irq(lock); }
inline void spin_unlock_bh(spinlock_t* lock) { _raw_spin_unlock_bh(lock); }
inline void spin_unlock_irqrestore(spinlock_t* lock, unsigned long flags) {
  _raw_spin_unlock_irqrestore(lock, flags);
}
inline bool spin_is_locked(const spinlock_t* lock) { return lock->locked; }
// v4.19 include/linux/lockdep.h: lockdep_assert_held. Reports if the current task does not hold it.
void lockdep_assert_held(const spinlock_t* lock);

}  // namespace kpath
