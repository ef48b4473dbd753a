// SPDX-License-Identifier: Apache-2.0
#include "sim/block/ioprio.h"

#include "sim/kernel/capability.h"
#include "sim/kernel/fail.h"

namespace kpath {

// v4.19 block/ioprio.c: ioprio_check_cap
int ioprio_check_cap(int ioprio) {
  FUNCTION(ioprio);
  const int ioprio_class = ioprio >> IOPRIO_CLASS_SHIFT;
  const int data = ioprio & ((1 << IOPRIO_CLASS_SHIFT) - 1);
  switch (ioprio_class) {
    case IOPRIO_CLASS_RT:
      if (!capable(CAP_SYS_ADMIN)) {
        return fn.Return<int>(Fail(EPERM, "the realtime class needs CAP_SYS_ADMIN"));
      }
      [[fallthrough]];
    case IOPRIO_CLASS_BE:
      if (data < IOPRIO_BE_NR) return fn.Return(0);
      return fn.Return<int>(
          Fail(EINVAL, "priority level $0 of class $1: there are 8", data, ioprio_class));
    case IOPRIO_CLASS_IDLE:
      return fn.Return(0);
    case IOPRIO_CLASS_NONE:
      if (data == 0) return fn.Return(0);
      return fn.Return<int>(Fail(EINVAL, "priority level $0 without a class", data));
    default:
      return fn.Return<int>(Fail(EINVAL, "priority class $0 does not exist", ioprio_class));
  }
}

// v4.19 block/ioprio.c: ioprio_best. Of two, the one that comes first; none is best effort.
unsigned short ioprio_best(unsigned short aprio, unsigned short bprio) {
  FUNCTION(aprio, bprio);
  constexpr unsigned short kDefault = IOPRIO_CLASS_BE << IOPRIO_CLASS_SHIFT | IOPRIO_NORM;
  if (aprio >> IOPRIO_CLASS_SHIFT == IOPRIO_CLASS_NONE) aprio = kDefault;
  if (bprio >> IOPRIO_CLASS_SHIFT == IOPRIO_CLASS_NONE) bprio = kDefault;
  return fn.Return(aprio < bprio ? aprio : bprio);
}

}  // namespace kpath
