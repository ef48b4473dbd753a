// SPDX-License-Identifier: Apache-2.0
//
// Wait queues. v4.19 include/linux/wait.h, kernel/sched/wait.c
//
//   wait_queue_head_t wait;
//   init_waitqueue_head(&ctx->wait);
//
//   wait_event(&ctx->wait, [&] { return ctx->done; });          // sleeps until it is true
//   int ret = wait_event_interruptible(&ctx->wait, [&] { … });  // 0, or -ERESTARTSYS for a signal
//
//   ctx->done = true;                                           // first the condition,
//   wake_up(&ctx->wait);                                        // then the wake-up
//
// An entry is normally a task that sleeps (default_wake_function, autoremove_wake_function); its
// `func` may be anything else that is to be done when the queue is woken, under the queue's lock.
//
// Contexts: wake-ups in any; what prepares or ends a sleep in process context.
//
// Invariants
//   1. An entry is in at most one queue; `queue` tells which.
//   2. Exclusive entries stand behind all others.
//   3. A wake-up calls entries from the front until it has woken nr_exclusive exclusive ones.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/kernel/spinlock.h"

namespace kpath {

// v4.19 include/linux/wait.h
inline constexpr unsigned WQ_FLAG_EXCLUSIVE = 0x01;
inline constexpr unsigned WQ_FLAG_WOKEN = 0x02;
inline constexpr unsigned WQ_FLAG_BOOKMARK = 0x04;

struct wait_queue_entry;
struct wait_queue_head_t;

// Returns 1 if it woke somebody, 0 if not; negative: no further entry is to be called. It may take
// its own entry, and no other, off the queue, and may free it then.
using wait_queue_func_t = int (*)(wait_queue_entry* entry, unsigned mode, int flags, void* key);

int default_wake_function(wait_queue_entry* entry, unsigned mode, int flags, void* key);
int autoremove_wake_function(wait_queue_entry* entry, unsigned mode, int flags, void* key);

struct wait_queue_entry {
  static constexpr uint32_t kMagic = 0x77617165;

  uint32_t magic = kMagic;      // shows that the entry's memory has not been freed
  unsigned flags = 0;           // WQ_FLAG_*
  task_struct* task = nullptr;  // `private` of the kernel's struct, for the two functions above
  wait_queue_func_t func = default_wake_function;
  wait_queue_head_t* queue = nullptr;  // the one that it is in

  bool queued() const { return queue != nullptr; }
};

struct wait_queue_head_t {
  wait_queue_head_t() = default;
  // Usable at once: DECLARE_WAIT_QUEUE_HEAD. `name` is a literal.
  explicit wait_queue_head_t(const char* name) : lock(name) {}

  spinlock_t lock;
  std::vector<wait_queue_entry*> head;  // in the order in which they are called
};

inline Value MakeValue(const wait_queue_head_t* wq_head) { return MakeValue(&wq_head->lock); }

// The bits of epoll as a key, and back.
inline void* poll_to_key(uint32_t mask) { return reinterpret_cast<void*>(uintptr_t{mask}); }
inline uint32_t key_to_poll(const void* key) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(key));
}

// ---- Set-up ----
void __init_waitqueue_head(wait_queue_head_t* wq_head, const lock_class_key& key);
#define init_waitqueue_head(wq_head) \
  ::kpath::__init_waitqueue_head(wq_head, ::kpath::lock_class_key{#wq_head, __FILE__, __LINE__})
inline void init_waitqueue_entry(wait_queue_entry* entry, task_struct* task) {
  *entry = {.task = task};
}
inline void init_waitqueue_func_entry(wait_queue_entry* entry, wait_queue_func_t func) {
  *entry = {.func = func};
}
// The current task, to be taken off the queue when it is woken.
void init_wait_entry(wait_queue_entry* entry, unsigned flags);

// ---- The queue ----
void add_wait_queue(wait_queue_head_t* wq_head, wait_queue_entry* entry);
void add_wait_queue_exclusive(wait_queue_head_t* wq_head, wait_queue_entry* entry);
void remove_wait_queue(wait_queue_head_t* wq_head, wait_queue_entry* entry);
// The same for a caller that holds wq_head->lock.
void __add_wait_queue(wait_queue_head_t* wq_head, wait_queue_entry* entry);
void __add_wait_queue_entry_tail(wait_queue_head_t* wq_head, wait_queue_entry* entry);
void __add_wait_queue_entry_tail_exclusive(wait_queue_head_t* wq_head, wait_queue_entry* entry);
void __remove_wait_queue(wait_queue_head_t* wq_head, wait_queue_entry* entry);
// Without the lock: a waker uses it after it has made the condition true.
inline bool waitqueue_active(const wait_queue_head_t* wq_head) { return !wq_head->head.empty(); }

// ---- Sleeping, step by step ----
void prepare_to_wait(wait_queue_head_t* wq_head, wait_queue_entry* entry, unsigned state);
void prepare_to_wait_exclusive(wait_queue_head_t* wq_head, wait_queue_entry* entry, unsigned state);
// Returns 0; or -ERESTARTSYS, not queued, if a signal is waiting that `state` cares for.
long prepare_to_wait_event(wait_queue_head_t* wq_head, wait_queue_entry* entry, unsigned state);
void finish_wait(wait_queue_head_t* wq_head, wait_queue_entry* entry);

// ---- Waking ----
// nr_exclusive 0: all.
void __wake_up(wait_queue_head_t* wq_head, unsigned mode, int nr_exclusive, void* key);
void __wake_up_sync_key(wait_queue_head_t* wq_head, unsigned mode, int nr_exclusive, void* key);
// REQUIRES: wq_head->lock.
void __wake_up_locked(wait_queue_head_t* wq_head, unsigned mode, int nr_exclusive);
void __wake_up_locked_key(wait_queue_head_t* wq_head, unsigned mode, void* key);

inline void wake_up(wait_queue_head_t* q) { __wake_up(q, TASK_NORMAL, 1, nullptr); }
inline void wake_up_nr(wait_queue_head_t* q, int nr) { __wake_up(q, TASK_NORMAL, nr, nullptr); }
inline void wake_up_all(wait_queue_head_t* q) { __wake_up(q, TASK_NORMAL, 0, nullptr); }
inline void wake_up_interruptible(wait_queue_head_t* q) {
  __wake_up(q, TASK_INTERRUPTIBLE, 1, nullptr);
}
inline void wake_up_interruptible_all(wait_queue_head_t* q) {
  __wake_up(q, TASK_INTERRUPTIBLE, 0, nullptr);
}
inline void wake_up_interruptible_sync_poll(wait_queue_head_t* q, uint32_t mask) {
  __wake_up_sync_key(q, TASK_INTERRUPTIBLE, 1, poll_to_key(mask));
}
inline void wake_up_poll(wait_queue_head_t* q, uint32_t mask) {
  __wake_up(q, TASK_NORMAL, 1, poll_to_key(mask));
}
inline void wake_up_locked(wait_queue_head_t* q) { __wake_up_locked(q, TASK_NORMAL, 1); }
inline void wake_up_locked_poll(wait_queue_head_t* q, uint32_t mask) {
  __wake_up_locked_key(q, TASK_NORMAL, poll_to_key(mask));
}

// ---- Sleeping until a condition holds ----

// v4.19 include/linux/wait.h: ___wait_event. `sleep` gives the CPU away. Returns 0, or
// -ERESTARTSYS.
template <typename Condition, typename Sleep>
long ___wait_event(wait_queue_head_t* wq_head, Condition condition, unsigned state, bool exclusive,
                   Sleep sleep) {
  wait_queue_entry entry;
  init_wait_entry(&entry, exclusive ? WQ_FLAG_EXCLUSIVE : 0);
  while (true) {
    const long signal = prepare_to_wait_event(wq_head, &entry, state);
    if (condition()) break;
    // prepare_to_wait_event has taken the entry off the queue.
    if (signal != 0) return signal;
    if (!sleep()) break;
  }
  finish_wait(wq_head, &entry);
  return 0;
}

inline bool ScheduleAndGoOn() {
  schedule();
  return true;
}

// v4.19 include/linux/wait.h: wait_event
template <typename Condition>
void wait_event(wait_queue_head_t* wq_head, Condition condition) {
  might_sleep();
  if (condition()) return;
  ___wait_event(wq_head, condition, TASK_UNINTERRUPTIBLE, false, ScheduleAndGoOn);
}

// v4.19 include/linux/wait.h: wait_event_interruptible
template <typename Condition>
[[nodiscard]] int wait_event_interruptible(wait_queue_head_t* wq_head, Condition condition) {
  might_sleep();
  if (condition()) return 0;
  return static_cast<int>(
      ___wait_event(wq_head, condition, TASK_INTERRUPTIBLE, false, ScheduleAndGoOn));
}

// v4.19 include/linux/wait.h: wait_event_interruptible_exclusive
template <typename Condition>
[[nodiscard]] int wait_event_interruptible_exclusive(wait_queue_head_t* wq_head,
                                                     Condition condition) {
  might_sleep();
  if (condition()) return 0;
  return static_cast<int>(
      ___wait_event(wq_head, condition, TASK_INTERRUPTIBLE, true, ScheduleAndGoOn));
}

// v4.19 kernel/sched/wait.c: do_wait_intr_irq. One round of the wait below. 0 or -ERESTARTSYS.
int do_wait_intr_irq(wait_queue_head_t* wq_head, wait_queue_entry* entry);

// v4.19 include/linux/wait.h: wait_event_interruptible_locked_irq. For a condition that
// wq_head->lock guards: it is held, with interrupts off, by the caller, and whenever `condition` is
// looked at; it is let go while the task sleeps.
template <typename Condition>
[[nodiscard]] int wait_event_interruptible_locked_irq(wait_queue_head_t* wq_head,
                                                      Condition condition) {
  if (condition()) return 0;
  wait_queue_entry entry;
  init_wait_entry(&entry, 0);
  int ret;
  do {
    ret = do_wait_intr_irq(wq_head, &entry);
  } while (ret == 0 && !condition());
  if (entry.queued()) __remove_wait_queue(wq_head, &entry);
  __set_current_state(TASK_RUNNING);
  return ret;
}

// v4.19 include/linux/wait.h: wait_event_killable
template <typename Condition>
[[nodiscard]] int wait_event_killable(wait_queue_head_t* wq_head, Condition condition) {
  might_sleep();
  if (condition()) return 0;
  return static_cast<int>(___wait_event(wq_head, condition, TASK_KILLABLE, false, ScheduleAndGoOn));
}

}  // namespace kpath
