// SPDX-License-Identifier: Apache-2.0
#include "entry/tracehook.h"

#include <csignal>
#include <utility>

#include "entry/traps.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// v4.19 include/linux/tracehook.h: ptrace_report_syscall. Not 0: the task is being killed.
int ptrace_report_syscall() {
  if ((current->ptrace & PT_PTRACED) == 0) return 0;
  ptrace_notify(SIGTRAP | ((current->ptrace & PT_TRACESYSGOOD) != 0 ? 0x80 : 0));
  // What the tracer resumed it with is a signal of its own: this stop was none.
  if (const int signr = std::exchange(current->exit_code, 0); signr != 0) {
    send_sig(signr, current, 1);
  }
  return fatal_signal_pending(current) ? 1 : 0;
}

}  // namespace

int tracehook_report_syscall_entry(pt_regs* regs) {
  FUNCTION(regs->orig_ax);
  return fn.Return(ptrace_report_syscall());
}

void tracehook_report_syscall_exit(pt_regs* regs, bool step) {
  FUNCTION(static_cast<long>(regs->ax), step);
  if (!step) {
    ptrace_report_syscall();
    return;
  }
  // user_single_step_siginfo
  current->thread.trap_nr = X86_TRAP_DB;
  current->thread.error_code = 0;
  force_sig_fault(SIGTRAP, TRAP_BRKPT, regs->ip, current);
}

}  // namespace kpath
