// SPDX-License-Identifier: Apache-2.0
//
// Making and destroying workqueues, and the start of all. v4.19 kernel/workqueue.c
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/kernel/workqueue_internal.h"

namespace kpath {
namespace {

// The pool with this number among those of a CPU (std_worker_pools), or of no CPU.
worker_pool* std_worker_pool(int cpu, bool highpri) {
  return workqueues->pools[static_cast<size_t>(cpu * NR_STD_WORKER_POOLS + (highpri ? 1 : 0))]
      .get();
}

// v4.19 kernel/workqueue.c: wq_clamp_max_active
int wq_clamp_max_active(int max_active, unsigned flags) {
  int limit = WQ_MAX_ACTIVE;
  if ((flags & WQ_UNBOUND) != 0) limit = std::max(limit, 4 * current->machine->cpus());
  return std::clamp(max_active, 1, limit);
}

// v4.19 kernel/workqueue.c: init_pwq, link_pwq
void init_pwq(pool_workqueue* pwq, const kptr<workqueue_struct>& wq, worker_pool* pool,
              int max_active) {
  pwq->pool = pool;
  pwq->wq = wq;
  pwq->refcnt = 1;
  pwq->max_active = max_active;
}

// v4.19 kernel/workqueue.c: the part of __alloc_workqueue_key and alloc_and_link_pwqs that cannot
// fail.
void init_workqueue(const kptr<workqueue_struct>& wq, const std::string& name, unsigned flags,
                    int max_active) {
  wq->name = name;
  wq->flags = flags;
  mutex_init(&wq->lock);
  const bool highpri = (flags & WQ_HIGHPRI) != 0;
  const bool unbound = (flags & WQ_UNBOUND) != 0;
  const int cpus = current->machine->cpus();
  for (int cpu = 0; cpu < (unbound ? 1 : cpus); ++cpu) {
    init_pwq(per_cpu_ptr(wq->cpu_pwqs, cpu), wq, std_worker_pool(unbound ? cpus : cpu, highpri),
             max_active);
  }
}

// v4.19 kernel/workqueue.c: rcu_free_wq
void rcu_free_wq(rcu_head* rcu) {
  FUNCTION();
  const kptr<workqueue_struct> wq(container_of(rcu, &workqueue_struct::rcu));
  free_percpu(wq->cpu_pwqs);
  kfree(wq);
}

// v4.19 kernel/workqueue.c: part of destroy_workqueue: what must be over.
void CheckIdle(pool_workqueue* pwq) {
  spin_lock_irq(&pwq->pool->lock);
  const bool in_flight = std::any_of(std::begin(pwq->nr_in_flight), std::end(pwq->nr_in_flight),
                                     [](int count) { return count != 0; });
  if (in_flight || pwq->refcnt != 1 || pwq->nr_active != 0 || !pwq->delayed_works.empty()) {
    Report(absl::StrCat("WARNING: workqueue ", pwq->wq->name, " is destroyed while it is in use"));
  }
  spin_unlock_irq(&pwq->pool->lock);
}

// A workqueue that is made with the machine, and so cannot fail.
kptr<workqueue_struct> MakeSystemWorkqueue(const char* name, unsigned flags, int max_active) {
  SlabHeader* header = TakeSlabObject(*kmalloc_cache<workqueue_struct>);
  const kptr<workqueue_struct> wq(new (ObjectOf(header)) workqueue_struct);
  wq->cpu_pwqs = MakePercpuArray<pool_workqueue>();
  init_workqueue(wq, name, flags, max_active);
  return wq;
}

void MakePools(int cpu) {
  for (int nice : {0, -20}) {
    auto pool = std::make_unique<worker_pool>();
    pool->cpu = cpu;
    pool->nice = nice;
    pool->id = static_cast<int>(workqueues->pools.size());
    start_worker_pool(pool.get());
    workqueues->pools.push_back(std::move(pool));
  }
}

}  // namespace

std::vector<pool_workqueue*> pwqs_of(const kptr<workqueue_struct>& wq) {
  std::vector<pool_workqueue*> pwqs;
  const int count = (wq->flags & WQ_UNBOUND) != 0 ? 1 : current->machine->cpus();
  for (int cpu = 0; cpu < count; ++cpu) pwqs.push_back(per_cpu_ptr(wq->cpu_pwqs, cpu));
  return pwqs;
}

kptr<workqueue_struct> alloc_workqueue(const std::string& name, unsigned flags, int max_active) {
  FUNCTION(flags, max_active);
  if ((flags & WQ_UNBOUND) != 0 && max_active == 1) flags |= __WQ_ORDERED;
  kptr<workqueue_struct> wq = kzalloc<workqueue_struct>(GFP_KERNEL);
  if (!wq) return fn.Return(wq);
  wq->cpu_pwqs = alloc_percpu<pool_workqueue>();
  if (!wq->cpu_pwqs) {
    kfree(wq);
    return fn.Return(kptr<workqueue_struct>());
  }
  if (max_active == 0) max_active = WQ_DFL_ACTIVE;
  init_workqueue(wq, name, flags, wq_clamp_max_active(max_active, flags));
  return fn.Return(wq);
}

void destroy_workqueue(kptr<workqueue_struct> wq) {
  FUNCTION(wq);
  drain_workqueue(wq);
  for (pool_workqueue* pwq : pwqs_of(wq)) CheckIdle(pwq);
  call_rcu_sched(&wq->rcu, rcu_free_wq);
}

kptr<workqueue_struct> system_wq() { return workqueues->system_wq; }
kptr<workqueue_struct> system_highpri_wq() { return workqueues->system_highpri_wq; }
kptr<workqueue_struct> system_long_wq() { return workqueues->system_long_wq; }
kptr<workqueue_struct> system_unbound_wq() { return workqueues->system_unbound_wq; }

void workqueue_init() {
  init_worker_hooks();
  for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) MakePools(cpu);
  MakePools(/*cpu=*/-1);
  workqueue_globals& global = *workqueues;
  global.system_wq = MakeSystemWorkqueue("events", 0, WQ_DFL_ACTIVE);
  global.system_highpri_wq = MakeSystemWorkqueue("events_highpri", WQ_HIGHPRI, WQ_DFL_ACTIVE);
  global.system_long_wq = MakeSystemWorkqueue("events_long", 0, WQ_DFL_ACTIVE);
  global.system_unbound_wq = MakeSystemWorkqueue("events_unbound", WQ_UNBOUND,
                                                 wq_clamp_max_active(WQ_MAX_ACTIVE, WQ_UNBOUND));
}

}  // namespace kpath
