// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/completion.h"

#include <climits>

namespace kpath {
namespace {

constexpr unsigned kForEver = UINT_MAX;

// v4.19 kernel/sched/completion.c: do_wait_for_common. REQUIRES: x->wait.lock. Returns what is left
// of the time, 0 or -ERESTARTSYS.
long do_wait_for_common(completion* x, long timeout, unsigned state) {
  if (x->done == 0) {
    wait_queue_entry wait;
    init_waitqueue_entry(&wait, current);
    __add_wait_queue_entry_tail_exclusive(&x->wait, &wait);
    do {
      if (signal_pending_state(state, current)) {
        timeout = Fail(ERESTARTSYS, "a signal came while waiting for a completion");
        break;
      }
      __set_current_state(state);
      spin_unlock_irq(&x->wait.lock);
      timeout = schedule_timeout(timeout);
      spin_lock_irq(&x->wait.lock);
    } while (x->done == 0 && timeout != 0);
    __remove_wait_queue(&x->wait, &wait);
    if (x->done == 0) return timeout;
  }
  if (x->done != kForEver) --x->done;
  return timeout != 0 ? timeout : 1;
}

// v4.19 kernel/sched/completion.c: wait_for_common
long wait_for_common(completion* x, long timeout, unsigned state) {
  might_sleep();
  spin_lock_irq(&x->wait.lock);
  timeout = do_wait_for_common(x, timeout, state);
  spin_unlock_irq(&x->wait.lock);
  return timeout;
}

int WaitForSignalOr(completion* x, unsigned state) {
  const long ret = wait_for_common(x, MAX_SCHEDULE_TIMEOUT, state);
  return ret == -ERESTARTSYS ? -ERESTARTSYS : 0;
}

}  // namespace

// v4.19 kernel/sched/completion.c: complete
void complete(completion* x) {
  FUNCTION();
  unsigned long flags;
  spin_lock_irqsave(&x->wait.lock, flags);
  if (x->done != kForEver) ++x->done;
  __wake_up_locked(&x->wait, TASK_NORMAL, 1);
  spin_unlock_irqrestore(&x->wait.lock, flags);
}

// v4.19 kernel/sched/completion.c: complete_all
void complete_all(completion* x) {
  FUNCTION();
  unsigned long flags;
  spin_lock_irqsave(&x->wait.lock, flags);
  x->done = kForEver;
  __wake_up_locked(&x->wait, TASK_NORMAL, 0);
  spin_unlock_irqrestore(&x->wait.lock, flags);
}

// v4.19 kernel/sched/completion.c: wait_for_completion
void wait_for_completion(completion* x) {
  FUNCTION();
  wait_for_common(x, MAX_SCHEDULE_TIMEOUT, TASK_UNINTERRUPTIBLE);
}

// v4.19 kernel/sched/completion.c: wait_for_completion_timeout
unsigned long wait_for_completion_timeout(completion* x, unsigned long timeout) {
  FUNCTION(timeout);
  const long left = wait_for_common(x, static_cast<long>(timeout), TASK_UNINTERRUPTIBLE);
  return fn.Return(static_cast<unsigned long>(left));
}

// v4.19 kernel/sched/completion.c: wait_for_completion_interruptible
int wait_for_completion_interruptible(completion* x) {
  FUNCTION();
  return fn.Return(WaitForSignalOr(x, TASK_INTERRUPTIBLE));
}

// v4.19 kernel/sched/completion.c: wait_for_completion_killable
int wait_for_completion_killable(completion* x) {
  FUNCTION();
  return fn.Return(WaitForSignalOr(x, TASK_KILLABLE));
}

// v4.19 kernel/sched/completion.c: try_wait_for_completion
bool try_wait_for_completion(completion* x) {
  FUNCTION();
  if (x->done == 0) return fn.Return(false);
  unsigned long flags;
  spin_lock_irqsave(&x->wait.lock, flags);
  const bool taken = x->done != 0;
  if (taken && x->done != kForEver) --x->done;
  spin_unlock_irqrestore(&x->wait.lock, flags);
  return fn.Return(taken);
}

}  // namespace kpath
