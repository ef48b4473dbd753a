// SPDX-License-Identifier: Apache-2.0
//
// Read-copy update: readers take no lock; who frees something waits until no reader can still see
// it. v4.19 include/linux/rcupdate.h, kernel/rcu/tree.c
//
//   rcu_read_lock();
//   kptr<kioctx_table> table = mm->ioctx_table;   // may be replaced meanwhile, is not freed
//   rcu_read_unlock();
//
//   mm->ioctx_table = larger;
//   kfree_rcu(old);                               // freed after a grace period
//
// A grace period ends when every CPU has passed a quiescent state since it began: a context switch,
// the idle loop outside of interrupts, user mode. A read-side critical section keeps its task on
// the CPU (the kernel is not preemptible), so that none of these can happen in the middle of one.
//
// Both flavours of v4.19 are here, rcu and rcu_sched; in a kernel that is not preemptible they are
// one and the same, and call_rcu is call_rcu_sched. Departs: the state machine that Linux runs in a
// kernel thread and over a tree of nodes is advanced by the CPUs that pass quiescent states; there
// is no expedited grace period, no rcu_bh, no SRCU.
//
// Context: the read side: any. call_rcu: any. synchronize_rcu: process, may sleep, not inside a
// read-side section. Callbacks run in RCU_SOFTIRQ on the CPU that queued them, in the order of
// queueing.
//
// Invariants
//   1. A callback runs only after a grace period that began after it was queued.
//   2. A grace period ends only when each CPU that was not idle at its beginning has passed a
//      quiescent state since.
//   3. While a CPU has callbacks or owes a quiescent state, it has a tick.
#pragma once

#include <cstdint>
#include <memory>

#include "sim/kernel/sched.h"
#include "sim/kernel/slab.h"

namespace kpath {

struct rcu_head;
using rcu_callback_t = void (*)(rcu_head* head);

// Part of the object that is to be freed, or done something with.
struct rcu_head {
  static constexpr uint32_t kMagic = 0x72637568;

  uint32_t magic = kMagic;  // shows that the object has not been freed in the meantime
  rcu_callback_t func = nullptr;
  bool queued = false;
};

// The read side: sections may nest, in any context; nobody sleeps in one (reported by schedule and
// might_sleep).
inline void rcu_read_lock() { preempt_disable(); }
inline void rcu_read_unlock() { preempt_enable(); }
inline void rcu_read_lock_sched() { preempt_disable(); }
inline void rcu_read_unlock_sched() { preempt_enable(); }
// v4.19 kernel/rcu/update.c: rcu_read_lock_sched_held. True in a section, and where interrupts or
// preemption are off for another reason.
inline bool rcu_read_lock_sched_held() { return in_atomic() || irqs_disabled(); }

// v4.19 kernel/rcu/tree.c: call_rcu_sched. Calls func(head) after a grace period. `head` is in use
// until then: queueing it twice, or freeing what it is part of, is reported.
void call_rcu_sched(rcu_head* head, rcu_callback_t func);
inline void call_rcu(rcu_head* head, rcu_callback_t func) { call_rcu_sched(head, func); }

// v4.19 kernel/rcu/tree.c: synchronize_sched. Returns after a grace period; on a machine with one
// CPU at once, as the call itself is a quiescent state.
void synchronize_sched();
inline void synchronize_rcu() { synchronize_sched(); }

// v4.19 kernel/rcu/tree.c: rcu_barrier. Returns when all callbacks that were queued before have
// run, on all CPUs. Context: process, may sleep.
void rcu_barrier();

// How many grace periods have ended.
uint64_t rcu_batches_completed();

// Frees an object that has no rcu_head of its own.
struct kfree_rcu_head : rcu_head {
  virtual ~kfree_rcu_head() = default;
  virtual void Free() = 0;
};
void QueueKfreeRcu(std::unique_ptr<kfree_rcu_head> head);

// v4.19 include/linux/rcupdate.h: kfree_rcu
template <typename T>
void kfree_rcu(const kptr<T>& pointer) {
  struct Head : kfree_rcu_head {
    void Free() override { kfree(object); }
    kptr<T> object;
  };
  auto head = std::make_unique<Head>();
  head->object = pointer;
  QueueKfreeRcu(std::move(head));
}

// v4.19 kernel/rcu/tree.c: rcu_init. Hooks into the scheduler and the tick; called once, after
// them.
void rcu_init();

}  // namespace kpath
