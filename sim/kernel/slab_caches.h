// SPDX-License-Identifier: Apache-2.0
//
// The slab caches of a machine, for who looks at it from outside.
//
//   for (const kmem_cache_base* cache : SlabCaches(machine)) cache->LiveObjects() ...
#pragma once

#include <vector>

#include "sim/kernel/slab.h"

namespace kpath {

// In the order in which they were made; they live as long as the machine. Context: any.
const std::vector<kmem_cache_base*>& SlabCaches(Machine& machine);

}  // namespace kpath
