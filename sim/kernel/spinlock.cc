// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/spinlock.h"

#include <array>
#include <utility>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "sim/kernel/lockdep.h"
#include "sim/kernel/report.h"
#include "sim/kernel/softirq.h"

namespace kpath {
namespace {

struct spinlock_globals {
  // By CPU: the lock it waits for; null: none.
  std::array<const spinlock_t*, Machine::kMaxCpus> waits_for = {};
};

KernelGlobal<spinlock_globals> spinlocks;

// v4.19 kernel/locking/spinlock_debug.c: spin_bug, spin_dump
[[noreturn]] void spin_bug(const spinlock_t* lock, const char* what) {
  const bool valid = lock->magic == SPINLOCK_MAGIC;
  const task_struct* owner = valid ? lock->owner : nullptr;
  Report(absl::StrCat("BUG: spinlock ", what, " on CPU#", smp_processor_id(), ", ", current->comm,
                      "/", current->pid),
         {absl::StrCat(" lock: ", valid ? lock->dep_map.key.name : "?",
                       ", .magic: ", absl::Hex(lock->magic, absl::kZeroPad8),
                       ", .owner: ", owner == nullptr ? "<none>" : owner->comm, "/",
                       owner == nullptr ? -1 : owner->pid,
                       ", .owner_cpu: ", valid ? lock->owner_cpu : -1)});
}

// v4.19 kernel/locking/spinlock_debug.c: debug_spin_lock_before
void debug_spin_lock_before(const spinlock_t* lock) {
  if (lock->magic != SPINLOCK_MAGIC) spin_bug(lock, "bad magic");
  if (lock->owner == current) spin_bug(lock, "recursion");
}

// v4.19 kernel/locking/spinlock_debug.c: debug_spin_unlock
void debug_spin_unlock(const spinlock_t* lock) {
  if (lock->magic != SPINLOCK_MAGIC) spin_bug(lock, "bad magic");
  if (!lock->locked) spin_bug(lock, "already unlocked");
  if (lock->owner != current) spin_bug(lock, "wrong owner");
  if (lock->owner_cpu != smp_processor_id()) spin_bug(lock, "wrong CPU");
}

// Follows who waits for whom from the holder on: true if that leads back to this CPU, or to a
// holder that no CPU executes.
bool NobodyCanRelease(const spinlock_t* lock) {
  Machine& machine = *current->machine;
  while (lock != nullptr && lock->locked) {
    if (lock->owner_cpu == smp_processor_id()) return true;
    if (machine.cpu(lock->owner_cpu).running() != lock->owner) return true;
    lock = spinlocks->waits_for[lock->owner_cpu];
  }
  return false;
}

ABSL_ATTRIBUTE_NOINLINE void SpinUntilFree(const spinlock_t* lock) {
  const spinlock_t*& waits_for = spinlocks->waits_for[smp_processor_id()];
  // Not null if this is an interrupt that came while the CPU was waiting.
  const spinlock_t* interrupted = std::exchange(waits_for, lock);
  STEP("spin", lock);
  while (lock->locked) {
    if (NobodyCanRelease(lock) || !current->machine->Relax()) spin_bug(lock, "lockup suspected");
  }
  waits_for = interrupted;
}

// v4.19 include/linux/spinlock_api_smp.h: __raw_spin_lock, after preempt_disable
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void Acquire(spinlock_t* lock, int subclass = 0) {
  debug_spin_lock_before(lock);
  lock_acquire(&lock->dep_map, subclass, /*trylock=*/false, /*read=*/false);
  if (lock->locked) SpinUntilFree(lock);
  lock->locked = true;
  lock->owner = current;
  lock->owner_cpu = smp_processor_id();
}

// v4.19 include/linux/spinlock_api_smp.h: __raw_spin_unlock, before preempt_enable
ABSL_ATTRIBUTE_ALWAYS_INLINE inline void Release(spinlock_t* lock) {
  debug_spin_unlock(lock);
  lock_release(&lock->dep_map);
  lock->owner = nullptr;
  lock->owner_cpu = -1;
  lock->locked = false;
}

}  // namespace

void __raw_spin_lock_init(spinlock_t* lock, const lock_class_key& key) {
  *lock = spinlock_t(key.name);
  lock->dep_map.key = key;
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_lock
void _raw_spin_lock(spinlock_t* lock) {
  FUNCTION(lock);
  preempt_disable();
  Acquire(lock);
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_lock_nested
void _raw_spin_lock_nested(spinlock_t* lock, int subclass) {
  FUNCTION(lock, subclass);
  preempt_disable();
  Acquire(lock, subclass);
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_lock_irq
void _raw_spin_lock_irq(spinlock_t* lock) {
  FUNCTION(lock);
  local_irq_disable();
  preempt_disable();
  Acquire(lock);
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_lock_bh
void _raw_spin_lock_bh(spinlock_t* lock) {
  FUNCTION(lock);
  local_bh_disable();
  Acquire(lock);
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_lock_irqsave
unsigned long _raw_spin_lock_irqsave(spinlock_t* lock) {
  FUNCTION(lock);
  const unsigned long flags = local_irq_save();
  preempt_disable();
  Acquire(lock);
  return flags;
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_trylock
int _raw_spin_trylock(spinlock_t* lock) {
  FUNCTION(lock);
  if (lock->magic != SPINLOCK_MAGIC) spin_bug(lock, "bad magic");
  if (lock->locked) return fn.Return(0);
  preempt_disable();
  lock_acquire(&lock->dep_map, 0, /*trylock=*/true, /*read=*/false);
  lock->locked = true;
  lock->owner = current;
  lock->owner_cpu = smp_processor_id();
  return fn.Return(1);
}

int spin_trylock_irqsave(spinlock_t* lock, unsigned long& flags) {
  flags = local_irq_save();
  const int taken = _raw_spin_trylock(lock);
  if (taken == 0) local_irq_restore(flags);
  return taken;
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_unlock
void _raw_spin_unlock(spinlock_t* lock) {
  FUNCTION(lock);
  Release(lock);
  preempt_enable();
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_unlock_irq
void _raw_spin_unlock_irq(spinlock_t* lock) {
  FUNCTION(lock);
  Release(lock);
  local_irq_enable();
  lockdep_hardirqs_on();
  preempt_enable();
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_unlock_bh
void _raw_spin_unlock_bh(spinlock_t* lock) {
  FUNCTION(lock);
  Release(lock);
  local_bh_enable();
}

// v4.19 kernel/locking/spinlock.c: _raw_spin_unlock_irqrestore
void _raw_spin_unlock_irqrestore(spinlock_t* lock, unsigned long flags) {
  FUNCTION(lock);
  Release(lock);
  local_irq_restore(flags);
  if (flags != 0) lockdep_hardirqs_on();
  preempt_enable();
}

void lockdep_assert_held(const spinlock_t* lock) {
  if (lock->owner == current) return;
  Report(absl::StrCat("WARNING: lock ", lock->dep_map.key.name, " is not held"));
}

}  // namespace kpath
