// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/capability.h"

#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 kernel/capability.c: capable
bool capable(int cap) {
  FUNCTION(cap);
  return fn.Return((current->cap_effective >> cap & 1) != 0);
}

}  // namespace kpath
