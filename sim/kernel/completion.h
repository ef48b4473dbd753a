// SPDX-License-Identifier: Apache-2.0
//
// Completions: "wait until that has been done". v4.19 include/linux/completion.h
//
//   completion done;
//   init_completion(&done);
//   ... hand &done to whoever does it: complete(&done) ...
//   wait_for_completion(&done);
//
// Contexts: complete and complete_all in any; waiting in process context.
//
// Invariants
//   1. `done` counts completions that nobody has waited for yet; UINT_MAX: for ever.
//   2. Each complete() lets one waiter go on, first come first served.
#pragma once

#include "sim/kernel/timer.h"
#include "sim/kernel/wait.h"

namespace kpath {

struct completion {
  unsigned done = 0;
  wait_queue_head_t wait;
};

// The name of its queue's lock class is where it is initialised.
#define init_completion(x)           \
  do {                               \
    (x)->done = 0;                   \
    init_waitqueue_head(&(x)->wait); \
  } while (false)
inline void reinit_completion(completion* x) { x->done = 0; }

// Lets one waiter go on, the first that waits or will wait.
void complete(completion* x);
// Lets all go on, now and until reinit_completion.
void complete_all(completion* x);

void wait_for_completion(completion* x);
// `timeout` in jiffies. Returns what is left of it, at least 1; 0 if the time was over.
unsigned long wait_for_completion_timeout(completion* x, unsigned long timeout);
// Returns 0, or -ERESTARTSYS for a signal; killable: for one that ends the task.
[[nodiscard]] int wait_for_completion_interruptible(completion* x);
[[nodiscard]] int wait_for_completion_killable(completion* x);
// Takes a completion if there is one.
bool try_wait_for_completion(completion* x);
// True if a wait_for_completion would not sleep.
inline bool completion_done(const completion* x) { return x->done != 0; }

}  // namespace kpath
