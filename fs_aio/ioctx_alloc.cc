// SPDX-License-Identifier: Apache-2.0
//
// ioctx_alloc: a new context, step by step, with the way back from each step. v4.19 fs/aio.c
#include <algorithm>

#include "fs_aio/aio.h"
#include "fs_aio/ioctx.h"
#include "fs_aio/ring.h"
#include "sim/mm/mmap.h"

namespace kpath {
namespace {

// v4.19 fs/aio.c: part of ioctx_alloc: the checks before anything is made. Returns the number of
// events that the ring must have room for, or a negative errno.
long ring_size(unsigned nr_events) {
  // The batches that CPUs keep to themselves may hold back half of the slots: twice as many are
  // made.
  const unsigned at_least = static_cast<unsigned>(current->machine->cpus()) * 4;
  const unsigned nr = std::max(nr_events, at_least) * 2;
  if (nr > 0x10000000U / sizeof(io_event)) {
    return Fail(EINVAL, "nr_events=$0 is too high: twice that is more than 8388608 events",
                nr_events);
  }
  if (nr == 0 || nr_events > aio->aio_max_nr) {
    return Fail(EAGAIN, "nr_events=$0 is more than aio-max-nr=$1", nr_events, aio->aio_max_nr);
  }
  return nr;
}

// v4.19 fs/aio.c: part of ioctx_alloc: counts the context against fs.aio-max-nr.
int aio_nr_add(unsigned nr) {
  spin_lock(&aio->aio_nr_lock);
  const unsigned long used = aio->aio_nr, limit = aio->aio_max_nr;
  if (used + nr > limit || used + nr < used) {
    spin_unlock(&aio->aio_nr_lock);
    return Fail(EAGAIN, "aio-nr=$0 + $1 asked for is more than aio-max-nr=$2", used, nr, limit);
  }
  aio->aio_nr += nr;
  STEP("aio-nr counted", aio->aio_nr);
  spin_unlock(&aio->aio_nr_lock);
  return 0;
}

// v4.19 fs/aio.c: part of ioctx_alloc: the reference counts and the per-CPU counters.
int init_counters(kptr<kioctx> ctx) {
  if (percpu_ref_init(&ctx->users, free_ioctx_users, 0, GFP_KERNEL) != 0 ||
      percpu_ref_init(&ctx->reqs, free_ioctx_reqs, 0, GFP_KERNEL) != 0) {
    return Fail(ENOMEM, "no memory for the reference counts of a context");
  }
  ctx->cpu = alloc_percpu<kioctx_cpu>();
  if (!ctx->cpu) return Fail(ENOMEM, "no memory for the per-CPU counters of a context");
  return 0;
}

// v4.19 fs/aio.c: part of ioctx_alloc: from the ring to the place in the table. A context whose
// ring stands and which cannot be had all the same, is taken apart again.
int publish(kptr<kioctx> ctx) {
  ctx->reqs_available = ctx->nr_events - 1;
  ctx->req_batch =
      std::max(1u, (ctx->nr_events - 1) / (static_cast<unsigned>(current->machine->cpus()) * 4));
  int err = aio_nr_add(ctx->max_reqs);
  if (err == 0) {
    percpu_ref_get(&ctx->users);  // io_setup drops this one
    percpu_ref_get(&ctx->reqs);   // free_ioctx_users drops this one
    err = ioctx_add_table(ctx, current->mm);
    if (err == 0) return 0;
    aio_nr_sub(ctx->max_reqs);
  }
  ctx->dead = true;
  if (ctx->mmap_size != 0) vm_munmap(ctx->mmap_base, ctx->mmap_size);
  aio_free_ring(ctx);
  return err;
}

int build(kptr<kioctx> ctx, unsigned nr_events) {
  if (int err = init_counters(ctx); err != 0) return err;
  if (int err = aio_setup_ring(ctx, nr_events); err != 0) return err;
  return publish(ctx);
}

}  // namespace

// v4.19 fs/aio.c: ioctx_alloc
kptr<kioctx> ioctx_alloc(unsigned nr_events) {
  FUNCTION(nr_events);
  const long size = ring_size(nr_events);
  if (size < 0) return fn.Return(kptr<kioctx>(Error(static_cast<int>(-size))));
  kptr<kioctx> ctx = kmem_cache_zalloc(*kioctx_cachep, GFP_KERNEL);
  if (!ctx) return fn.Return(kptr<kioctx>(Fail(ENOMEM, "no memory for a context")));
  ctx->max_reqs = nr_events;
  mutex_init(&ctx->ring_lock);
  // Held until the context is complete, so that moving its pages has to wait.
  mutex_lock(&ctx->ring_lock);
  init_waitqueue_head(&ctx->wait);

  const int err = build(ctx, static_cast<unsigned>(size));
  mutex_unlock(&ctx->ring_lock);
  if (err == 0) return fn.Return(ctx);
  free_percpu(ctx->cpu);
  percpu_ref_exit(&ctx->reqs);
  percpu_ref_exit(&ctx->users);
  kmem_cache_free(*kioctx_cachep, ctx);
  return fn.Return(kptr<kioctx>(Error(-err)));
}

}  // namespace kpath
