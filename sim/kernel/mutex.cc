// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/mutex.h"

#include <algorithm>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "sim/kernel/lockdep.h"
#include "sim/kernel/report.h"

namespace kpath {
namespace {

[[noreturn]] ABSL_ATTRIBUTE_NOINLINE void ReportMutex(const char* what) { Report(what); }

void CheckUsable(const mutex* lock) {
  if (lock->wait_lock.magic == SPINLOCK_MAGIC) [[likely]]
    return;
  ReportMutex("BUG: mutex is not initialised, or its memory was freed");
}

// What every form of mutex_lock begins with.
void Prepare(mutex* lock, int subclass = 0) {
  might_sleep();
  CheckUsable(lock);
  lock_acquire(&lock->dep_map, subclass, /*trylock=*/false, /*read=*/false);
}

// v4.19 kernel/locking/mutex.c: __mutex_trylock_or_owner
bool __mutex_trylock(mutex* lock) {
  if (lock->owner != nullptr) return false;
  if (lock->pickup != nullptr && lock->pickup != current) return false;
  lock->owner = current;
  lock->pickup = nullptr;
  return true;
}

// Sleeps until the task that unlocks wakes this one. wait_lock is held on entry and on return.
void SleepOnce(mutex* lock) {
  current->blocked_on = lock->dep_map.key.name;
  current->blocked_by = lock->owner;
  spin_unlock(&lock->wait_lock);
  schedule_preempt_disabled();
  current->blocked_on = nullptr;
  current->blocked_by = nullptr;
  spin_lock(&lock->wait_lock);
}

// v4.19 kernel/locking/mutex.c: __mutex_lock_common
int __mutex_lock(mutex* lock, unsigned state) {
  FUNCTION(lock);
  preempt_disable();
  spin_lock(&lock->wait_lock);
  mutex_waiter waiter = {current};
  lock->wait_list.push_back(&waiter);
  int ret = 0;
  while (true) {
    set_current_state(state);
    if (__mutex_trylock(lock)) break;
    if (signal_pending_state(state, current)) {
      ret = Fail(EINTR, "a signal came while waiting for $0", lock);
      break;
    }
    STEP("sleep", lock);
    SleepOnce(lock);
    waiter.woken_in_vain = lock->owner != nullptr;
  }
  __set_current_state(TASK_RUNNING);
  std::erase(lock->wait_list, &waiter);
  spin_unlock(&lock->wait_lock);
  preempt_enable();
  return fn.Return(ret);
}

// v4.19 kernel/locking/mutex.c: __mutex_lock_slowpath, __mutex_lock_killable_slowpath …
int Lock(mutex* lock, unsigned state) {
  if (__mutex_trylock(lock)) return 0;
  const int ret = __mutex_lock(lock, state);
  if (ret != 0) lock_release(&lock->dep_map);
  return ret;
}

// v4.19 kernel/locking/mutex.c: __mutex_unlock_slowpath
void __mutex_unlock_slowpath(mutex* lock) {
  FUNCTION(lock);
  spin_lock(&lock->wait_lock);
  task_struct* next = nullptr;
  if (!lock->wait_list.empty()) {
    const mutex_waiter* first = lock->wait_list.front();
    next = first->task;
    if (first->woken_in_vain) lock->pickup = next;  // __mutex_handoff
  }
  lock->owner = nullptr;
  spin_unlock(&lock->wait_lock);
  if (next != nullptr) wake_up_process(next);
}

}  // namespace

// v4.19 kernel/locking/mutex.c: __mutex_init
void __mutex_init(mutex* lock, const lock_class_key& key) {
  FUNCTION(key.name);
  lock->owner = nullptr;
  lock->wait_list.clear();
  lock->pickup = nullptr;
  spin_lock_init(&lock->wait_lock);
  lock->dep_map = {key};
}

// v4.19 kernel/locking/mutex.c: mutex_lock
void mutex_lock(mutex* lock) {
  FUNCTION(lock);
  Prepare(lock);
  Lock(lock, TASK_UNINTERRUPTIBLE);
}

// v4.19 kernel/locking/mutex.c: mutex_lock_nested
void mutex_lock_nested(mutex* lock, int subclass) {
  FUNCTION(lock, subclass);
  Prepare(lock, subclass);
  Lock(lock, TASK_UNINTERRUPTIBLE);
}

// v4.19 kernel/locking/mutex.c: mutex_lock_killable
int mutex_lock_killable(mutex* lock) {
  FUNCTION(lock);
  Prepare(lock);
  return fn.Return(Lock(lock, TASK_KILLABLE));
}

// v4.19 kernel/locking/mutex.c: mutex_lock_interruptible
int mutex_lock_interruptible(mutex* lock) {
  FUNCTION(lock);
  Prepare(lock);
  return fn.Return(Lock(lock, TASK_INTERRUPTIBLE));
}

// v4.19 kernel/locking/mutex.c: mutex_trylock
int mutex_trylock(mutex* lock) {
  FUNCTION(lock);
  if (in_interrupt()) ReportMutex("WARNING: mutex_trylock in interrupt context");
  CheckUsable(lock);
  if (!__mutex_trylock(lock)) return fn.Return(0);
  lock_acquire(&lock->dep_map, 0, /*trylock=*/true, /*read=*/false);
  return fn.Return(1);
}

// v4.19 kernel/locking/mutex.c: mutex_unlock
void mutex_unlock(mutex* lock) {
  FUNCTION(lock);
  if (in_interrupt()) ReportMutex("WARNING: mutex_unlock in interrupt context");
  CheckUsable(lock);
  lock_release(&lock->dep_map);
  if (lock->wait_list.empty()) {
    lock->owner = nullptr;
    return;
  }
  __mutex_unlock_slowpath(lock);
}

}  // namespace kpath
