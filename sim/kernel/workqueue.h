// SPDX-License-Identifier: Apache-2.0
//
// Work that is done later, in a kernel thread: where it may sleep. v4.19 include/linux/workqueue.h,
// kernel/workqueue.c
//
//   struct aio_kiocb { work_struct work; ... };
//   INIT_WORK(&req->work, aio_fsync_work);
//   schedule_work(&req->work);            // aio_fsync_work(&req->work) runs in a kworker
//
// Each CPU has a pool of kworkers that all workqueues share. A worker that goes to sleep in the
// middle of a work lets another one go on with the next: the pool makes workers as it needs them.
// Departs: one pool a CPU (no priorities, no unbound or freezable pools); idle workers never end.
//
// Context: queueing: any. flush_work: process, may sleep.
//
// Invariants
//   1. A work is queued at most once: queueing a pending work does nothing.
//   2. pending is cleared before the function runs, so that it may queue its work again, or free
//   it.
//   3. Where a pool has work queued, a worker of it is running or runnable.
#pragma once

#include "sim/kernel/rcu.h"
#include "sim/kernel/sched.h"

namespace kpath {

struct work_struct;
struct workqueue_struct;
using work_func_t = void (*)(work_struct* work);

struct work_struct {
  work_func_t func = nullptr;
  bool pending = false;  // WORK_STRUCT_PENDING
  workqueue_struct* wq = nullptr;
};

inline Value MakeValue(const work_struct* work) { return Value::Bool(work->pending); }

// Work that is queued when an RCU grace period has ended.
struct rcu_work {
  work_struct work;
  rcu_head rcu;
  workqueue_struct* wq = nullptr;
};

inline void INIT_WORK(work_struct* work, work_func_t func) { *work = {.func = func}; }
inline void INIT_RCU_WORK(rcu_work* rwork, work_func_t func) { INIT_WORK(&rwork->work, func); }
rcu_work* to_rcu_work(work_struct* work);

// The queue for everybody.
workqueue_struct* system_wq();

// v4.19 kernel/workqueue.c: queue_work_on. On this CPU's pool. False if the work was pending
// already.
bool queue_work_on(int cpu, workqueue_struct* wq, work_struct* work);
inline bool queue_work(workqueue_struct* wq, work_struct* work) {
  return queue_work_on(smp_processor_id(), wq, work);
}
inline bool schedule_work(work_struct* work) { return queue_work(system_wq(), work); }
// v4.19 kernel/workqueue.c: queue_rcu_work. False if it was pending already.
bool queue_rcu_work(workqueue_struct* wq, rcu_work* rwork);

// v4.19 kernel/workqueue.c: flush_work. Waits until the work that was pending has been done.
// Returns false if there was none. The work must not be freed meanwhile.
bool flush_work(work_struct* work);

// Makes the pools of the current machine; by Boot. Workers are made when there is work.
void workqueue_init();

}  // namespace kpath
