// SPDX-License-Identifier: Apache-2.0
//
// Work that is done later, in a kernel thread: where it may sleep. v4.19 include/linux/workqueue.h,
// kernel/workqueue.c
//
//   struct aio_kiocb { work_struct work; ... };
//   INIT_WORK(&req->work, aio_fsync_work);
//   schedule_work(&req->work);            // aio_fsync_work(&req->work) runs in a kworker
//
//   struct request_queue { delayed_work requeue_work; ... };
//   INIT_DELAYED_WORK(&q->requeue_work, blk_mq_requeue_work);
//   mod_delayed_work_on(WORK_CPU_UNBOUND, kblockd, &q->requeue_work, msecs_to_jiffies(3));
//   cancel_delayed_work_sync(&q->requeue_work);
//
// Each CPU has two pools of workers (kworker/0:1, and kworker/0:1H of high priority) that all
// workqueues share; works that are bound to no CPU have pools of their own (kworker/u8:1). A pool
// has as many workers awake as are needed for one to run: a worker that goes to sleep in the middle
// of a work wakes an idle one, which makes another one before it begins if it was the last. Workers
// that are not needed any more end after five minutes.
//
// Contexts: queueing, cancel_delayed_work: any. What flushes, what ends with _sync, drains, makes
// or destroys: process, may sleep.
//
// Departs: no rescuers (WQ_MEM_RECLAIM is accepted and changes nothing: where no worker can be
// made, the works wait until one can, a second later); no freezing, no lockdep classes of works, no
// attributes of unbound queues, whose pools are never freed; no hotplug of CPUs.
//
// Invariants
//   1. A work is queued at most once: queueing a pending work does nothing.
//   2. `pending` is cleared before the function runs, so that it may queue its work again, or free
//      it.
//   3. A work is never run by two workers at a time, however often it is queued meanwhile.
//   4. Where a pool has works queued, a worker of it runs, is on its way, or is being made.
//   5. A pool's nr_running is the number of its bound workers that execute works and do not sleep.
//   6. A workqueue has at most max_active works per CPU queued or running; others wait in
//      delayed_works.
#pragma once

#include <string>
#include <vector>

#include "sim/kernel/rcu.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/slab.h"
#include "sim/kernel/timer.h"

namespace kpath {

struct pool_workqueue;
struct work_struct;
struct workqueue_struct;
using work_func_t = void (*)(work_struct* work);

// v4.19 include/linux/workqueue.h
inline constexpr unsigned WQ_UNBOUND = 1 << 1;      // bound to no CPU
inline constexpr unsigned WQ_MEM_RECLAIM = 1 << 3;  // may be used to free memory
inline constexpr unsigned WQ_HIGHPRI = 1 << 4;
inline constexpr unsigned WQ_CPU_INTENSIVE = 1 << 5;  // others need not wait for its works
inline constexpr unsigned __WQ_DRAINING = 1 << 16;
inline constexpr unsigned __WQ_ORDERED = 1 << 17;  // one at a time, in the order of queueing

inline constexpr int WQ_MAX_ACTIVE = 512;
inline constexpr int WQ_DFL_ACTIVE = WQ_MAX_ACTIVE / 2;

// "The CPU that the caller is on, or any", in place of a number.
inline constexpr int WORK_CPU_UNBOUND = Machine::kMaxCpus;

inline constexpr int WORK_OFFQ_POOL_NONE = -1;
inline constexpr int WORK_NR_COLORS = 15;
inline constexpr int WORK_NO_COLOR = WORK_NR_COLORS;

// Linux keeps all of this in the one word work_struct::data.
struct work_data {
  bool pending = false;               // WORK_STRUCT_PENDING: queued, or about to be
  bool delayed = false;               // WORK_STRUCT_DELAYED: waits in pwq->delayed_works
  bool linked = false;                // WORK_STRUCT_LINKED: the next in the list belongs to it
  bool canceling = false;             // WORK_OFFQ_CANCELING: cancel_work_sync is at work
  int color = 0;                      // of the flush that waits for it; WORK_NO_COLOR: none does
  pool_workqueue* pwq = nullptr;      // WORK_STRUCT_PWQ: while it is queued, where
  int pool_id = WORK_OFFQ_POOL_NONE;  // while it is not, the pool that it ran on last
};

struct work_struct {
  static constexpr uint32_t kMagic = 0x776f726b;

  uint32_t magic = 0;  // kMagic: initialised, and not freed
  work_func_t func = nullptr;
  work_data data = {};
  std::vector<work_struct*>* entry = nullptr;  // the list that it is in
};

inline Value MakeValue(const work_struct* work) { return Value::Bool(work->data.pending); }

// Work that is queued when a timer has expired.
struct delayed_work {
  work_struct work;
  timer_list timer;
  kptr<workqueue_struct> wq;
  int cpu = 0;
};

// Work that is queued when an RCU grace period has ended.
struct rcu_work {
  work_struct work;
  rcu_head rcu;
  kptr<workqueue_struct> wq;
};

// ---- Set-up; REQUIRES: not in use ----
inline void INIT_WORK(work_struct* work, work_func_t func) {
  *work = {.magic = work_struct::kMagic, .func = func};
}
void INIT_DELAYED_WORK(delayed_work* dwork, work_func_t func);
inline void INIT_RCU_WORK(rcu_work* rwork, work_func_t func) { INIT_WORK(&rwork->work, func); }
delayed_work* to_delayed_work(work_struct* work);
rcu_work* to_rcu_work(work_struct* work);

inline bool work_pending(const work_struct* work) { return work->data.pending; }
inline bool delayed_work_pending(const delayed_work* dwork) { return work_pending(&dwork->work); }

// ---- Workqueues ----

// For everybody: short works, those of high priority, long ones, those bound to no CPU.
kptr<workqueue_struct> system_wq();
kptr<workqueue_struct> system_highpri_wq();
kptr<workqueue_struct> system_long_wq();
kptr<workqueue_struct> system_unbound_wq();

// v4.19 kernel/workqueue.c: __alloc_workqueue_key. `flags`: WQ_*; `max_active`: 0 (WQ_DFL_ACTIVE) …
// WQ_MAX_ACTIVE; `name`: for people. Null: no memory.
kptr<workqueue_struct> alloc_workqueue(const std::string& name, unsigned flags, int max_active);
// One work at a time, in the order in which they were queued.
inline kptr<workqueue_struct> alloc_ordered_workqueue(const std::string& name, unsigned flags) {
  return alloc_workqueue(name, WQ_UNBOUND | __WQ_ORDERED | flags, 1);
}
// v4.19 kernel/workqueue.c: destroy_workqueue. Does what is queued, and what that queues, first.
void destroy_workqueue(kptr<workqueue_struct> wq);

// ---- Queueing. False: the work was pending already, and nothing has changed. ----
bool queue_work_on(int cpu, kptr<workqueue_struct> wq, work_struct* work);
inline bool queue_work(kptr<workqueue_struct> wq, work_struct* work) {
  return queue_work_on(WORK_CPU_UNBOUND, wq, work);
}
inline bool schedule_work_on(int cpu, work_struct* work) {
  return queue_work_on(cpu, system_wq(), work);
}
inline bool schedule_work(work_struct* work) { return queue_work(system_wq(), work); }
// `delay` in jiffies; 0: at once.
bool queue_delayed_work_on(int cpu, kptr<workqueue_struct> wq, delayed_work* dwork,
                           unsigned long delay);
inline bool queue_delayed_work(kptr<workqueue_struct> wq, delayed_work* dwork,
                               unsigned long delay) {
  return queue_delayed_work_on(WORK_CPU_UNBOUND, wq, dwork, delay);
}
inline bool schedule_delayed_work(delayed_work* dwork, unsigned long delay) {
  return queue_delayed_work(system_wq(), dwork, delay);
}
// Queues it anew, whether it waited for its timer, was queued, or neither. True: it was pending.
bool mod_delayed_work_on(int cpu, kptr<workqueue_struct> wq, delayed_work* dwork,
                         unsigned long delay);
inline bool mod_delayed_work(kptr<workqueue_struct> wq, delayed_work* dwork, unsigned long delay) {
  return mod_delayed_work_on(WORK_CPU_UNBOUND, wq, dwork, delay);
}
bool queue_rcu_work(kptr<workqueue_struct> wq, rcu_work* rwork);

// ---- Waiting and cancelling ----

// Waits until the work that is queued or running has been done; what is queued meanwhile is not
// waited for. False: there was nothing to wait for.
bool flush_work(work_struct* work);
// The same, without waiting for the timer or for the grace period.
bool flush_delayed_work(delayed_work* dwork);
bool flush_rcu_work(rcu_work* rwork);
// Waits until all that was queued before has been done.
void flush_workqueue(kptr<workqueue_struct> wq);
inline void flush_scheduled_work() { flush_workqueue(system_wq()); }
// The same, with what these works queue. Meanwhile nobody else may queue.
void drain_workqueue(kptr<workqueue_struct> wq);

// Takes the work off if it is pending and waits until it does not run either: afterwards it may be
// freed. True: it was pending.
bool cancel_work_sync(work_struct* work);
bool cancel_delayed_work_sync(delayed_work* dwork);
// Does not wait: it may be running.
bool cancel_delayed_work(delayed_work* dwork);

// v4.19 kernel/workqueue.c: work_busy. Bits: the work is pending; it is running.
inline constexpr unsigned WORK_BUSY_PENDING = 1 << 0;
inline constexpr unsigned WORK_BUSY_RUNNING = 1 << 1;
unsigned work_busy(work_struct* work);

// v4.19 kernel/workqueue.c: workqueue_init_early, workqueue_init. Pools, their first workers, and
// the workqueues for everybody; once, by InitKernel.
void workqueue_init();

}  // namespace kpath
