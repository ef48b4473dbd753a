// SPDX-License-Identifier: Apache-2.0
#include "entry/syscall_work.h"

#include "entry/tracehook.h"
#include "sim/process/audit.h"
#include "sim/process/seccomp.h"
#include "sim/process/tracepoint.h"

namespace kpath {
namespace {

// v4.19 arch/x86/entry/common.c: do_audit_syscall_entry
void do_audit_syscall_entry(const pt_regs* regs) {
  if (current->audit_context == nullptr) return;  // audit_syscall_entry
  const auto nr = static_cast<int>(regs->orig_ax);
  if ((current->ti.status & TS_COMPAT) != 0) {
    __audit_syscall_entry(nr, regs->bx, regs->cx, regs->dx, regs->si);
  } else {
    __audit_syscall_entry(nr, regs->di, regs->si, regs->dx, regs->r10);
  }
}

// v4.19 include/linux/audit.h: audit_syscall_exit
void audit_syscall_exit(const pt_regs* regs) {
  if (current->audit_context == nullptr) return;
  const auto result = static_cast<long>(regs->ax);
  const bool success = result >= 0 || result < -MAX_ERRNO;  // is_syscall_success
  __audit_syscall_exit(success, result);
}

}  // namespace

long syscall_trace_enter(pt_regs* regs) {
  FUNCTION(static_cast<long>(regs->orig_ax));
  // Read once: what a tracer changes while this task is stopped counts for the next call.
  const uint32_t work = current->ti.flags & _TIF_WORK_SYSCALL_ENTRY;
  const bool emulated = (work & _TIF_SYSCALL_EMU) != 0;

  if (emulated || (work & _TIF_SYSCALL_TRACE) != 0) {
    if (tracehook_report_syscall_entry(regs) != 0) return fn.Return(-1L);
  }
  if (emulated) return fn.Return(-1L);

  // After ptrace, which may have changed the call: what seccomp allows is what is made.
  if ((work & _TIF_SECCOMP) != 0) {
    if (__secure_computing(populate_seccomp_data()) == -1) return fn.Return(-1L);
  }

  // The live flag this time.
  if (test_thread_flag(TIF_SYSCALL_TRACEPOINT)) {
    trace_sys_enter(regs, static_cast<long>(regs->orig_ax));
  }
  do_audit_syscall_entry(regs);
  return fn.Return(static_cast<long>(regs->orig_ax));
}

void syscall_slow_exit_work(pt_regs* regs, uint32_t cached_flags) {
  FUNCTION(static_cast<long>(regs->ax), cached_flags);
  audit_syscall_exit(regs);
  if ((cached_flags & _TIF_SYSCALL_TRACEPOINT) != 0) {
    trace_sys_exit(regs, static_cast<long>(regs->ax));
  }
  // A debugger that steps over an emulated call has had its stop at the entry.
  const bool step = (cached_flags & (_TIF_SINGLESTEP | _TIF_SYSCALL_EMU)) == _TIF_SINGLESTEP;
  if (step || (cached_flags & _TIF_SYSCALL_TRACE) != 0) tracehook_report_syscall_exit(regs, step);
}

}  // namespace kpath
