// SPDX-License-Identifier: Apache-2.0
#include "sim/mm/mempool.h"

#include "sim/kernel/fail.h"
#include "sim/kernel/jiffies.h"
#include "sim/kernel/timer.h"

namespace kpath {
namespace {

// v4.19 mm/mempool.c: mempool_alloc_slab
SlabHeader* mempool_alloc_slab(gfp_t gfp_mask, kmem_cache_base* cache) {
  FUNCTION(static_cast<uint32_t>(gfp_mask));
  return kmem_cache_alloc(*cache, gfp_mask);
}

// v4.19 mm/mempool.c: mempool_free_slab
void mempool_free_slab(SlabHeader* element) {
  FUNCTION();
  kmem_cache_free(element, element->generation);
}

// v4.19 mm/mempool.c: add_element
void add_element(mempool_t* pool, SlabHeader* element) {
  pool->elements.push_back(element);
  ++pool->curr_nr;
}

// v4.19 mm/mempool.c: remove_element
SlabHeader* remove_element(mempool_t* pool) {
  SlabHeader* element = pool->elements.back();
  pool->elements.pop_back();
  --pool->curr_nr;
  return element;
}

}  // namespace

// v4.19 mm/mempool.c: mempool_init
int mempool_init_slab_pool(mempool_t* pool, int min_nr, kmem_cache_base* cache) {
  FUNCTION(min_nr);
  spin_lock_init(&pool->lock);
  pool->min_nr = min_nr;
  pool->pool_data = cache;
  init_waitqueue_head(&pool->wait);
  while (pool->curr_nr < min_nr) {
    SlabHeader* element = mempool_alloc_slab(GFP_KERNEL, cache);
    if (element == nullptr) {
      mempool_exit(pool);
      return fn.Return(Fail(ENOMEM, "no memory for the $0 objects that a pool keeps back", min_nr));
    }
    add_element(pool, element);
  }
  return fn.Return(0);
}

// v4.19 mm/mempool.c: mempool_exit
void mempool_exit(mempool_t* pool) {
  FUNCTION();
  while (pool->curr_nr != 0) mempool_free_slab(remove_element(pool));
}

// v4.19 mm/mempool.c: mempool_alloc. The first try does not reclaim memory and does not wait.
SlabHeader* mempool_alloc(mempool_t* pool, gfp_t gfp_mask) {
  FUNCTION(static_cast<uint32_t>(gfp_mask));
  const bool may_wait = gfp_mask == GFP_KERNEL;
  if (may_wait) might_sleep();
  while (true) {
    SlabHeader* element = mempool_alloc_slab(GFP_ATOMIC, pool->pool_data);
    if (element != nullptr) return element;
    unsigned long flags;
    spin_lock_irqsave(&pool->lock, flags);
    if (pool->curr_nr != 0) {
      element = remove_element(pool);
      spin_unlock_irqrestore(&pool->lock, flags);
      STEP("an element that was kept back", pool->curr_nr);
      return element;
    }
    if (!may_wait) {
      spin_unlock_irqrestore(&pool->lock, flags);
      return nullptr;
    }
    wait_queue_entry wait;  // init_wait
    wait.task = current;
    wait.func = autoremove_wake_function;
    prepare_to_wait(&pool->wait, &wait, TASK_UNINTERRUPTIBLE);
    spin_unlock_irqrestore(&pool->lock, flags);
    // Elements come back sooner or later; memory may, too.
    schedule_timeout(5 * HZ);
    finish_wait(&pool->wait, &wait);
  }
}

// v4.19 mm/mempool.c: mempool_free
void mempool_free(SlabHeader* element, mempool_t* pool) {
  FUNCTION();
  if (element == nullptr) return;
  if (pool->curr_nr < pool->min_nr) {
    unsigned long flags;
    spin_lock_irqsave(&pool->lock, flags);
    if (pool->curr_nr < pool->min_nr) {
      add_element(pool, element);
      spin_unlock_irqrestore(&pool->lock, flags);
      wake_up(&pool->wait);
      return;
    }
    spin_unlock_irqrestore(&pool->lock, flags);
  }
  mempool_free_slab(element);
}

}  // namespace kpath
