// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/rwlock.h"

#include "absl/strings/str_cat.h"
#include "sim/kernel/lockdep.h"
#include "sim/kernel/report.h"

namespace kpath {
namespace {

// v4.19 kernel/locking/spinlock_debug.c: rwlock_bug
[[noreturn]] void rwlock_bug(const rwlock_t* lock, const char* what) {
  Report(absl::StrCat("BUG: rwlock ", what, " on CPU#", smp_processor_id(), ", ", current->comm,
                      "/", current->pid, ", ", lock->dep_map.key.name));
}

template <typename Condition>
void SpinUntil(const rwlock_t* lock, Condition condition) {
  STEP("spin", lock);
  while (!condition()) {
    if (!current->machine->Relax()) rwlock_bug(lock, "lockup suspected");
  }
}

}  // namespace

// v4.19 kernel/locking/spinlock.c: _raw_read_lock
void _raw_read_lock(rwlock_t* lock) {
  FUNCTION(lock);
  preempt_disable();
  if (lock->writer == current) rwlock_bug(lock, "recursion");
  lock_acquire(&lock->dep_map, 0, /*trylock=*/false, /*read=*/true);
  if (lock->writer != nullptr) SpinUntil(lock, [lock] { return lock->writer == nullptr; });
  ++lock->readers;
}

// v4.19 kernel/locking/spinlock.c: _raw_read_unlock
void _raw_read_unlock(rwlock_t* lock) {
  FUNCTION(lock);
  if (lock->readers == 0) rwlock_bug(lock, "already unlocked");
  lock_release(&lock->dep_map);
  --lock->readers;
  preempt_enable();
}

// v4.19 kernel/locking/spinlock.c: _raw_write_lock_irq
void _raw_write_lock_irq(rwlock_t* lock) {
  FUNCTION(lock);
  local_irq_disable();
  preempt_disable();
  if (lock->writer == current) rwlock_bug(lock, "recursion");
  lock_acquire(&lock->dep_map, 0, /*trylock=*/false, /*read=*/false);
  const auto free = [lock] { return lock->writer == nullptr && lock->readers == 0; };
  if (!free()) SpinUntil(lock, free);
  lock->writer = current;
}

// v4.19 kernel/locking/spinlock.c: _raw_write_unlock_irq
void _raw_write_unlock_irq(rwlock_t* lock) {
  FUNCTION(lock);
  if (lock->writer != current) rwlock_bug(lock, "wrong owner");
  lock_release(&lock->dep_map);
  lock->writer = nullptr;
  local_irq_enable();
  lockdep_hardirqs_on();
  preempt_enable();
}

}  // namespace kpath
