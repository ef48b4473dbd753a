// SPDX-License-Identifier: Apache-2.0
//
// percpu_ref: a reference count that costs nothing to share between CPUs while its object lives.
// v4.19 include/linux/percpu-refcount.h, lib/percpu-refcount.c
//
//   struct session { percpu_ref refs; ... };
//   if (percpu_ref_init(&s->refs, session_release, 0, GFP_KERNEL) != 0) return -ENOMEM;
//   if (percpu_ref_tryget_live(&s->refs)) { ... percpu_ref_put(&s->refs); }
//   percpu_ref_kill(&s->refs);   // drops the first reference; no more tryget_live
//   ...
//   percpu_ref_exit(&s->refs);   // after the release, frees the per-CPU counters
//
// In per-CPU mode each CPU counts for itself and zero is not noticed. Killing switches to atomic
// mode: after an RCU-sched grace period, when no CPU can be counting for itself any more, the sums
// are put together; only from then on the count can come to zero and `release` is called.
//
// Contexts: get, put, tryget, kill: any. `release` runs wherever the last reference is put, often
// in RCU's softirq: it must not sleep. init, exit and the switches may sleep.
//
// Stops the machine with a report where more references are put than there were, where a ref is
// killed twice, and where it is given up (exit) while it is being switched.
//
// Invariants
//   1. In per-CPU mode: references = count - PERCPU_COUNT_BIAS + the sum of the CPUs' counters.
//   2. In atomic mode, once the sums are put together: references = count.
//   3. release is called once, when the references come to zero, never before the grace period
//   after
//      percpu_ref_kill has ended.
#pragma once

#include "sim/kernel/percpu.h"
#include "sim/kernel/rcu.h"

namespace kpath {

struct percpu_ref;
using percpu_ref_func_t = void (*)(percpu_ref* ref);

struct percpu_ref_count {
  static constexpr const char* kSlabName = "percpu_ref_count";
  unsigned long count = 0;  // may wrap below zero: a CPU puts what another got
};

// What stands for the references of all CPUs as long as they are not summed up.
inline constexpr unsigned long PERCPU_COUNT_BIAS = 1ul << 63;

// Flags of percpu_ref_init.
inline constexpr unsigned PERCPU_REF_INIT_ATOMIC = 1;  // in atomic mode, and stays there
inline constexpr unsigned PERCPU_REF_INIT_DEAD = 2;    // as if killed, with no reference

struct percpu_ref {
  unsigned long count = 0;
  percpu_ptr<percpu_ref_count> percpu_count;
  bool atomic = false;        // __PERCPU_REF_ATOMIC
  bool dead = false;          // __PERCPU_REF_DEAD
  bool force_atomic = false;  // asked for by percpu_ref_switch_to_atomic
  percpu_ref_func_t release = nullptr;
  percpu_ref_func_t confirm_switch = nullptr;  // not null while the switch to atomic is under way
  rcu_head rcu;
};

inline Value MakeValue(const percpu_ref* ref) { return MakeValue(ref->percpu_count); }

// v4.19 lib/percpu-refcount.c: percpu_ref_init. One reference, the caller's. 0 or -ENOMEM.
int percpu_ref_init(percpu_ref* ref, percpu_ref_func_t release, unsigned flags, gfp_t gfp);
// v4.19 lib/percpu-refcount.c: percpu_ref_exit. Frees the counters; allowed on one that was never
// made.
void percpu_ref_exit(percpu_ref* ref);

// v4.19 include/linux/percpu-refcount.h. REQUIRES: the caller knows that a reference is held.
void percpu_ref_get_many(percpu_ref* ref, unsigned long nr);
inline void percpu_ref_get(percpu_ref* ref) { percpu_ref_get_many(ref, 1); }
// False if there is no reference any more.
bool percpu_ref_tryget(percpu_ref* ref);
// False if it was killed.
bool percpu_ref_tryget_live(percpu_ref* ref);
// Puts references; the last one calls release.
void percpu_ref_put_many(percpu_ref* ref, unsigned long nr);
inline void percpu_ref_put(percpu_ref* ref) { percpu_ref_put_many(ref, 1); }

// v4.19 lib/percpu-refcount.c: percpu_ref_kill_and_confirm. Marks it dead, switches it to atomic
// mode and drops the first reference. `confirm_kill` (may be null) is called when all CPUs see it
// as dead.
void percpu_ref_kill_and_confirm(percpu_ref* ref, percpu_ref_func_t confirm_kill);
inline void percpu_ref_kill(percpu_ref* ref) { percpu_ref_kill_and_confirm(ref, nullptr); }
// v4.19 lib/percpu-refcount.c: percpu_ref_reinit. Brings one whose references are all gone back to
// life, with one reference.
void percpu_ref_reinit(percpu_ref* ref);

// v4.19 lib/percpu-refcount.c: percpu_ref_switch_to_atomic. It counts in one place until
// percpu_ref_switch_to_percpu. `confirm_switch` (may be null) is called when it does.
void percpu_ref_switch_to_atomic(percpu_ref* ref, percpu_ref_func_t confirm_switch);
// The same, and waits for it.
void percpu_ref_switch_to_atomic_sync(percpu_ref* ref);
void percpu_ref_switch_to_percpu(percpu_ref* ref);

inline bool percpu_ref_is_dying(const percpu_ref* ref) { return ref->dead; }
// True if no reference is left. Only in atomic mode.
bool percpu_ref_is_zero(const percpu_ref* ref);

}  // namespace kpath
