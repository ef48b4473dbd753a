// SPDX-License-Identifier: Apache-2.0
#include "fs_aio/reqs_available.h"

#include <algorithm>

#include "fs_aio/ring.h"

namespace kpath {
namespace {

// Tells what each CPU holds, a few in a clause.
void ExplainCpus(kptr<kioctx> ctx) {
  constexpr int kInClause = 7;
  constexpr const char* kFormats[kInClause + 1] = {
      "",
      "CPU $0 holds $1",
      "the CPUs from $0 on hold $1, $2",
      "the CPUs from $0 on hold $1, $2, $3",
      "the CPUs from $0 on hold $1, $2, $3, $4",
      "the CPUs from $0 on hold $1, $2, $3, $4, $5",
      "the CPUs from $0 on hold $1, $2, $3, $4, $5, $6",
      "the CPUs from $0 on hold $1, $2, $3, $4, $5, $6, $7",
  };
  const int cpus = current->machine->cpus();
  for (int first = 0; first < cpus; first += kInClause) {
    const int count = std::min(kInClause, cpus - first);
    unsigned held[kInClause] = {};
    for (int i = 0; i < count; ++i) held[i] = per_cpu_ptr(ctx->cpu, first + i)->reqs_available;
    Explain(kFormats[count], first, held[0], held[1], held[2], held[3], held[4], held[5], held[6]);
  }
}

// What the caller of io_submit is told when it has run out of slots: the counter that was empty,
// where all slots are, what would free one.
void FailNoSlot(kptr<kioctx> ctx) {
  const SlotCensus slots = CountSlots(ctx);
  Fail(EAGAIN,
       "no free slot: CPU $0 has none left, and it takes them $1 at a time from reqs_available, "
       "which is $2; of $3 slots $4 are in flight, $5 completed and not read",
       smp_processor_id(), ctx->req_batch, slots.global, ctx->nr_events - 1, slots.in_flight,
       slots.completed);
  ExplainCpus(ctx);
  if (slots.completed != 0) {
    Explain("reading events frees their slots, at the next io_submit or completion");
  } else if (slots.in_flight != 0) {
    Explain("a slot comes free when a request in flight has completed and its event was read");
  }
  if (slots.per_cpu != 0) Explain("what another CPU holds only a submitter there can have");
}

}  // namespace

// v4.19 fs/aio.c: put_reqs_available
void put_reqs_available(kptr<kioctx> ctx, unsigned nr) {
  FUNCTION(ctx, nr);
  const unsigned long flags = local_irq_save();
  kioctx_cpu* kcpu = this_cpu_ptr(ctx->cpu);
  kcpu->reqs_available += nr;
  while (kcpu->reqs_available >= ctx->req_batch * 2) {
    kcpu->reqs_available -= ctx->req_batch;
    ctx->reqs_available += ctx->req_batch;
    STEP("a batch goes to the global counter", ctx->reqs_available, kcpu->reqs_available);
  }
  local_irq_restore(flags);
}

// v4.19 fs/aio.c: get_reqs_available
bool get_reqs_available(kptr<kioctx> ctx) {
  FUNCTION(ctx);
  bool available = false;
  const unsigned long flags = local_irq_save();
  kioctx_cpu* kcpu = this_cpu_ptr(ctx->cpu);
  if (kcpu->reqs_available == 0 && ctx->reqs_available >= ctx->req_batch) {
    ctx->reqs_available -= ctx->req_batch;
    kcpu->reqs_available += ctx->req_batch;
    STEP("a batch comes from the global counter", ctx->reqs_available, kcpu->reqs_available);
  }
  if (kcpu->reqs_available != 0) {
    kcpu->reqs_available--;
    available = true;
  }
  local_irq_restore(flags);
  return fn.Return(available);
}

// v4.19 fs/aio.c: refill_reqs_available
void refill_reqs_available(kptr<kioctx> ctx, unsigned head, unsigned tail) {
  FUNCTION(ctx, head, tail);
  // user mode may have written anything to head
  head %= ctx->nr_events;
  const unsigned events_in_ring = head <= tail ? tail - head : ctx->nr_events - (head - tail);
  unsigned completed = ctx->completed_events;
  if (events_in_ring < completed) {
    completed -= events_in_ring;
  } else {
    completed = 0;
  }
  STEP("events read since the last look", completed, events_in_ring);
  if (completed == 0) return;
  ctx->completed_events -= completed;
  put_reqs_available(ctx, completed);
}

// v4.19 fs/aio.c: user_refill_reqs_available
void user_refill_reqs_available(kptr<kioctx> ctx) {
  FUNCTION(ctx);
  spin_lock_irq(&ctx->completion_lock);
  if (ctx->completed_events != 0) {
    refill_reqs_available(ctx, ReadRingHeader(ctx).head, ctx->tail);
  }
  spin_unlock_irq(&ctx->completion_lock);
}

// v4.19 fs/aio.c: aio_get_req
kptr<aio_kiocb> aio_get_req(kptr<kioctx> ctx) {
  FUNCTION(ctx);
  if (!get_reqs_available(ctx)) {
    user_refill_reqs_available(ctx);
    if (!get_reqs_available(ctx)) {
      FailNoSlot(ctx);
      return fn.Return(kptr<aio_kiocb>());
    }
  }
  kptr<aio_kiocb> req = kmem_cache_zalloc(*kiocb_cachep, GFP_KERNEL);
  if (!req) {
    put_reqs_available(ctx, 1);
    Fail(EAGAIN, "no memory for a request");
    return fn.Return(req);
  }
  percpu_ref_get(&ctx->reqs);
  req->ki_ctx = ctx;
  return fn.Return(req);
}

SlotCensus CountSlots(kptr<kioctx> ctx) {
  SlotCensus slots;
  slots.global = ctx->reqs_available;
  for (int id = 0; id < current->machine->cpus(); ++id) {
    slots.per_cpu += per_cpu_ptr(ctx->cpu, id)->reqs_available;
  }
  slots.completed = ctx->completed_events;
  slots.in_flight = ctx->nr_events - 1 - slots.global - slots.per_cpu - slots.completed;
  return slots;
}

}  // namespace kpath
