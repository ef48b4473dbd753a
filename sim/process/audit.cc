// SPDX-License-Identifier: Apache-2.0
#include "sim/process/audit.h"

#include <utility>

#include "sim/process/seccomp.h"

namespace kpath {
namespace {

struct audit_globals {
  AuditRecordFunction function;  // empty: audit is off
};
KernelGlobal<audit_globals> audit;

kptr<audit_context> context_of(const task_struct* tsk) {
  return kptr<audit_context>(static_cast<audit_context*>(tsk->audit_context));
}

}  // namespace

void EnableAudit(Machine& machine, AuditRecordFunction function) {
  audit.Get(machine).function = std::move(function);
}

int audit_alloc(task_struct* tsk) {
  // As without CONFIG_AUDITSYSCALL: nothing is to be seen of it.
  clear_tsk_thread_flag(tsk, TIF_SYSCALL_AUDIT);
  if (!audit->function) return 0;
  FUNCTION(tsk->pid);
  const kptr<audit_context> context = kzalloc<audit_context>(GFP_KERNEL);
  if (!context) return fn.Return<int>(Fail(ENOMEM, "no memory for an audit_context"));
  tsk->audit_context = context.get();
  set_tsk_thread_flag(tsk, TIF_SYSCALL_AUDIT);
  return fn.Return(0);
}

void audit_free(task_struct* tsk) {
  if (tsk->audit_context == nullptr) return;
  kfree(context_of(tsk));
  tsk->audit_context = nullptr;
}

void __audit_syscall_entry(int major, unsigned long a1, unsigned long a2, unsigned long a3,
                           unsigned long a4) {
  FUNCTION(major, Value::Address(a1), Value::Address(a2), Value::Address(a3), Value::Address(a4));
  const kptr<audit_context> context = context_of(current);
  const bool ia32 = (current->ti.status & TS_COMPAT) != 0;
  *context = audit_context{.in_syscall = true,
                           .major = major,
                           .arch = ia32 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64,
                           .argv = {a1, a2, a3, a4}};
}

void __audit_syscall_exit(bool success, long return_code) {
  FUNCTION(success, return_code);
  const kptr<audit_context> context = context_of(current);
  // A call that never began for the audit (a tracer skipped it) leaves no record.
  if (!context->in_syscall) return;
  // What the program sees of a call that a signal interrupts is -EINTR.
  const bool restarts = return_code <= -ERESTARTSYS && return_code >= -ERESTART_RESTARTBLOCK &&
                        return_code != -ENOIOCTLCMD;
  context->return_valid = true;
  context->success = success;
  context->return_code = restarts ? -EINTR : return_code;
  context->in_syscall = false;
  if (audit->function) audit->function(current, *context);
}

}  // namespace kpath
