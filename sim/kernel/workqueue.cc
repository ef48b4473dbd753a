// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/workqueue.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/kernel/completion.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/kernel/spinlock.h"

namespace kpath {

struct workqueue_struct {
  const char* name = "";
};

namespace {

struct worker_pool;

// v4.19 kernel/workqueue_internal.h: struct worker
struct worker {
  task_struct* task = nullptr;
  worker_pool* pool = nullptr;
  work_struct* current_work = nullptr;
  std::vector<completion*> flushers;  // of current_work
  bool idle = false;
};

// v4.19 kernel/workqueue.c: struct worker_pool
struct worker_pool {
  int cpu = 0;
  spinlock_t lock{"pool->lock"};
  std::deque<work_struct*> worklist;
  std::vector<std::unique_ptr<worker>> workers;
  std::vector<std::pair<work_struct*, completion*>> flushers;  // of works that are queued
};

struct workqueue_globals {
  std::vector<std::unique_ptr<worker_pool>> pools;  // by CPU
  workqueue_struct system_wq{"events"};
};

KernelGlobal<workqueue_globals> workqueues;

// v4.19 kernel/workqueue.c: get_work_pool. The pool that the work is queued on; null: none.
worker_pool* get_work_pool(work_struct* work) {
  FUNCTION(work);
  for (const auto& pool : workqueues->pools) {
    if (std::count(pool->worklist.begin(), pool->worklist.end(), work) != 0) return pool.get();
  }
  return nullptr;
}

// v4.19 kernel/workqueue.c: first_idle_worker
worker* first_idle_worker(worker_pool* pool) {
  for (const auto& worker : pool->workers) {
    if (worker->idle) return worker.get();
  }
  return nullptr;
}

void worker_thread(worker* worker);

// v4.19 kernel/workqueue.c: create_worker. Runnable at once; REQUIRES: pool->lock.
void create_worker(worker_pool* pool) {
  auto made = std::make_unique<worker>();
  worker* raw = made.get();
  raw->pool = pool;
  raw->task = NewKernelThread(*current->machine,
                              absl::StrCat("kworker/", pool->cpu, ":", pool->workers.size()),
                              [raw] { worker_thread(raw); });
  pool->workers.push_back(std::move(made));
  wake_up_new_task(raw->task);
}

// v4.19 kernel/workqueue.c: wake_up_worker. REQUIRES: pool->lock.
void wake_up_worker(worker_pool* pool) {
  FUNCTION(pool->cpu);
  worker* idle = first_idle_worker(pool);
  if (idle != nullptr) {
    wake_up_process(idle->task);
  } else {
    create_worker(pool);
  }
}

// v4.19 kernel/workqueue.c: need_more_worker: work is queued and nobody runs who would do it.
bool need_more_worker(const worker_pool* pool) {
  if (pool->worklist.empty()) return false;
  return std::none_of(pool->workers.begin(), pool->workers.end(), [](const auto& worker) {
    return !worker->idle && worker->task->state == TASK_RUNNING;
  });
}

// v4.19 kernel/workqueue.c: __queue_work. REQUIRES: interrupts off, work->pending set by the
// caller.
void __queue_work(int cpu, workqueue_struct* wq, work_struct* work) {
  FUNCTION(cpu, work);
  get_work_pool(work);
  worker_pool* pool = workqueues->pools[cpu].get();
  spin_lock(&pool->lock);
  work->wq = wq;
  pool->worklist.push_back(work);
  STEP("work queued", pool->worklist.size());
  if (need_more_worker(pool)) wake_up_worker(pool);
  spin_unlock(&pool->lock);
}

// v4.19 kernel/workqueue.c: process_one_work. REQUIRES: pool->lock, which is dropped meanwhile.
void process_one_work(worker* worker, work_struct* work) {
  FUNCTION(work);
  worker_pool* pool = worker->pool;
  std::erase(pool->worklist, work);
  worker->current_work = work;
  for (auto it = pool->flushers.begin(); it != pool->flushers.end();) {
    if (it->first != work) {
      ++it;
      continue;
    }
    worker->flushers.push_back(it->second);
    it = pool->flushers.erase(it);
  }
  const work_func_t func = work->func;
  work->pending = false;
  // This worker may sleep: another one takes what else there is. Departs: Linux waits until it
  // sleeps (wq_worker_sleeping).
  if (!pool->worklist.empty()) wake_up_worker(pool);
  spin_unlock_irq(&pool->lock);
  func(work);  // may free the work
  if (current->preempt_count != 0 || irqs_disabled()) {
    Report(absl::StrCat("BUG: workqueue leaked lock or atomic: ", current->comm, "/0x",
                        absl::Hex(current->preempt_count, absl::kZeroPad8), "/", current->pid));
  }
  cond_resched();
  spin_lock_irq(&pool->lock);
  worker->current_work = nullptr;
  for (completion* flusher : worker->flushers) complete(flusher);
  worker->flushers.clear();
}

// v4.19 kernel/workqueue.c: worker_enter_idle. REQUIRES: pool->lock.
void worker_enter_idle(worker* worker) {
  FUNCTION();
  worker->idle = true;
}

// v4.19 kernel/workqueue.c: worker_thread
void worker_thread(worker* worker) {
  worker_pool* pool = worker->pool;
  while (true) {
    spin_lock_irq(&pool->lock);
    worker->idle = false;
    while (!pool->worklist.empty()) process_one_work(worker, pool->worklist.front());
    worker_enter_idle(worker);
    __set_current_state(TASK_INTERRUPTIBLE);
    spin_unlock_irq(&pool->lock);
    schedule();
  }
}

// v4.19 kernel/workqueue.c: rcu_work_rcufn
void rcu_work_rcufn(rcu_head* rcu) {
  FUNCTION();
  rcu_work* rwork = container_of(rcu, &rcu_work::rcu);
  local_irq_disable();
  __queue_work(smp_processor_id(), rwork->wq, &rwork->work);
  local_irq_enable();
}

}  // namespace

rcu_work* to_rcu_work(work_struct* work) { return container_of(work, &rcu_work::work); }

workqueue_struct* system_wq() { return &workqueues->system_wq; }

bool queue_work_on(int cpu, workqueue_struct* wq, work_struct* work) {
  FUNCTION(cpu, work);
  bool queued = false;
  const unsigned long flags = local_irq_save();
  if (!work->pending) {
    work->pending = true;
    __queue_work(cpu, wq, work);
    queued = true;
  }
  local_irq_restore(flags);
  return fn.Return(queued);
}

bool queue_rcu_work(workqueue_struct* wq, rcu_work* rwork) {
  FUNCTION(&rwork->work);
  if (rwork->work.pending) return fn.Return(false);
  rwork->work.pending = true;
  rwork->wq = wq;
  call_rcu(&rwork->rcu, rcu_work_rcufn);
  return fn.Return(true);
}

bool flush_work(work_struct* work) {
  FUNCTION(work);
  might_sleep();
  completion done;
  init_completion(&done);
  for (const auto& pool : workqueues->pools) {
    spin_lock_irq(&pool->lock);
    const bool queued = std::count(pool->worklist.begin(), pool->worklist.end(), work) != 0;
    if (queued) pool->flushers.emplace_back(work, &done);
    const auto running =
        std::find_if(pool->workers.begin(), pool->workers.end(),
                     [work](const auto& worker) { return worker->current_work == work; });
    const bool runs = !queued && running != pool->workers.end();
    if (runs) (*running)->flushers.push_back(&done);
    spin_unlock_irq(&pool->lock);
    if (!queued && !runs) continue;
    wait_for_completion(&done);
    return fn.Return(true);
  }
  return fn.Return(false);
}

void workqueue_init() {
  for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) {
    workqueues->pools.push_back(std::make_unique<worker_pool>());
    workqueues->pools.back()->cpu = cpu;
  }
}

}  // namespace kpath
