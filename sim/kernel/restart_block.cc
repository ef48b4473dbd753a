// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/restart_block.h"

#include "sim/kernel/fail.h"

namespace kpath {

long do_no_restart_syscall(restart_block*) {
  FUNCTION();
  return fn.Return<long>(Fail(EINTR, "no call is waiting to be restarted"));
}

}  // namespace kpath
