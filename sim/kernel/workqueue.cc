// SPDX-License-Identifier: Apache-2.0
//
// Queueing. v4.19 kernel/workqueue.c
#include "sim/kernel/workqueue.h"

#include <algorithm>
#include <utility>

#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/kernel/workqueue_internal.h"

namespace kpath {

KernelGlobal<workqueue_globals> workqueues;

namespace {

void CheckWork(const work_struct* work) {
  if (work->magic == work_struct::kMagic) return;
  Report("BUG: work is not initialised, or its memory was freed");
}

// v4.19 include/linux/bitops.h: test_and_set_bit(WORK_STRUCT_PENDING_BIT)
bool test_and_set_pending(work_struct* work) {
  CheckWork(work);
  return std::exchange(work->data.pending, true);
}

// v4.19 kernel/workqueue.c: pwq_activate_first_delayed
void pwq_activate_first_delayed(pool_workqueue* pwq) {
  pwq_activate_delayed_work(pwq->delayed_works.front());
}

// v4.19 kernel/workqueue.c: wq_select_unbound_cpu. Any CPU may be used, so it is the caller's.
int wq_select_unbound_cpu(int cpu) { return cpu; }

pool_workqueue* pwq_of_cpu(const kptr<workqueue_struct>& wq, int cpu) {
  return per_cpu_ptr(wq->cpu_pwqs, (wq->flags & WQ_UNBOUND) != 0 ? 0 : cpu);
}

// v4.19 kernel/workqueue.c: part of __queue_work: which pool_workqueue the work is queued on, with
// its pool's lock held. A work that still runs elsewhere is queued there, so that it does not run
// twice at a time.
pool_workqueue* lock_pwq_for(int cpu, const kptr<workqueue_struct>& wq, work_struct* work) {
  pool_workqueue* pwq = pwq_of_cpu(wq, cpu);
  worker_pool* last_pool = get_work_pool(work);
  if (last_pool == nullptr || last_pool == pwq->pool) {
    spin_lock(&pwq->pool->lock);
    return pwq;
  }
  spin_lock(&last_pool->lock);
  const worker* executing = find_worker_executing_work(last_pool, work);
  if (executing != nullptr && executing->current_pwq->wq == wq) return executing->current_pwq;
  spin_unlock(&last_pool->lock);
  spin_lock(&pwq->pool->lock);
  return pwq;
}

// v4.19 kernel/workqueue.c: is_chained_work. Queued by a work of the same workqueue.
bool is_chained_work(const kptr<workqueue_struct>& wq) {
  const worker* by = current_wq_worker();
  return by != nullptr && by->current_pwq->wq == wq;
}

// v4.19 kernel/workqueue.c: __queue_delayed_work
void __queue_delayed_work(int cpu, const kptr<workqueue_struct>& wq, delayed_work* dwork,
                          unsigned long delay) {
  FUNCTION(cpu, &dwork->work, delay);
  if (dwork->timer.pending) Report("WARNING: a delayed work is queued while its timer runs");
  // Without delay the timer is left alone: a timer of 0 jiffies would still wait for a tick.
  if (delay == 0) return __queue_work(cpu, wq, &dwork->work);
  dwork->wq = wq;
  dwork->cpu = cpu;
  dwork->timer.expires = jiffies + delay;
  if (cpu != WORK_CPU_UNBOUND) {
    add_timer_on(&dwork->timer, cpu);
  } else {
    add_timer(&dwork->timer);
  }
}

// v4.19 kernel/workqueue.c: delayed_work_timer_fn. With interrupts off (TIMER_IRQSAFE).
void delayed_work_timer_fn(timer_list* timer) {
  delayed_work* dwork = container_of(timer, &delayed_work::timer);
  FUNCTION(&dwork->work);
  __queue_work(dwork->cpu, dwork->wq, &dwork->work);
}

// v4.19 kernel/workqueue.c: rcu_work_rcufn
void rcu_work_rcufn(rcu_head* rcu) {
  FUNCTION();
  rcu_work* rwork = container_of(rcu, &rcu_work::rcu);
  local_irq_disable();
  __queue_work(WORK_CPU_UNBOUND, rwork->wq, &rwork->work);
  local_irq_enable();
}

}  // namespace

// ---- What is queued ----

// v4.19 kernel/workqueue.c: get_work_pwq. Null unless the work is queued.
pool_workqueue* get_work_pwq(const work_struct* work) {
  FUNCTION(work);
  return work->data.pwq;
}

// v4.19 kernel/workqueue.c: get_work_pool. Where the work is queued, or ran last; null: nowhere.
worker_pool* get_work_pool(const work_struct* work) {
  FUNCTION(work);
  CheckWork(work);
  if (work->data.pwq != nullptr) return work->data.pwq->pool;
  if (work->data.pool_id == WORK_OFFQ_POOL_NONE) return nullptr;
  return workqueues->pools[static_cast<size_t>(work->data.pool_id)].get();
}

// v4.19 kernel/workqueue.c: get_pwq. REQUIRES: the pool's lock.
void get_pwq(pool_workqueue* pwq) {
  if (pwq->refcnt <= 0) Report("WARNING: a workqueue is used that has been destroyed");
  ++pwq->refcnt;
}

// v4.19 kernel/workqueue.c: put_pwq. REQUIRES: the pool's lock.
// Departs: with the last reference Linux frees an unbound one from here, in a work of its own;
// destroy_workqueue does it for both kinds.
void put_pwq(pool_workqueue* pwq) {
  FUNCTION(pwq->refcnt);
  lockdep_assert_held(&pwq->pool->lock);
  --pwq->refcnt;
}

size_t position_of(const work_struct* work) {
  return static_cast<size_t>(std::find(work->entry->begin(), work->entry->end(), work) -
                             work->entry->begin());
}

void list_del_init(work_struct* work) {
  work->entry->erase(work->entry->begin() + static_cast<ptrdiff_t>(position_of(work)));
  work->entry = nullptr;
}

// v4.19 kernel/workqueue.c: move_linked_works
void move_linked_works(work_struct* work, work_list* head) {
  while (true) {
    work_list* from = work->entry;
    const size_t at = position_of(work);
    list_del_init(work);
    work->entry = head;
    head->push_back(work);
    if (!work->data.linked) return;
    work = (*from)[at];
  }
}

// v4.19 kernel/workqueue.c: pwq_activate_delayed_work
void pwq_activate_delayed_work(work_struct* work) {
  FUNCTION(work);
  pool_workqueue* pwq = get_work_pwq(work);
  move_linked_works(work, &pwq->pool->worklist);
  work->data.delayed = false;
  ++pwq->nr_active;
}

// v4.19 kernel/workqueue.c: pwq_dec_nr_in_flight. REQUIRES: the pool's lock.
void pwq_dec_nr_in_flight(pool_workqueue* pwq, int color) {
  FUNCTION(color);
  if (color == WORK_NO_COLOR) return put_pwq(pwq);
  --pwq->nr_in_flight[color];
  --pwq->nr_active;
  if (!pwq->delayed_works.empty() && pwq->nr_active < pwq->max_active) {
    pwq_activate_first_delayed(pwq);
  }
  if (pwq->flush_color == color && pwq->nr_in_flight[color] == 0) {
    // The last one that flush_workqueue waited for on this CPU.
    pwq->flush_color = -1;
    if (--pwq->wq->nr_pwqs_to_flush == 0) complete(&pwq->wq->first_flusher->done);
  }
  put_pwq(pwq);
}

// v4.19 kernel/workqueue.c: insert_work. REQUIRES: the pool's lock.
void insert_work(pool_workqueue* pwq, work_struct* work, work_list* head, size_t at,
                 work_data flags) {
  FUNCTION(work, head->size());
  flags.pending = true;  // set_work_pwq
  flags.pwq = pwq;
  flags.pool_id = work->data.pool_id;
  work->data = flags;
  work->entry = head;
  head->insert(head->begin() + static_cast<ptrdiff_t>(at), work);
  get_pwq(pwq);
  // A worker that falls asleep looks at the list after it has left nr_running: one of the two sees
  // the other.
  if (__need_more_worker(pwq->pool)) wake_up_worker(pwq->pool);
}

// v4.19 kernel/workqueue.c: set_work_pool_and_clear_pending
void set_work_pool_and_clear_pending(work_struct* work, int pool_id) {
  work->data = {.pool_id = pool_id};
}

// ---- Queueing ----

// v4.19 kernel/workqueue.c: __queue_work
void __queue_work(int cpu, const kptr<workqueue_struct>& wq, work_struct* work) {
  FUNCTION(cpu, work);
  if (!irqs_disabled()) Report("WARNING: __queue_work with interrupts on");
  if ((wq->flags & __WQ_DRAINING) != 0 && !is_chained_work(wq)) {
    Report("WARNING: a work is queued from outside while its workqueue is drained");
  }
  if (cpu == WORK_CPU_UNBOUND) cpu = wq_select_unbound_cpu(smp_processor_id());
  pool_workqueue* pwq = lock_pwq_for(cpu, wq, work);
  worker_pool* pool = pwq->pool;
  if (pwq->refcnt <= 0) Report("WARNING: a workqueue is used that has been destroyed");
  if (work->entry != nullptr) Report("WARNING: a work is queued that is in a list already");
  ++pwq->nr_in_flight[pwq->work_color];
  work_data flags = {.color = pwq->work_color};
  work_list* worklist = &pool->worklist;
  if (pwq->nr_active < pwq->max_active) {
    ++pwq->nr_active;
  } else {
    STEP("max_active: the work has to wait", pwq->nr_active);
    flags.delayed = true;
    worklist = &pwq->delayed_works;
  }
  insert_work(pwq, work, worklist, worklist->size(), flags);
  spin_unlock(&pool->lock);
}

// v4.19 kernel/workqueue.c: queue_work_on
bool queue_work_on(int cpu, kptr<workqueue_struct> wq, work_struct* work) {
  FUNCTION(cpu, work);
  bool ret = false;
  const unsigned long flags = local_irq_save();
  if (!test_and_set_pending(work)) {
    __queue_work(cpu, wq, work);
    ret = true;
  }
  local_irq_restore(flags);
  return fn.Return(ret);
}

// v4.19 kernel/workqueue.c: queue_delayed_work_on
bool queue_delayed_work_on(int cpu, kptr<workqueue_struct> wq, delayed_work* dwork,
                           unsigned long delay) {
  FUNCTION(cpu, &dwork->work, delay);
  bool ret = false;
  const unsigned long flags = local_irq_save();
  if (!test_and_set_pending(&dwork->work)) {
    __queue_delayed_work(cpu, wq, dwork, delay);
    ret = true;
  }
  local_irq_restore(flags);
  return fn.Return(ret);
}

// v4.19 kernel/workqueue.c: mod_delayed_work_on
bool mod_delayed_work_on(int cpu, kptr<workqueue_struct> wq, delayed_work* dwork,
                         unsigned long delay) {
  FUNCTION(cpu, &dwork->work, delay);
  unsigned long flags = 0;
  int ret;
  do {
    ret = try_to_grab_pending(&dwork->work, /*is_dwork=*/true, &flags);
  } while (ret == -EAGAIN);
  if (ret >= 0) {
    __queue_delayed_work(cpu, wq, dwork, delay);
    local_irq_restore(flags);
  }
  // -ENOENT, as something that is being cancelled, counts as pending.
  return fn.Return(ret != 0);
}

// v4.19 kernel/workqueue.c: queue_rcu_work
bool queue_rcu_work(kptr<workqueue_struct> wq, rcu_work* rwork) {
  FUNCTION(&rwork->work);
  if (test_and_set_pending(&rwork->work)) return fn.Return(false);
  rwork->wq = wq;
  call_rcu(&rwork->rcu, rcu_work_rcufn);
  return fn.Return(true);
}

// v4.19 include/linux/workqueue.h: INIT_DELAYED_WORK
void INIT_DELAYED_WORK(delayed_work* dwork, work_func_t func) {
  INIT_WORK(&dwork->work, func);
  timer_setup(&dwork->timer, delayed_work_timer_fn, TIMER_IRQSAFE);
}

delayed_work* to_delayed_work(work_struct* work) { return container_of(work, &delayed_work::work); }
rcu_work* to_rcu_work(work_struct* work) { return container_of(work, &rcu_work::work); }

}  // namespace kpath
