// SPDX-License-Identifier: Apache-2.0
//
// What a task waits for.
#pragma once

#include <string>

#include "inspect/info/view.h"

namespace kpath {

// The last of the locks of a task, if it does not hold it but waits for it: it sleeps, or spins.
// Null: it waits for none.
const held_lock* AwaitedLock(const task_struct& task);
// Who holds a lock that another task waits for; null: nobody is known to.
const task_struct* HolderOf(const View& view, const held_lock& lock);

// The modelled function that a task has called to sleep: the innermost one outside of the
// scheduler. Empty: there is none.
std::string SleepingIn(const task_struct& task);
// The lock class name of the wait queue that the task is in, `&ctx->wait`: of contexts, eventfds,
// pipes, ends of children, growing tables of descriptors, tags and queues of devices. Empty: it is
// in none of these.
std::string WaitQueueOf(const View& view, const task_struct& task);

// All of it in a line: `a CPU`; `&ctx->ring_lock, held by aio/1, in mutex_lock`;
// `&ctx->wait, in read_events`; empty for a task that runs, or has ended.
std::string WaitText(const View& view, const task_struct& task);

}  // namespace kpath
