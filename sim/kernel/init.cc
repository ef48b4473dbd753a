// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/init.h"

#include "sim/kernel/rcu.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/tick.h"
#include "sim/kernel/timer.h"
#include "sim/kernel/workqueue.h"

namespace kpath {

void InitKernel(Machine& machine) {
  sched_init(machine);
  tick_init(machine);
  init_timers(machine);
  EnterMachine enter(machine);
  rcu_init();
  workqueue_init();
}

}  // namespace kpath
