// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/percpu_ref.h"

#include "absl/strings/str_cat.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/spinlock.h"

namespace kpath {
namespace {

struct percpu_ref_globals {
  spinlock_t percpu_ref_switch_lock{"percpu_ref_switch_lock"};
};
KernelGlobal<percpu_ref_globals> percpu_refs;

// v4.19 lib/percpu-refcount.c: percpu_ref_switch_to_atomic_rcu. No CPU counts for itself any more.
void percpu_ref_switch_to_atomic_rcu(rcu_head* rcu) {
  percpu_ref* ref = container_of(rcu, &percpu_ref::rcu);
  FUNCTION(ref);
  unsigned long count = 0;
  for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) {
    count += per_cpu_ptr(ref->percpu_count, cpu)->count;
  }
  // The bias kept the count from coming to zero until now.
  ref->count += count - PERCPU_COUNT_BIAS;
  STEP("summed up", count, ref->count);
  if (static_cast<long>(ref->count) <= 0) {
    Report(absl::StrCat("WARNING: percpu ref (", __func__, ") <= 0 (",
                        static_cast<long>(ref->count), ") after switching to atomic"));
  }
  percpu_ref_func_t confirm = ref->confirm_switch;
  ref->confirm_switch = nullptr;
  if (confirm != nullptr) confirm(ref);
  percpu_ref_put(ref);  // that of __percpu_ref_switch_to_atomic
}

// v4.19 lib/percpu-refcount.c: __percpu_ref_switch_to_atomic
void __percpu_ref_switch_to_atomic(percpu_ref* ref, percpu_ref_func_t confirm_switch) {
  FUNCTION(ref);
  ref->atomic = true;
  ref->confirm_switch = confirm_switch;
  percpu_ref_get(ref);
  call_rcu_sched(&ref->rcu, percpu_ref_switch_to_atomic_rcu);
}

}  // namespace

int percpu_ref_init(percpu_ref* ref, percpu_ref_func_t release, unsigned, gfp_t gfp) {
  FUNCTION();
  ref->percpu_count = alloc_percpu_gfp<percpu_ref_count>(gfp);
  if (!ref->percpu_count) {
    return fn.Return<int>(Fail(ENOMEM, "no memory for the counters of the CPUs"));
  }
  ref->count = PERCPU_COUNT_BIAS + 1;
  ref->release = release;
  return fn.Return(0);
}

void percpu_ref_exit(percpu_ref* ref) {
  FUNCTION();
  if (!ref->percpu_count) return;
  free_percpu(ref->percpu_count);
  ref->percpu_count = nullptr;
}

void percpu_ref_get_many(percpu_ref* ref, unsigned long nr) {
  FUNCTION(ref, nr);
  rcu_read_lock_sched();
  if (ref->atomic) {
    ref->count += nr;
  } else {
    this_cpu_ptr(ref->percpu_count)->count += nr;
  }
  rcu_read_unlock_sched();
}

bool percpu_ref_tryget(percpu_ref* ref) {
  FUNCTION(ref);
  rcu_read_lock_sched();
  bool got = true;
  if (!ref->atomic) {
    this_cpu_ptr(ref->percpu_count)->count += 1;
  } else if (ref->count != 0) {
    ref->count += 1;
  } else {
    got = false;
  }
  rcu_read_unlock_sched();
  return fn.Return(got);
}

bool percpu_ref_tryget_live(percpu_ref* ref) {
  FUNCTION(ref);
  rcu_read_lock_sched();
  bool got = false;
  if (!ref->atomic) {
    this_cpu_ptr(ref->percpu_count)->count += 1;
    got = true;
  } else if (!ref->dead && ref->count != 0) {
    ref->count += 1;
    got = true;
  }
  rcu_read_unlock_sched();
  return fn.Return(got);
}

void percpu_ref_put_many(percpu_ref* ref, unsigned long nr) {
  FUNCTION(ref, nr);
  bool last = false;
  rcu_read_lock_sched();
  if (!ref->atomic) {
    this_cpu_ptr(ref->percpu_count)->count -= nr;
  } else {
    ref->count -= nr;
    last = ref->count == 0;
  }
  if (last) ref->release(ref);
  rcu_read_unlock_sched();
}

void percpu_ref_kill_and_confirm(percpu_ref* ref, percpu_ref_func_t confirm_kill) {
  FUNCTION(ref);
  unsigned long flags;
  spin_lock_irqsave(&percpu_refs->percpu_ref_switch_lock, flags);
  if (ref->dead) {
    Report(absl::StrCat("WARNING: ", __func__, " called more than once"));
  }
  ref->dead = true;
  __percpu_ref_switch_to_atomic(ref, confirm_kill);
  percpu_ref_put(ref);
  spin_unlock_irqrestore(&percpu_refs->percpu_ref_switch_lock, flags);
}

bool percpu_ref_is_zero(const percpu_ref* ref) { return ref->atomic && ref->count == 0; }

}  // namespace kpath
