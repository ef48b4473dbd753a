// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/rwsem.h"

#include <algorithm>
#include <vector>

#include "sim/kernel/lockdep.h"
#include "sim/kernel/report.h"

namespace kpath {
namespace {

enum class WakeType { kAny, kReaders };  // RWSEM_WAKE_ANY, RWSEM_WAKE_READ_OWNED

void CheckUsable(const rw_semaphore* sem) {
  if (sem->wait_lock.magic == SPINLOCK_MAGIC) return;
  Report("BUG: rwsem is not initialised, or its memory was freed");
}

// v4.19 kernel/locking/rwsem-xadd.c: __rwsem_mark_wake. Lets the readers at the head of the queue
// in; returns who is to be woken. REQUIRES: wait_lock, no writer inside.
std::vector<task_struct*> __rwsem_mark_wake(rw_semaphore* sem, WakeType type) {
  std::vector<task_struct*> wake;
  if (sem->wait_list.empty()) return wake;
  if (sem->wait_list.front()->writer) {
    if (type == WakeType::kAny) wake.push_back(sem->wait_list.front()->task);
    return wake;
  }
  while (!sem->wait_list.empty() && !sem->wait_list.front()->writer) {
    rwsem_waiter* reader = sem->wait_list.front();
    sem->wait_list.pop_front();
    ++sem->readers;
    wake.push_back(reader->task);
    reader->task = nullptr;
  }
  return wake;
}

// Whoever can go on as things are. REQUIRES: wait_lock.
std::vector<task_struct*> MarkWhoCanGoOn(rw_semaphore* sem) {
  if (sem->writer != nullptr) return {};
  return __rwsem_mark_wake(sem, sem->readers == 0 ? WakeType::kAny : WakeType::kReaders);
}

void wake_up_all_of(const std::vector<task_struct*>& tasks) {
  for (task_struct* task : tasks) wake_up_process(task);
}

// v4.19 kernel/locking/rwsem-xadd.c: rwsem_wake
void rwsem_wake(rw_semaphore* sem) {
  FUNCTION(sem);
  const unsigned long flags = _raw_spin_lock_irqsave(&sem->wait_lock);
  const std::vector<task_struct*> wake = MarkWhoCanGoOn(sem);
  spin_unlock_irqrestore(&sem->wait_lock, flags);
  wake_up_all_of(wake);
}

bool TryRead(rw_semaphore* sem) {
  if (sem->writer != nullptr || !sem->wait_list.empty()) return false;
  ++sem->readers;
  return true;
}

bool TryWrite(rw_semaphore* sem) {
  if (rwsem_is_locked(sem)) return false;
  sem->writer = current;
  return true;
}

void Sleep(rw_semaphore* sem) {
  current->blocked_on = sem->dep_map.key.name;
  current->blocked_by = sem->writer;
  schedule();
  current->blocked_on = nullptr;
  current->blocked_by = nullptr;
}

// v4.19 kernel/locking/rwsem-xadd.c: rwsem_down_read_failed
void rwsem_down_read_failed(rw_semaphore* sem) {
  FUNCTION(sem);
  rwsem_waiter waiter = {current, /*writer=*/false};
  spin_lock_irq(&sem->wait_lock);
  sem->wait_list.push_back(&waiter);
  // The last owner may have left since, without seeing anybody wait.
  const std::vector<task_struct*> wake = MarkWhoCanGoOn(sem);
  spin_unlock_irq(&sem->wait_lock);
  wake_up_all_of(wake);
  while (true) {
    set_current_state(TASK_UNINTERRUPTIBLE);
    if (waiter.task == nullptr) break;
    STEP("sleep", sem);
    Sleep(sem);
  }
  __set_current_state(TASK_RUNNING);
}

// The writer gives up: those behind it must not wait for it.
int GiveUp(rw_semaphore* sem, rwsem_waiter* waiter) {
  __set_current_state(TASK_RUNNING);
  spin_lock_irq(&sem->wait_lock);
  std::erase(sem->wait_list, waiter);
  const std::vector<task_struct*> wake = MarkWhoCanGoOn(sem);
  spin_unlock_irq(&sem->wait_lock);
  wake_up_all_of(wake);
  return Fail(EINTR, "killed while waiting for $0", sem);
}

// v4.19 kernel/locking/rwsem-xadd.c: __rwsem_down_write_failed_common
int rwsem_down_write_failed(rw_semaphore* sem, unsigned state) {
  FUNCTION(sem);
  rwsem_waiter waiter = {current, /*writer=*/true};
  spin_lock_irq(&sem->wait_lock);
  sem->wait_list.push_back(&waiter);
  set_current_state(state);
  while (!TryWrite(sem)) {
    spin_unlock_irq(&sem->wait_lock);
    if (signal_pending_state(state, current)) return fn.Return(GiveUp(sem, &waiter));
    STEP("sleep", sem);
    Sleep(sem);
    set_current_state(state);
    spin_lock_irq(&sem->wait_lock);
  }
  __set_current_state(TASK_RUNNING);
  std::erase(sem->wait_list, &waiter);
  spin_unlock_irq(&sem->wait_lock);
  return fn.Return(0);
}

int DownWrite(rw_semaphore* sem, unsigned state) {
  might_sleep();
  CheckUsable(sem);
  lock_acquire(&sem->dep_map, 0, /*trylock=*/false, /*read=*/false);
  if (sem->wait_list.empty() && TryWrite(sem)) return 0;
  const int ret = rwsem_down_write_failed(sem, state);
  if (ret != 0) lock_release(&sem->dep_map);
  return ret;
}

}  // namespace

// v4.19 kernel/locking/rwsem-xadd.c: __init_rwsem
void __init_rwsem(rw_semaphore* sem, const lock_class_key& key) {
  FUNCTION(key.name);
  sem->readers = 0;
  sem->writer = nullptr;
  sem->wait_list.clear();
  spin_lock_init(&sem->wait_lock);
  sem->dep_map = {key};
}

// v4.19 kernel/locking/rwsem.c: down_read
void down_read(rw_semaphore* sem) {
  FUNCTION(sem);
  might_sleep();
  CheckUsable(sem);
  lock_acquire(&sem->dep_map, 0, /*trylock=*/false, /*read=*/true);
  if (!TryRead(sem)) rwsem_down_read_failed(sem);
}

// v4.19 kernel/locking/rwsem.c: down_read_trylock
int down_read_trylock(rw_semaphore* sem) {
  FUNCTION(sem);
  CheckUsable(sem);
  if (!TryRead(sem)) return fn.Return(0);
  lock_acquire(&sem->dep_map, 0, /*trylock=*/true, /*read=*/true);
  return fn.Return(1);
}

// v4.19 kernel/locking/rwsem.c: up_read
void up_read(rw_semaphore* sem) {
  FUNCTION(sem);
  CheckUsable(sem);
  lock_release(&sem->dep_map);
  if (--sem->readers == 0 && !sem->wait_list.empty()) rwsem_wake(sem);
}

// v4.19 kernel/locking/rwsem.c: down_write
void down_write(rw_semaphore* sem) {
  FUNCTION(sem);
  DownWrite(sem, TASK_UNINTERRUPTIBLE);
}

// v4.19 kernel/locking/rwsem.c: down_write_killable
int down_write_killable(rw_semaphore* sem) {
  FUNCTION(sem);
  return fn.Return(DownWrite(sem, TASK_KILLABLE));
}

// v4.19 kernel/locking/rwsem.c: down_write_trylock
int down_write_trylock(rw_semaphore* sem) {
  FUNCTION(sem);
  CheckUsable(sem);
  if (!sem->wait_list.empty() || !TryWrite(sem)) return fn.Return(0);
  lock_acquire(&sem->dep_map, 0, /*trylock=*/true, /*read=*/false);
  return fn.Return(1);
}

// v4.19 kernel/locking/rwsem.c: up_write
void up_write(rw_semaphore* sem) {
  FUNCTION(sem);
  CheckUsable(sem);
  lock_release(&sem->dep_map);
  sem->writer = nullptr;
  if (!sem->wait_list.empty()) rwsem_wake(sem);
}

// v4.19 kernel/locking/rwsem.c: downgrade_write
void downgrade_write(rw_semaphore* sem) {
  FUNCTION(sem);
  CheckUsable(sem);
  lock_downgrade(&sem->dep_map);
  sem->writer = nullptr;
  sem->readers = 1;
  if (sem->wait_list.empty()) return;
  const unsigned long flags = _raw_spin_lock_irqsave(&sem->wait_lock);
  const std::vector<task_struct*> wake = __rwsem_mark_wake(sem, WakeType::kReaders);
  spin_unlock_irqrestore(&sem->wait_lock, flags);
  wake_up_all_of(wake);
}

}  // namespace kpath
