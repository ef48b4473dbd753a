// SPDX-License-Identifier: Apache-2.0
//
// Memory pools: a few objects kept back, so that who gives back what he takes always gets one.
// v4.19 include/linux/mempool.h, mm/mempool.c
//
//   mempool_t pool;
//   mempool_init_slab_pool(&pool, 2, cache);        // -ENOMEM: not even these two
//   SlabHeader* element = mempool_alloc(&pool, GFP_KERNEL);   // never null, may sleep
//   T* object = new (ObjectOf(element)) T{};
//   mempool_free(&pool, element);
//
// Context: mempool_alloc with GFP_KERNEL: process; all else: any.
//
// Invariants
//   1. Of min_nr elements that are not in use elsewhere, all are in the pool.
//   2. An allocation with GFP_KERNEL fails never; it sleeps until an element is given back.
#pragma once

#include <vector>

#include "sim/kernel/slab.h"
#include "sim/kernel/wait.h"

namespace kpath {

struct mempool_t {
  spinlock_t lock;
  int min_nr = 0;
  int curr_nr = 0;
  std::vector<SlabHeader*> elements;
  kmem_cache_base* pool_data = nullptr;
  wait_queue_head_t wait;
};

// v4.19 mm/mempool.c: mempool_init. 0 or -ENOMEM. `cache`'s objects have no destructor to run.
int mempool_init_slab_pool(mempool_t* pool, int min_nr, kmem_cache_base* cache);
// v4.19 mm/mempool.c: mempool_exit. Frees what is kept back; all that was taken has been returned.
void mempool_exit(mempool_t* pool);
// v4.19 mm/mempool.c: mempool_alloc. Memory for one object, not made yet. Null: no memory, only
// with GFP_ATOMIC.
SlabHeader* mempool_alloc(mempool_t* pool, gfp_t gfp_mask);
// v4.19 mm/mempool.c: mempool_free
void mempool_free(SlabHeader* element, mempool_t* pool);

}  // namespace kpath
