// SPDX-License-Identifier: Apache-2.0
//
// The limits of a process. v4.19 include/linux/sched/signal.h (rlimit),
// include/uapi/linux/resource.h
//
//   if (fd >= rlimit(RLIMIT_NOFILE)) return Fail(EMFILE, â¦);
//
// They belong to the process (signal_struct::rlim, which task_struct::rlim points to); a kernel
// thread has those of init. setrlimit is in sim/process/resource.cc.
//
// Context: any; about the current task.
#pragma once

#include <sys/resource.h>  // RLIMIT_*, RLIM_INFINITY, struct rlimit: the same on every Linux

#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 include/linux/sched/signal.h: rlimit. The soft limit.
inline unsigned long rlimit(int limit) { return current->rlim[limit].rlim_cur; }

}  // namespace kpath
