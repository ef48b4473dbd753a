// SPDX-License-Identifier: Apache-2.0
//
// Signals, as far as they end processes: what a bad memory access raises, and SIGKILL for the other
// threads of a process that ends. v4.19 kernel/signal.c, arch/x86/kernel/signal.c
//
// Departs: there are no handlers, masks, ignored or queued signals, no core dumps; every signal
// that is raised here is deadly.
#pragma once

#include "sim/process/process.h"

namespace kpath {

// v4.19 kernel/signal.c: force_sig_info. Raises `sig` in a thread; it acts at the thread's return
// to user mode. `code` and `addr` are the siginfo's, shown in the trace. Any context.
void force_sig_fault(int sig, int code, uint64_t addr, task_struct* task);

// v4.19 kernel/signal.c: zap_other_threads. SIGKILL for all threads of the group but `task`.
// Returns how many those are. REQUIRES: tasklist_lock.
int zap_other_threads(task_struct* task);

// v4.19 arch/x86/kernel/signal.c: do_signal. Called on the way to user mode while TIF_SIGPENDING is
// set, interrupts on. Ends the process if a signal is waiting; else makes an interrupted system
// call start again, as for a signal without a handler.
void do_signal(pt_regs* regs);

}  // namespace kpath
