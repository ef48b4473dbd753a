// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/percpu.h"

#include "sim/kernel/sched.h"

namespace kpath {

bool pcpu_alloc(gfp_t gfp) {
  FUNCTION(gfp);
  if (gfp == GFP_KERNEL) might_sleep();
  return fn.Return(current->machine->Choose(ChoiceKind::kFailAlloc, 2) == 0);
}

bool __alloc_percpu_gfp(gfp_t gfp) {
  FUNCTION(gfp);
  return fn.Return(pcpu_alloc(gfp));
}

bool __alloc_percpu() {
  FUNCTION();
  return fn.Return(pcpu_alloc(GFP_KERNEL));
}

void free_percpu(SlabHeader* header, uint32_t generation) {
  FUNCTION();
  if (header != nullptr) GiveSlabObject(header, generation);
}

}  // namespace kpath
