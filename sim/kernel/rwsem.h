// SPDX-License-Identifier: Apache-2.0
//
// Read-write semaphores: any number of readers or one writer; those who wait sleep, in order.
// v4.19 include/linux/rwsem.h, kernel/locking/rwsem.c, rwsem-xadd.c
//
//   rw_semaphore mmap_sem;
//   init_rwsem(&mm->mmap_sem);
//   down_read(&mm->mmap_sem);
//   up_read(&mm->mmap_sem);
//
// A reader that comes while a writer waits waits behind it. When a writer leaves, all readers at
// the head of the queue get in together, or the writer there is woken to try.
//
// Departs: nobody spins while the owner runs on another CPU (CONFIG_RWSEM_SPIN_ON_OWNER); the state
// is not packed into one counter.
//
// Context: process context; the trylocks and the releases may also be called where sleeping is not
// allowed. Order and recursion are checked by lockdep.h: a task that reads twice is reported, as a
// writer between the two would block it for ever.
//
// Invariants
//   1. writer != nullptr implies readers == 0.
//   2. Readers that wait are let in by who wakes them; a writer that waits lets itself in.
#pragma once

#include <deque>

#include "sim/kernel/spinlock.h"

namespace kpath {

struct rwsem_waiter {
  task_struct* task;  // null: it was let in
  bool writer;
};

struct rw_semaphore {
  int readers = 0;
  task_struct* writer = nullptr;
  spinlock_t wait_lock;
  std::deque<rwsem_waiter*> wait_list;  // longest waiting first
  lockdep_map dep_map;
};

inline Value MakeValue(const rw_semaphore* sem) {
  return Value::Text(sem->wait_lock.magic == SPINLOCK_MAGIC ? sem->dep_map.key.name : "bad magic");
}

void __init_rwsem(rw_semaphore* sem, const lock_class_key& key);
#define init_rwsem(sem) \
  ::kpath::__init_rwsem(sem, ::kpath::lock_class_key{#sem, __FILE__, __LINE__})

void down_read(rw_semaphore* sem);
// Returns 1, or 0 if a writer has it or waits for it.
[[nodiscard]] int down_read_trylock(rw_semaphore* sem);
void up_read(rw_semaphore* sem);
void down_write(rw_semaphore* sem);
// Returns 0, or -EINTR if the task is being killed.
[[nodiscard]] int down_write_killable(rw_semaphore* sem);
[[nodiscard]] int down_write_trylock(rw_semaphore* sem);
void up_write(rw_semaphore* sem);
// The writer becomes a reader; readers that wait at the head of the queue get in.
void downgrade_write(rw_semaphore* sem);
inline bool rwsem_is_locked(const rw_semaphore* sem) {
  return sem->writer != nullptr || sem->readers != 0;
}

}  // namespace kpath
