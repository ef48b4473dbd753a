// SPDX-License-Identifier: Apache-2.0
//
// The slab allocator's caches, for who looks at a machine from outside.
//
//   for (const kmem_cache_base* cache : AllCaches(machine)) cache->LiveObjects() …
//   for (kptr<kioctx> ctx : LiveObjectsOf<kioctx>(machine)) …
//
// Context: from outside of the machine, or in any.
#pragma once

#include <vector>

#include "sim/kernel/slab.h"

namespace kpath {

// The caches of a machine, in the order in which they were made.
const std::vector<kmem_cache_base*>& AllCaches(Machine& machine);

// Whether the object was allocated, but is not there yet: its bytes are what the slab fills free
// memory with.
bool IsBeingMade(const SlabHeader& header);

// The objects of type T that are allocated, made and not freed, in the order of their addresses.
// Those of a type that nobody has used yet: none, and its cache is not made.
template <typename T>
std::vector<kptr<T>> LiveObjectsOf(Machine& machine) {
  std::vector<kptr<T>> objects;
  for (const kmem_cache_base* cache : AllCaches(machine)) {
    if (dynamic_cast<const kmem_cache<T>*>(cache) == nullptr) continue;
    for (const SlabHeader* header : cache->LiveObjects()) {
      if (IsBeingMade(*header)) continue;
      objects.push_back(kptr<T>(static_cast<T*>(ObjectOf(const_cast<SlabHeader*>(header)))));
    }
  }
  return objects;
}

}  // namespace kpath
