// SPDX-License-Identifier: Apache-2.0
#include "entry/syscall_work.h"

#include "sim/machine/check.h"

namespace kpath {

KernelGlobal<SyscallWorkHooks> syscall_work_hooks;

namespace {

template <typename Hook>
Hook Checked(Hook hook) {
  KPATH_CHECK(hook != nullptr, "a thread flag is set for work that nobody does");
  return hook;
}

seccomp_data SeccompData(const pt_regs* regs) {
  if ((current->ti.status & TS_COMPAT) != 0) {
    const auto low = [](unsigned long value) { return uint64_t{static_cast<uint32_t>(value)}; };
    return {.nr = static_cast<int>(regs->orig_ax),
            .arch = AUDIT_ARCH_I386,
            .instruction_pointer = regs->ip,
            .args = {low(regs->bx), low(regs->cx), low(regs->dx), low(regs->si), low(regs->di),
                     low(regs->bp)}};
  }
  return {.nr = static_cast<int>(regs->orig_ax),
          .arch = AUDIT_ARCH_X86_64,
          .instruction_pointer = regs->ip,
          .args = {regs->di, regs->si, regs->dx, regs->r10, regs->r8, regs->r9}};
}

}  // namespace

long syscall_trace_enter(pt_regs* regs) {
  FUNCTION(static_cast<long>(regs->orig_ax));
  const SyscallWorkHooks& hooks = *syscall_work_hooks;
  // Read once: what a tracer changes while this task is stopped counts for the next call.
  const uint32_t work = current->ti.flags & _TIF_WORK_SYSCALL_ENTRY;
  const bool emulated = (work & _TIF_SYSCALL_EMU) != 0;

  if (emulated || (work & _TIF_SYSCALL_TRACE) != 0) {
    if (Checked(hooks.report_syscall_entry)(regs) != 0) return fn.Return(-1L);
  }
  if (emulated) return fn.Return(-1L);

  // After ptrace, which may have changed the call: what seccomp allows is what is made.
  if ((work & _TIF_SECCOMP) != 0) {
    if (Checked(hooks.secure_computing)(SeccompData(regs)) == -1) return fn.Return(-1L);
  }

  // The live flag this time.
  if (test_thread_flag(TIF_SYSCALL_TRACEPOINT)) {
    Checked(hooks.trace_sys_enter)(regs, static_cast<long>(regs->orig_ax));
  }
  if (hooks.audit_syscall_entry != nullptr) hooks.audit_syscall_entry(regs);
  return fn.Return(static_cast<long>(regs->orig_ax));
}

void syscall_slow_exit_work(pt_regs* regs, uint32_t cached_flags) {
  FUNCTION(static_cast<long>(regs->ax), cached_flags);
  const SyscallWorkHooks& hooks = *syscall_work_hooks;
  if (hooks.audit_syscall_exit != nullptr) hooks.audit_syscall_exit(regs);
  if ((cached_flags & _TIF_SYSCALL_TRACEPOINT) != 0) {
    Checked(hooks.trace_sys_exit)(regs, static_cast<long>(regs->ax));
  }
  // A debugger that steps over an emulated call has had its stop at the entry.
  const bool step = (cached_flags & (_TIF_SINGLESTEP | _TIF_SYSCALL_EMU)) == _TIF_SINGLESTEP;
  if (step || (cached_flags & _TIF_SYSCALL_TRACE) != 0) {
    Checked(hooks.report_syscall_exit)(regs, step);
  }
}

}  // namespace kpath
