// SPDX-License-Identifier: Apache-2.0
//
// Threads that stop: because a signal says so (job control), or for their tracer. v4.19
// include/linux/sched/jobctl.h, kernel/signal.c
//
// A stop begins with a flag in task_struct::jobctl and a wake-up; the thread acts on it in
// get_signal, on its way to user mode. Who stops a process stops all its threads; the last one to
// stop tells the parent. A traced thread stops for its tracer (ptrace_stop), whatever the reason,
// and the tracer decides how it goes on.
//
// Departs: process groups are never orphaned, so SIGTSTP and its kin always stop.
//
// Locks: jobctl and the flags of signal_struct are guarded by siglock; the state of a stopped task
// changes under it.
#pragma once

#include "sim/process/process.h"

namespace kpath {

// ---- task_struct::jobctl ----
inline constexpr unsigned long JOBCTL_STOP_SIGMASK = 0xffff;      // the signal that stopped it last
inline constexpr unsigned long JOBCTL_STOP_DEQUEUED = 1ul << 16;  // a stop signal was taken
inline constexpr unsigned long JOBCTL_STOP_PENDING = 1ul << 17;   // it is to stop with its group
inline constexpr unsigned long JOBCTL_STOP_CONSUME = 1ul << 18;   // and counts in group_stop_count
inline constexpr unsigned long JOBCTL_TRAP_STOP = 1ul << 19;      // it is to stop for its tracer
inline constexpr unsigned long JOBCTL_TRAP_NOTIFY = 1ul << 20;    // its tracer is to see a change
inline constexpr unsigned long JOBCTL_TRAPPING = 1ul << 21;       // a tracer waits for that stop
inline constexpr unsigned long JOBCTL_LISTENING = 1ul << 22;      // PTRACE_LISTEN
inline constexpr unsigned long JOBCTL_TRAP_MASK = JOBCTL_TRAP_STOP | JOBCTL_TRAP_NOTIFY;
inline constexpr unsigned long JOBCTL_PENDING_MASK = JOBCTL_STOP_PENDING | JOBCTL_TRAP_MASK;

// v4.19 kernel/signal.c: task_set_jobctl_pending. False: it is being killed, or has ended. All of
// these REQUIRE: siglock.
bool task_set_jobctl_pending(task_struct* task, unsigned long mask);
// v4.19 kernel/signal.c: task_clear_jobctl_pending, task_clear_jobctl_trapping
void task_clear_jobctl_pending(task_struct* task, unsigned long mask);
void task_clear_jobctl_trapping(task_struct* task);
// v4.19 kernel/signal.c: task_participate_group_stop. True: it was the last one; the parent is to
// be told.
bool task_participate_group_stop(task_struct* task);
// v4.19 kernel/signal.c: do_signal_stop. `signr` 0: one that is going on. True: the thread has
// stopped and goes on now, and siglock was dropped; false: there is no stop, or it will be a trap.
bool do_signal_stop(int signr);
// v4.19 kernel/signal.c: the head of get_signal. Tells the parent that the process has stopped or
// goes on, if it is still to be told. True: siglock was dropped.
bool tell_parent_of_change();
// v4.19 kernel/signal.c: the head of get_signal's loop. Stops, with the group or in a trap. True:
// siglock was dropped.
bool act_on_jobctl();
// v4.19 kernel/signal.c: prepare_signal, its part for SIGCONT. All stops are over.
void prepare_sigcont(task_struct* p);

// v4.19 kernel/signal.c: do_notify_parent_cldstop. Tells the tracer (`for_ptracer`), or the parent
// of the process, that it has stopped or goes on. `why`: CLD_*. REQUIRES: tasklist_lock.
void do_notify_parent_cldstop(task_struct* tsk, bool for_ptracer, int why);
// v4.19 kernel/exit.c: __wake_up_parent
void __wake_up_parent(task_struct* p, task_struct* parent);

}  // namespace kpath
