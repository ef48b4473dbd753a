// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/percpu_ref.h"

#include "absl/strings/str_cat.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/report.h"
#include "sim/kernel/spinlock.h"
#include "sim/kernel/wait.h"

namespace kpath {
namespace {

struct percpu_ref_globals {
  spinlock_t percpu_ref_switch_lock{"percpu_ref_switch_lock"};
  wait_queue_head_t percpu_ref_switch_waitq{"percpu_ref_switch_waitq"};
};
KernelGlobal<percpu_ref_globals> percpu_refs;

[[noreturn]] void ReportUnderflow(const char* what, unsigned long count) {
  Report(absl::StrCat("WARNING: percpu ref <= 0 (", static_cast<long>(count), ") ", what));
}

// v4.19 lib/percpu-refcount.c: percpu_ref_noop_confirm_switch
void percpu_ref_noop_confirm_switch(percpu_ref*) {}

// v4.19 lib/percpu-refcount.c: percpu_ref_call_confirm_rcu
void percpu_ref_call_confirm_rcu(percpu_ref* ref) {
  FUNCTION(ref);
  ref->confirm_switch(ref);
  ref->confirm_switch = nullptr;
  wake_up_all(&percpu_refs->percpu_ref_switch_waitq);
  percpu_ref_put(ref);  // that of __percpu_ref_switch_to_atomic
}

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
    ReportUnderflow("after switching to atomic", ref->count);
  }
  percpu_ref_call_confirm_rcu(ref);
}

// v4.19 lib/percpu-refcount.c: __percpu_ref_switch_to_atomic
void __percpu_ref_switch_to_atomic(percpu_ref* ref, percpu_ref_func_t confirm_switch) {
  if (ref->atomic) {
    if (confirm_switch != nullptr) confirm_switch(ref);
    return;
  }
  FUNCTION(ref);
  ref->atomic = true;
  ref->confirm_switch = confirm_switch != nullptr ? confirm_switch : percpu_ref_noop_confirm_switch;
  percpu_ref_get(ref);
  call_rcu_sched(&ref->rcu, percpu_ref_switch_to_atomic_rcu);
}

// v4.19 lib/percpu-refcount.c: __percpu_ref_switch_to_percpu
void __percpu_ref_switch_to_percpu(percpu_ref* ref) {
  if (!ref->atomic) return;
  FUNCTION(ref);
  ref->count += PERCPU_COUNT_BIAS;
  for (int cpu = 0; cpu < current->machine->cpus(); ++cpu) {
    per_cpu_ptr(ref->percpu_count, cpu)->count = 0;
  }
  ref->atomic = false;
}

// v4.19 lib/percpu-refcount.c: __percpu_ref_switch_mode. REQUIRES: percpu_ref_switch_lock, taken
// with _raw_spin_lock_irqsave; let go while an earlier switch is under way.
void __percpu_ref_switch_mode(percpu_ref* ref, percpu_ref_func_t confirm_switch) {
  spinlock_t* lock = &percpu_refs->percpu_ref_switch_lock;
  lockdep_assert_held(lock);
  while (ref->confirm_switch != nullptr) {  // wait_event_lock_irq
    spin_unlock_irq(lock);
    wait_event(&percpu_refs->percpu_ref_switch_waitq,
               [&] { return ref->confirm_switch == nullptr; });
    spin_lock_irq(lock);
  }
  if (ref->force_atomic || ref->dead) {
    __percpu_ref_switch_to_atomic(ref, confirm_switch);
  } else {
    __percpu_ref_switch_to_percpu(ref);
  }
}

}  // namespace

int percpu_ref_init(percpu_ref* ref, percpu_ref_func_t release, unsigned flags, gfp_t gfp) {
  FUNCTION(flags);
  ref->percpu_count = alloc_percpu_gfp<percpu_ref_count>(gfp);
  if (!ref->percpu_count) {
    return fn.Return(Fail(ENOMEM, "no memory for the counters of the CPUs"));
  }
  ref->force_atomic = (flags & PERCPU_REF_INIT_ATOMIC) != 0;
  ref->dead = (flags & PERCPU_REF_INIT_DEAD) != 0;
  ref->atomic = ref->force_atomic || ref->dead;
  ref->count = (ref->atomic ? 0 : PERCPU_COUNT_BIAS) + (ref->dead ? 0 : 1);
  ref->release = release;
  ref->confirm_switch = nullptr;
  return fn.Return(0);
}

void percpu_ref_exit(percpu_ref* ref) {
  FUNCTION();
  if (!ref->percpu_count) return;
  if (ref->confirm_switch != nullptr) {
    Report("WARNING: percpu_ref_exit while the ref is being switched to atomic mode");
  }
  free_percpu(ref->percpu_count);
  ref->percpu_count = nullptr;
  ref->atomic = ref->dead = true;
}

// ---- Counting. The section keeps the grace period of a switch from ending between the look at the
// mode and the counting. ----

void percpu_ref_get_many(percpu_ref* ref, unsigned long nr) {
  FUNCTION(ref, nr);
  rcu_read_lock_sched();
  const bool atomic = ref->atomic;
  STEP("get", atomic);
  if (atomic) {
    ref->count += nr;
  } else {
    this_cpu_ptr(ref->percpu_count)->count += nr;
  }
  rcu_read_unlock_sched();
}

bool percpu_ref_tryget(percpu_ref* ref) {
  FUNCTION(ref);
  rcu_read_lock_sched();
  const bool atomic = ref->atomic;
  STEP("tryget", atomic);
  bool got = true;
  if (!atomic) {
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
  const bool atomic = ref->atomic;
  STEP("tryget_live", atomic, ref->dead);
  bool got = false;
  if (!atomic) {
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
  rcu_read_lock_sched();
  const bool atomic = ref->atomic;
  STEP("put", atomic);
  if (!atomic) {
    this_cpu_ptr(ref->percpu_count)->count -= nr;
  } else {
    if (ref->count < nr) ReportUnderflow("at a put", ref->count - nr);
    ref->count -= nr;
    if (ref->count == 0) ref->release(ref);
  }
  rcu_read_unlock_sched();
}

// ---- Switching ----

void percpu_ref_kill_and_confirm(percpu_ref* ref, percpu_ref_func_t confirm_kill) {
  FUNCTION(ref);
  unsigned long flags;
  spin_lock_irqsave(&percpu_refs->percpu_ref_switch_lock, flags);
  if (ref->dead) Report("WARNING: percpu_ref_kill_and_confirm called more than once");
  ref->dead = true;
  __percpu_ref_switch_mode(ref, confirm_kill);
  percpu_ref_put(ref);
  spin_unlock_irqrestore(&percpu_refs->percpu_ref_switch_lock, flags);
}

void percpu_ref_reinit(percpu_ref* ref) {
  FUNCTION(ref);
  unsigned long flags;
  spin_lock_irqsave(&percpu_refs->percpu_ref_switch_lock, flags);
  if (!percpu_ref_is_zero(ref)) Report("WARNING: percpu_ref_reinit of a ref that is in use");
  ref->dead = false;
  ref->count += 1;
  __percpu_ref_switch_mode(ref, nullptr);
  spin_unlock_irqrestore(&percpu_refs->percpu_ref_switch_lock, flags);
}

void percpu_ref_switch_to_atomic(percpu_ref* ref, percpu_ref_func_t confirm_switch) {
  FUNCTION(ref);
  unsigned long flags;
  spin_lock_irqsave(&percpu_refs->percpu_ref_switch_lock, flags);
  ref->force_atomic = true;
  __percpu_ref_switch_mode(ref, confirm_switch);
  spin_unlock_irqrestore(&percpu_refs->percpu_ref_switch_lock, flags);
}

void percpu_ref_switch_to_atomic_sync(percpu_ref* ref) {
  FUNCTION(ref);
  percpu_ref_switch_to_atomic(ref, nullptr);
  wait_event(&percpu_refs->percpu_ref_switch_waitq, [&] { return ref->confirm_switch == nullptr; });
}

void percpu_ref_switch_to_percpu(percpu_ref* ref) {
  FUNCTION(ref);
  unsigned long flags;
  spin_lock_irqsave(&percpu_refs->percpu_ref_switch_lock, flags);
  ref->force_atomic = false;
  __percpu_ref_switch_mode(ref, nullptr);
  spin_unlock_irqrestore(&percpu_refs->percpu_ref_switch_lock, flags);
}

bool percpu_ref_is_zero(const percpu_ref* ref) { return ref->atomic && ref->count == 0; }

}  // namespace kpath
