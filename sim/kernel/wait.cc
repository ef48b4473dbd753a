// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/wait.h"

#include <algorithm>

#include "sim/kernel/report.h"

namespace kpath {
namespace {

// v4.19 kernel/sched/wait.c: WAITQUEUE_WALK_BREAK_CNT. So many are called before the lock is let
// go.
constexpr int WAITQUEUE_WALK_BREAK_CNT = 64;

void CheckAlive(const wait_queue_entry* entry) {
  if (entry->magic == wait_queue_entry::kMagic) return;
  Report("BUG: KASAN: use-after-free in __wake_up_common",
         {"An entry was freed while it was in the queue"});
}

// v4.19 kernel/sched/wait.c: __wake_up_common. Returns how many more exclusive entries are to be
// woken. With a bookmark it stops after a number of entries and leaves the bookmark where to go on.
int __wake_up_common(wait_queue_head_t* wq_head, unsigned mode, int nr_exclusive, int wake_flags,
                     void* key, wait_queue_entry* bookmark) {
  FUNCTION(wq_head, nr_exclusive);
  auto& head = wq_head->head;
  size_t next = 0;
  if (bookmark != nullptr && bookmark->queued()) {
    next = std::find(head.begin(), head.end(), bookmark) - head.begin();
    __remove_wait_queue(wq_head, bookmark);
    bookmark->flags = 0;
  }
  for (int called = 0; next < head.size(); ++called) {
    wait_queue_entry* entry = head[next];
    if (bookmark != nullptr && called == WAITQUEUE_WALK_BREAK_CNT) {
      bookmark->flags = WQ_FLAG_BOOKMARK;
      bookmark->queue = wq_head;
      head.insert(head.begin() + static_cast<ptrdiff_t>(next), bookmark);
      break;
    }
    CheckAlive(entry);
    const unsigned flags = entry->flags;
    if ((flags & WQ_FLAG_BOOKMARK) != 0) {
      ++next;
      continue;
    }
    const int ret = entry->func(entry, mode, wake_flags, key);
    if (ret < 0) break;
    if (ret != 0 && (flags & WQ_FLAG_EXCLUSIVE) != 0 && --nr_exclusive == 0) break;
    // The entry may be gone: then the next one has moved to its place.
    if (next < head.size() && head[next] == entry) ++next;
  }
  return fn.Return(nr_exclusive);
}

// v4.19 kernel/sched/wait.c: __wake_up_common_lock
void __wake_up_common_lock(wait_queue_head_t* wq_head, unsigned mode, int nr_exclusive,
                           int wake_flags, void* key) {
  FUNCTION(wq_head, nr_exclusive);
  wait_queue_entry bookmark;
  do {
    unsigned long flags;
    spin_lock_irqsave(&wq_head->lock, flags);
    nr_exclusive = __wake_up_common(wq_head, mode, nr_exclusive, wake_flags, key, &bookmark);
    spin_unlock_irqrestore(&wq_head->lock, flags);
  } while ((bookmark.flags & WQ_FLAG_BOOKMARK) != 0);
}

}  // namespace

// ---- Set-up ----

// v4.19 kernel/sched/wait.c: __init_waitqueue_head
void __init_waitqueue_head(wait_queue_head_t* wq_head, const lock_class_key& key) {
  FUNCTION(key.name);
  __raw_spin_lock_init(&wq_head->lock, key);
  wq_head->head.clear();
}

// v4.19 kernel/sched/wait.c: init_wait_entry
void init_wait_entry(wait_queue_entry* entry, unsigned flags) {
  FUNCTION(flags);
  *entry = {.flags = flags, .task = current, .func = autoremove_wake_function};
}

// ---- The queue ----

void __add_wait_queue(wait_queue_head_t* wq_head, wait_queue_entry* entry) {
  entry->queue = wq_head;
  wq_head->head.insert(wq_head->head.begin(), entry);
}

void __add_wait_queue_entry_tail(wait_queue_head_t* wq_head, wait_queue_entry* entry) {
  entry->queue = wq_head;
  wq_head->head.push_back(entry);
}

void __add_wait_queue_entry_tail_exclusive(wait_queue_head_t* wq_head, wait_queue_entry* entry) {
  entry->flags |= WQ_FLAG_EXCLUSIVE;
  __add_wait_queue_entry_tail(wq_head, entry);
}

void __remove_wait_queue(wait_queue_head_t* wq_head, wait_queue_entry* entry) {
  entry->queue = nullptr;
  std::erase(wq_head->head, entry);
}

// v4.19 kernel/sched/wait.c: add_wait_queue
void add_wait_queue(wait_queue_head_t* wq_head, wait_queue_entry* entry) {
  FUNCTION(wq_head);
  entry->flags &= ~WQ_FLAG_EXCLUSIVE;
  unsigned long flags;
  spin_lock_irqsave(&wq_head->lock, flags);
  __add_wait_queue(wq_head, entry);
  spin_unlock_irqrestore(&wq_head->lock, flags);
}

// v4.19 kernel/sched/wait.c: add_wait_queue_exclusive
void add_wait_queue_exclusive(wait_queue_head_t* wq_head, wait_queue_entry* entry) {
  FUNCTION(wq_head);
  unsigned long flags;
  spin_lock_irqsave(&wq_head->lock, flags);
  __add_wait_queue_entry_tail_exclusive(wq_head, entry);
  spin_unlock_irqrestore(&wq_head->lock, flags);
}

// v4.19 kernel/sched/wait.c: remove_wait_queue
void remove_wait_queue(wait_queue_head_t* wq_head, wait_queue_entry* entry) {
  FUNCTION(wq_head);
  unsigned long flags;
  spin_lock_irqsave(&wq_head->lock, flags);
  __remove_wait_queue(wq_head, entry);
  spin_unlock_irqrestore(&wq_head->lock, flags);
}

// ---- Sleeping, step by step ----

// v4.19 kernel/sched/wait.c: prepare_to_wait
void prepare_to_wait(wait_queue_head_t* wq_head, wait_queue_entry* entry, unsigned state) {
  FUNCTION(wq_head);
  entry->flags &= ~WQ_FLAG_EXCLUSIVE;
  unsigned long flags;
  spin_lock_irqsave(&wq_head->lock, flags);
  if (!entry->queued()) __add_wait_queue(wq_head, entry);
  set_current_state(state);
  spin_unlock_irqrestore(&wq_head->lock, flags);
}

// v4.19 kernel/sched/wait.c: prepare_to_wait_exclusive
void prepare_to_wait_exclusive(wait_queue_head_t* wq_head, wait_queue_entry* entry,
                               unsigned state) {
  FUNCTION(wq_head);
  entry->flags |= WQ_FLAG_EXCLUSIVE;
  unsigned long flags;
  spin_lock_irqsave(&wq_head->lock, flags);
  if (!entry->queued()) __add_wait_queue_entry_tail(wq_head, entry);
  set_current_state(state);
  spin_unlock_irqrestore(&wq_head->lock, flags);
}

// v4.19 kernel/sched/wait.c: prepare_to_wait_event
long prepare_to_wait_event(wait_queue_head_t* wq_head, wait_queue_entry* entry, unsigned state) {
  FUNCTION(wq_head);
  long ret = 0;
  unsigned long flags;
  spin_lock_irqsave(&wq_head->lock, flags);
  if (signal_pending_state(state, current)) {
    // A waker that picked this entry has still found it; another one must not count on it.
    __remove_wait_queue(wq_head, entry);
    ret = Fail(ERESTARTSYS, "a signal came while waiting");
  } else {
    if (!entry->queued()) {
      if ((entry->flags & WQ_FLAG_EXCLUSIVE) != 0) {
        __add_wait_queue_entry_tail(wq_head, entry);
      } else {
        __add_wait_queue(wq_head, entry);
      }
    }
    set_current_state(state);
  }
  spin_unlock_irqrestore(&wq_head->lock, flags);
  return fn.Return(ret);
}

// v4.19 kernel/sched/wait.c: finish_wait
void finish_wait(wait_queue_head_t* wq_head, wait_queue_entry* entry) {
  FUNCTION(wq_head);
  __set_current_state(TASK_RUNNING);
  if (!entry->queued()) return;  // autoremove_wake_function has taken it off
  unsigned long flags;
  spin_lock_irqsave(&wq_head->lock, flags);
  __remove_wait_queue(wq_head, entry);
  spin_unlock_irqrestore(&wq_head->lock, flags);
}

// v4.19 kernel/sched/wait.c: do_wait_intr_irq
int do_wait_intr_irq(wait_queue_head_t* wq_head, wait_queue_entry* entry) {
  FUNCTION(wq_head);
  if (!entry->queued()) __add_wait_queue_entry_tail(wq_head, entry);
  set_current_state(TASK_INTERRUPTIBLE);
  if (signal_pending(current)) {
    return fn.Return(Fail(ERESTARTSYS, "a signal came while waiting"));
  }
  spin_unlock_irq(&wq_head->lock);
  schedule();
  spin_lock_irq(&wq_head->lock);
  return fn.Return(0);
}

// ---- Waking ----

// v4.19 kernel/sched/core.c: default_wake_function
int default_wake_function(wait_queue_entry* entry, unsigned mode, int, void*) {
  FUNCTION(entry->task->pid);
  return fn.Return(try_to_wake_up(entry->task, mode));
}

// v4.19 kernel/sched/wait.c: autoremove_wake_function
int autoremove_wake_function(wait_queue_entry* entry, unsigned mode, int flags, void* key) {
  FUNCTION(entry->task->pid);
  const int ret = default_wake_function(entry, mode, flags, key);
  if (ret != 0) __remove_wait_queue(entry->queue, entry);
  return fn.Return(ret);
}

// v4.19 kernel/sched/wait.c: __wake_up
void __wake_up(wait_queue_head_t* wq_head, unsigned mode, int nr_exclusive, void* key) {
  FUNCTION(wq_head, nr_exclusive);
  __wake_up_common_lock(wq_head, mode, nr_exclusive, 0, key);
}

// v4.19 kernel/sched/wait.c: __wake_up_sync_key
// Departs: the hint that the waker will sleep soon is not used.
void __wake_up_sync_key(wait_queue_head_t* wq_head, unsigned mode, int nr_exclusive, void* key) {
  FUNCTION(wq_head, nr_exclusive);
  __wake_up_common_lock(wq_head, mode, nr_exclusive, 0, key);
}

// v4.19 kernel/sched/wait.c: __wake_up_locked
void __wake_up_locked(wait_queue_head_t* wq_head, unsigned mode, int nr_exclusive) {
  FUNCTION(wq_head, nr_exclusive);
  __wake_up_common(wq_head, mode, nr_exclusive, 0, nullptr, nullptr);
}

// v4.19 kernel/sched/wait.c: __wake_up_locked_key
void __wake_up_locked_key(wait_queue_head_t* wq_head, unsigned mode, void* key) {
  FUNCTION(wq_head);
  __wake_up_common(wq_head, mode, 1, 0, key, nullptr);
}

}  // namespace kpath
