// SPDX-License-Identifier: Apache-2.0
//
// Workers and their pools. v4.19 kernel/workqueue.c
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/kthread.h"
#include "sim/kernel/lockdep.h"
#include "sim/kernel/report.h"
#include "sim/kernel/workqueue_internal.h"

namespace kpath {
namespace {

// How many workers a pool has when the machine starts: in a kernel that has booted works have run,
// and the worker that did the first of them has made a second one.
constexpr int kWorkersAtStart = 2;

// v4.19 kernel/workqueue.c: first_idle_worker. The one that became idle last.
worker* first_idle_worker(worker_pool* pool) {
  return pool->idle_list.empty() ? nullptr : pool->idle_list.back();
}

// v4.19 kernel/workqueue.c: need_more_worker. Works wait, and nobody is awake who would do them.
bool need_more_worker(const worker_pool* pool) {
  return !pool->worklist.empty() && __need_more_worker(pool);
}

// v4.19 kernel/workqueue.c: may_start_working. Somebody stays behind who can be woken.
bool may_start_working(const worker_pool* pool) { return pool->nr_idle != 0; }

// v4.19 kernel/workqueue.c: keep_working. Called by a worker that is counted in nr_running.
bool keep_working(const worker_pool* pool) {
  return !pool->worklist.empty() && pool->nr_running <= 1;
}

// v4.19 kernel/workqueue.c: need_to_create_worker
bool need_to_create_worker(const worker_pool* pool) {
  return need_more_worker(pool) && !may_start_working(pool);
}

// v4.19 kernel/workqueue.c: too_many_workers. More than two are idle, and more than a quarter as
// many as are busy.
bool too_many_workers(const worker_pool* pool) {
  FUNCTION(pool->nr_workers, pool->nr_idle);
  const int managing = (pool->flags & POOL_MANAGER_ACTIVE) != 0 ? 1 : 0;
  const int nr_idle = pool->nr_idle + managing;  // the manager counts as idle
  const int nr_busy = pool->nr_workers - nr_idle;
  return fn.Return(nr_idle > 2 && (nr_idle - 2) * MAX_IDLE_WORKERS_RATIO >= nr_busy);
}

// v4.19 kernel/workqueue.c: worker_set_flags
void worker_set_flags(worker* worker, unsigned flags) {
  if ((flags & WORKER_NOT_RUNNING) != 0 && (worker->flags & WORKER_NOT_RUNNING) == 0) {
    --worker->pool->nr_running;
  }
  worker->flags |= flags;
}

// v4.19 kernel/workqueue.c: worker_clr_flags
void worker_clr_flags(worker* worker, unsigned flags) {
  const unsigned before = worker->flags;
  worker->flags &= ~flags;
  if ((flags & WORKER_NOT_RUNNING) == 0 || (before & WORKER_NOT_RUNNING) == 0) return;
  if ((worker->flags & WORKER_NOT_RUNNING) == 0) ++worker->pool->nr_running;
}

// v4.19 kernel/workqueue.c: worker_enter_idle. REQUIRES: pool->lock.
void worker_enter_idle(worker* worker) {
  FUNCTION(worker->id);
  worker_pool* pool = worker->pool;
  if ((worker->flags & WORKER_IDLE) != 0) Report("WARNING: a worker becomes idle that is idle");
  worker->flags |= WORKER_IDLE;
  ++pool->nr_idle;
  worker->last_active = jiffies;
  pool->idle_list.push_back(worker);
  if (too_many_workers(pool) && !timer_pending(&pool->idle_timer)) {
    mod_timer(&pool->idle_timer, jiffies + IDLE_WORKER_TIMEOUT);
  }
  if (pool->cpu >= 0 && pool->nr_workers == pool->nr_idle && pool->nr_running != 0) {
    Report("WARNING: all workers of a pool are idle, and nr_running is not 0");
  }
}

// v4.19 kernel/workqueue.c: worker_leave_idle. REQUIRES: pool->lock.
void worker_leave_idle(worker* worker) {
  if ((worker->flags & WORKER_IDLE) == 0) return;
  worker_clr_flags(worker, WORKER_IDLE);
  --worker->pool->nr_idle;
  std::erase(worker->pool->idle_list, worker);
}

void worker_thread(worker* worker);

// The lowest number that no worker of the pool has.
int FreeId(const worker_pool* pool) {
  int id = 0;
  const auto has = [&id](const kptr<worker>& other) { return other->id == id; };
  while (std::any_of(pool->workers.begin(), pool->workers.end(), has)) ++id;
  return id;
}

std::string NameOfWorker(const worker_pool* pool, int id) {
  if (pool->cpu < 0) return absl::StrCat("kworker/u", pool->id, ":", id);
  return absl::StrCat("kworker/", pool->cpu, ":", id, pool->nice < 0 ? "H" : "");
}

// v4.19 kernel/workqueue.c: alloc_worker
kptr<worker> alloc_worker() {
  FUNCTION();
  return fn.Return(kzalloc<worker>(GFP_KERNEL));
}

// v4.19 kernel/workqueue.c: part of create_worker: the thread, asleep, and its place in the pool.
void AttachThread(worker_pool* pool, const kptr<worker>& made) {
  worker* raw = made.get();
  raw->pool = pool;
  raw->id = FreeId(pool);
  raw->task = NewKernelThread(*current->machine, NameOfWorker(pool, raw->id), [raw] {
    worker_thread(raw);
    do_task_dead();
  });
  raw->task->state = TASK_UNINTERRUPTIBLE;
  raw->task->kthread_data = raw;
  if (pool->cpu >= 0) {
    raw->task->cpus_allowed = uint64_t{1} << pool->cpu;  // kthread_bind_mask
  } else {
    raw->flags |= WORKER_UNBOUND;  // worker_attach_to_pool
  }
  pool->workers.push_back(made);
}

// v4.19 kernel/workqueue.c: create_worker. False: no memory. Context: may sleep.
// Departs: the thread is made at once, not by kthreadd.
bool create_worker(worker_pool* pool) {
  FUNCTION(pool->id);
  kptr<worker> made = alloc_worker();
  if (!made) return fn.Return(false);
  AttachThread(pool, made);
  spin_lock_irq(&pool->lock);
  ++pool->nr_workers;
  worker_enter_idle(made.get());
  wake_up_process(made->task);
  spin_unlock_irq(&pool->lock);
  return fn.Return(true);
}

// v4.19 kernel/workqueue.c: destroy_worker. It ends by itself. REQUIRES: pool->lock; it is idle.
void destroy_worker(worker* worker) {
  FUNCTION(worker->id);
  worker_pool* pool = worker->pool;
  --pool->nr_workers;
  --pool->nr_idle;
  std::erase(pool->idle_list, worker);
  worker->flags |= WORKER_DIE;
  wake_up_process(worker->task);
}

// v4.19 kernel/workqueue.c: idle_worker_timeout. Those that have been idle longest go.
void idle_worker_timeout(timer_list* timer) {
  worker_pool* pool = container_of(timer, &worker_pool::idle_timer);
  FUNCTION(pool->id);
  spin_lock_irq(&pool->lock);
  while (too_many_workers(pool)) {
    worker* longest = pool->idle_list.front();
    const unsigned long expires = longest->last_active + IDLE_WORKER_TIMEOUT;
    if (time_before(jiffies, expires)) {
      mod_timer(&pool->idle_timer, expires);
      break;
    }
    destroy_worker(longest);
  }
  spin_unlock_irq(&pool->lock);
}

// v4.19 kernel/workqueue.c: maybe_create_worker. REQUIRES: pool->lock, which is let go meanwhile.
// Departs: nobody else does the work where no worker can be made (pool_mayday_timeout, rescuers).
void maybe_create_worker(worker_pool* pool) {
  FUNCTION(pool->id);
  do {
    spin_unlock_irq(&pool->lock);
    while (!create_worker(pool) && need_to_create_worker(pool)) {
      schedule_timeout_interruptible(CREATE_COOLDOWN);
      if (!need_to_create_worker(pool)) break;
    }
    spin_lock_irq(&pool->lock);
    // Another worker may have taken the new one meanwhile.
  } while (need_to_create_worker(pool));
}

// v4.19 kernel/workqueue.c: manage_workers. False: another worker does it already.
bool manage_workers(worker* worker) {
  FUNCTION(worker->id);
  worker_pool* pool = worker->pool;
  if ((pool->flags & POOL_MANAGER_ACTIVE) != 0) return fn.Return(false);
  pool->flags |= POOL_MANAGER_ACTIVE;
  maybe_create_worker(pool);
  pool->flags &= ~POOL_MANAGER_ACTIVE;
  return fn.Return(true);
}

// v4.19 kernel/workqueue.c: part of process_one_work, after the function.
void CheckNothingIsLeftHeld() {
  if (current->preempt_count == 0 && !irqs_disabled() && current->held_locks.empty()) return;
  Report(absl::StrCat("BUG: workqueue leaked lock or atomic: ", current->comm, "/0x",
                      absl::Hex(current->preempt_count, absl::kZeroPad8), "/", current->pid),
         {DescribeHeldLocks(current)});
}

// v4.19 kernel/workqueue.c: part of process_one_work: the worker takes the work.
void claim_work(worker* worker, work_struct* work, pool_workqueue* pwq) {
  worker->pool->busy_hash.push_back(worker);
  worker->current_work = work;
  worker->current_func = work->func;
  worker->current_pwq = pwq;
  list_del_init(work);
}

// v4.19 kernel/workqueue.c: process_one_work. REQUIRES: pool->lock, which is let go while the work
// is done.
void process_one_work(worker* worker, work_struct* work) {
  FUNCTION(work);
  pool_workqueue* pwq = get_work_pwq(work);
  worker_pool* pool = worker->pool;
  const bool cpu_intensive = (pwq->wq->flags & WQ_CPU_INTENSIVE) != 0;
  auto* collision = find_worker_executing_work(pool, work);
  if (collision != nullptr) {
    STEP("another worker is at it: left to that one", collision->id);
    move_linked_works(work, &collision->scheduled);
    return;
  }
  const int work_color = work->data.color;
  claim_work(worker, work, pwq);
  if (cpu_intensive) worker_set_flags(worker, WORKER_CPU_INTENSIVE);
  // This worker does not count now, so the next work needs another one.
  if (need_more_worker(pool)) wake_up_worker(pool);
  set_work_pool_and_clear_pending(work, pool->id);
  spin_unlock_irq(&pool->lock);
  worker->current_func(work);  // may free the work
  CheckNothingIsLeftHeld();
  cond_resched();
  spin_lock_irq(&pool->lock);
  if (cpu_intensive) worker_clr_flags(worker, WORKER_CPU_INTENSIVE);
  std::erase(pool->busy_hash, worker);
  worker->current_work = nullptr;
  worker->current_func = nullptr;
  worker->current_pwq = nullptr;
  pwq_dec_nr_in_flight(pwq, work_color);
}

// v4.19 kernel/workqueue.c: process_scheduled_works
void process_scheduled_works(worker* worker) {
  FUNCTION(worker->scheduled.size());
  while (!worker->scheduled.empty()) process_one_work(worker, worker->scheduled.front());
}

// v4.19 kernel/workqueue.c: part of worker_thread, between waking up and becoming idle. REQUIRES:
// pool->lock.
void do_works(worker* worker) {
  worker_pool* pool = worker->pool;
  do {
    if (!need_more_worker(pool)) return;
  } while (!may_start_working(pool) && manage_workers(worker));
  worker_clr_flags(worker, WORKER_PREP);
  do {
    work_struct* work = pool->worklist.front();
    if (!work->data.linked) {
      process_one_work(worker, work);
    } else {
      move_linked_works(work, &worker->scheduled);
    }
    if (!worker->scheduled.empty()) process_scheduled_works(worker);
  } while (keep_working(pool));
  worker_set_flags(worker, WORKER_PREP);
}

// v4.19 kernel/workqueue.c: part of worker_thread: it is told to end.
void end_worker(worker* worker) {
  worker_pool* pool = worker->pool;
  spin_unlock_irq(&pool->lock);
  current->flags &= ~PF_WQ_WORKER;
  current->comm = "kworker/dying";
  const auto self = std::find_if(pool->workers.begin(), pool->workers.end(),
                                 [worker](const auto& other) { return other.get() == worker; });
  const kptr<struct worker> freed = *self;
  pool->workers.erase(self);
  kfree(freed);
}

// v4.19 kernel/workqueue.c: worker_thread. Not shown itself: it was entered when the worker was
// made, so a trace has what it calls at the outermost level, as a recording has.
void worker_thread(worker* worker) {
  worker_pool* pool = worker->pool;
  current->flags |= PF_WQ_WORKER;  // set_pf_worker
  while (true) {
    spin_lock_irq(&pool->lock);
    if ((worker->flags & WORKER_DIE) != 0) return end_worker(worker);
    worker_leave_idle(worker);
    do_works(worker);
    worker_enter_idle(worker);
    __set_current_state(TASK_IDLE);
    spin_unlock_irq(&pool->lock);
    schedule();
  }
}

// v4.19 kernel/workqueue.c: wq_worker_waking_up
void wq_worker_waking_up(task_struct* task) {
  FUNCTION(task->pid);
  const auto* woken = static_cast<worker*>(kthread_data(task));
  if ((woken->flags & WORKER_NOT_RUNNING) == 0) ++woken->pool->nr_running;
}

// v4.19 kernel/workqueue.c: wq_worker_sleeping. Returns who is to be woken in its place; null:
// nobody.
task_struct* wq_worker_sleeping(task_struct* task) {
  FUNCTION(task->pid);
  const auto* sleeping = static_cast<worker*>(kthread_data(task));
  if ((sleeping->flags & WORKER_NOT_RUNNING) != 0) return nullptr;
  worker_pool* pool = sleeping->pool;
  if (--pool->nr_running != 0 || pool->worklist.empty()) return nullptr;
  const worker* to_wakeup = first_idle_worker(pool);
  return to_wakeup == nullptr ? nullptr : to_wakeup->task;
}

}  // namespace

// v4.19 kernel/workqueue.c: __need_more_worker. In an unbound pool always.
bool __need_more_worker(const worker_pool* pool) { return pool->nr_running == 0; }

// v4.19 kernel/workqueue.c: find_worker_executing_work. A work that was freed and made anew for
// something else, in the same memory, is another one.
worker* find_worker_executing_work(worker_pool* pool, const work_struct* work) {
  FUNCTION(work);
  for (worker* busy : pool->busy_hash) {
    if (busy->current_work == work && busy->current_func == work->func) return busy;
  }
  return nullptr;
}

// v4.19 kernel/workqueue.c: wake_up_worker. REQUIRES: pool->lock.
void wake_up_worker(worker_pool* pool) {
  FUNCTION(pool->id);
  const worker* idle = first_idle_worker(pool);
  if (idle != nullptr) wake_up_process(idle->task);
}

// v4.19 kernel/workqueue_internal.h: current_wq_worker. Null: the caller is not a worker.
worker* current_wq_worker() {
  if (in_interrupt() || (current->flags & PF_WQ_WORKER) == 0) return nullptr;
  return static_cast<worker*>(kthread_data(current));
}

// v4.19 kernel/workqueue.c: init_worker_pool, and what workqueue_init does for each. Its workers
// are where those of a running kernel are: asleep in worker_thread.
void start_worker_pool(worker_pool* pool) {
  timer_setup(&pool->idle_timer, idle_worker_timeout);
  for (int i = 0; i < kWorkersAtStart; ++i) {
    SlabHeader* header = TakeSlabObject(*kmalloc_cache<worker>);
    const kptr<worker> made(new (ObjectOf(header)) worker);
    AttachThread(pool, made);
    made->task->flags |= PF_WQ_WORKER;
    ++pool->nr_workers;
    worker_enter_idle(made.get());
  }
}

void init_worker_hooks() {
  sched_hooks->wq_worker_sleeping = wq_worker_sleeping;
  sched_hooks->wq_worker_waking_up = wq_worker_waking_up;
}

}  // namespace kpath
