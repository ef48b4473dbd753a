// SPDX-License-Identifier: Apache-2.0
//
// The life of a kioctx: io_setup, lookup, io_destroy, exit. v4.19 fs/aio.c
#include "fs_aio/ioctx.h"

#include <algorithm>

#include "fs_aio/aio.h"
#include "fs_aio/request.h"
#include "fs_aio/ring.h"
#include "sim/kernel/completion.h"
#include "sim/kernel/container_of.h"
#include "sim/mm/mmap.h"

namespace kpath {

KernelGlobal<kmem_cache<kioctx>> kioctx_cachep;
KernelGlobal<kmem_cache<aio_kiocb>> kiocb_cachep;
KernelGlobal<aio_globals> aio;

namespace {

// v4.19 fs/aio.c: free_ioctx. All references are gone and a grace period has passed.
void free_ioctx(work_struct* work) {
  kptr<kioctx> ctx(container_of(to_rcu_work(work), &kioctx::free_rwork));
  FUNCTION(ctx);
  aio_free_ring(ctx);
  free_percpu(ctx->cpu);
  percpu_ref_exit(&ctx->reqs);
  percpu_ref_exit(&ctx->users);
  kmem_cache_free(*kioctx_cachep, ctx);
}

// v4.19 fs/aio.c: part of ioctx_add_table: the lowest free place; -1: the table is full.
int find_free_place(const kptr<kioctx_table>& table) {
  if (!table) return -1;
  const auto& places = table->table;
  const auto free = std::find(places.begin(), places.end(), kptr<kioctx>());
  return free == places.end() ? -1 : static_cast<int>(free - places.begin());
}

// Of thousands of contexts, the one that is used next is not in the host's caches: it fetches at
// once what a request needs of it, not one thing after the other as they are come to.
void PrefetchContext(const kptr<kioctx_table>& table, const kptr<kioctx>& ctx) {
  table->fetched = ctx.get();
  Prefetch(ctx);
  Prefetch(ctx->users.percpu_count);
  Prefetch(ctx->reqs.percpu_count);
  Prefetch(ctx->cpu);
  if (!ctx->ring_pages.empty()) Prefetch(ctx->ring_pages.front());
}

}  // namespace

// v4.19 fs/aio.c: aio_nr_sub
void aio_nr_sub(unsigned nr) {
  FUNCTION(nr);
  spin_lock(&aio->aio_nr_lock);
  aio->aio_nr = aio->aio_nr < nr ? 0 : aio->aio_nr - nr;
  spin_unlock(&aio->aio_nr_lock);
}

// v4.19 fs/aio.c: free_ioctx_reqs. No request is left.
void free_ioctx_reqs(percpu_ref* ref) {
  kptr<kioctx> ctx(container_of(ref, &kioctx::reqs));
  FUNCTION(ctx);
  if (ctx->rq_wait != nullptr && --ctx->rq_wait->count == 0) complete(ctx->rq_wait->comp);
  INIT_RCU_WORK(&ctx->free_rwork, free_ioctx);
  queue_rcu_work(system_wq(), &ctx->free_rwork);
}

// v4.19 fs/aio.c: free_ioctx_users. No system call is inside any more, and none can come.
void free_ioctx_users(percpu_ref* ref) {
  kptr<kioctx> ctx(container_of(ref, &kioctx::users));
  FUNCTION(ctx);
  spin_lock_irq(&ctx->ctx_lock);
  while (!ctx->active_reqs.empty()) {
    kptr<aio_kiocb> req = ctx->active_reqs.front();
    req->ki_cancel(&req->rw);
    RemoveActive(ctx, req);
  }
  spin_unlock_irq(&ctx->ctx_lock);
  percpu_ref_kill(&ctx->reqs);
  percpu_ref_put(&ctx->reqs);
}

// v4.19 fs/aio.c: ioctx_add_table
int ioctx_add_table(kptr<kioctx> ctx, kptr<mm_struct> mm) {
  FUNCTION(ctx);
  spin_lock(&mm->ioctx_lock);
  while (true) {
    kptr<kioctx_table> table = mm->ioctx_table;
    const int place = find_free_place(table);
    if (place >= 0) {
      ctx->id = place;
      table->table[place] = ctx;
      spin_unlock(&mm->ioctx_lock);
      // The ring is not known to anybody else yet.
      kmap_ptr mapped = kmap_atomic(ctx->ring_pages[0]);
      mapped.as<aio_ring>()->id = ctx->id;
      kunmap_atomic(mapped);
      return fn.Return(0);
    }
    const size_t size = table ? table->table.size() * 4 : 4;
    spin_unlock(&mm->ioctx_lock);
    kptr<kioctx_table> larger = kzalloc<kioctx_table>(GFP_KERNEL);
    if (!larger) {
      return fn.Return<int>(Fail(ENOMEM, "no memory for a table of $0 contexts", size));
    }
    larger->table.resize(size);
    spin_lock(&mm->ioctx_lock);
    kptr<kioctx_table> old = mm->ioctx_table;
    if (!old) {
      mm->ioctx_table = larger;
    } else if (size > old->table.size()) {
      std::copy(old->table.begin(), old->table.end(), larger->table.begin());
      mm->ioctx_table = larger;
      kfree_rcu(old);
    } else {
      kfree(larger);  // another task was quicker
    }
  }
}

// v4.19 fs/aio.c: kill_ioctx
int kill_ioctx(kptr<mm_struct> mm, kptr<kioctx> ctx, ctx_rq_wait* wait) {
  FUNCTION(ctx);
  spin_lock(&mm->ioctx_lock);
  if (ctx->dead) {
    spin_unlock(&mm->ioctx_lock);
    return fn.Return<int>(Fail(EINVAL, "the context is being destroyed already"));
  }
  ctx->dead = true;
  mm->ioctx_table->table[ctx->id] = nullptr;
  spin_unlock(&mm->ioctx_lock);

  // Who waits for events learns from `dead` that there will be none.
  wake_up_all(&ctx->wait);
  // Early, so that a new io_setup may have the share of one that is still draining.
  aio_nr_sub(ctx->max_reqs);
  if (ctx->mmap_size != 0) vm_munmap(ctx->mmap_base, ctx->mmap_size);
  ctx->rq_wait = wait;
  percpu_ref_kill(&ctx->users);
  return fn.Return(0);
}

// v4.19 fs/aio.c: lookup_ioctx
kptr<kioctx> lookup_ioctx(uint64_t ctx_id) {
  FUNCTION(Value::Address(ctx_id));
  uint32_t id = 0;
  if (get_user(id, user_ptr<uint32_t>(ctx_id)) != 0) {
    Fail(EINVAL, "no context $0: nothing can be read there", Value::Address(ctx_id));
    return fn.Return(kptr<kioctx>());
  }
  kptr<kioctx> ret;
  rcu_read_lock();
  kptr<kioctx_table> table = current->mm->ioctx_table;
  if (!table || id >= table->table.size()) {
    Fail(EINVAL, "no context $0: the ring id $1 there is not in this process's table",
         Value::Address(ctx_id), id);
  } else {
    kptr<kioctx> ctx = table->table[id];
    if (ctx && ctx.get() != table->fetched) [[unlikely]]
      PrefetchContext(table, ctx);
    if (ctx && ctx->user_id == ctx_id && percpu_ref_tryget_live(&ctx->users)) {
      ret = ctx;
    } else {
      Fail(EINVAL, "no context $0: place $1 of the table holds another one or none",
           Value::Address(ctx_id), id);
    }
  }
  rcu_read_unlock();
  return fn.Return(ret);
}

// v4.19 fs/aio.c: exit_aio
void exit_aio(kptr<mm_struct> mm) {
  FUNCTION();
  kptr<kioctx_table> table = mm->ioctx_table;
  if (!table) return;
  completion requests_done;
  init_completion(&requests_done);
  ctx_rq_wait wait = {&requests_done, static_cast<int>(table->table.size())};
  int skipped = 0;
  for (size_t i = 0; i < table->table.size(); ++i) {
    kptr<kioctx> ctx = table->table[i];
    if (!ctx) {
      skipped++;
      continue;
    }
    // The whole address space goes; another task may be the one that drops it.
    ctx->mmap_size = 0;
    kill_ioctx(mm, ctx, &wait);
  }
  wait.count -= skipped;
  if (wait.count != 0) wait_for_completion(&requests_done);
  mm->ioctx_table = nullptr;
  kfree(table);
}

}  // namespace kpath
