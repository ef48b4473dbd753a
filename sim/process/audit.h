// SPDX-License-Identifier: Apache-2.0
//
// The audit of system calls: who called what, with which arguments, and what came of it. v4.19
// kernel/auditsc.c, include/linux/audit.h
//
//   EnableAudit(machine, [](const task_struct* task, const audit_context& record) { … });
//
// From then on each new task has an audit_context and TIF_SYSCALL_AUDIT; the beginning of a call is
// written there, and its end hands the record over.
//
// Departs: there are no rules: every call of every task is recorded; of what a record may hold only
// the call itself (no paths, no credentials); nothing is sent to user mode, a function gets it.
//
// Context: process, interrupts on. The function looks on: it must not sleep, and must not pass
// probes of kpath's own.
#pragma once

#include <cstdint>
#include <functional>

#include "sim/kernel/sched.h"

namespace kpath {

// v4.19 kernel/audit.h: struct audit_context
struct audit_context {
  static constexpr const char* kSlabName = "kmalloc-1024";

  bool in_syscall = false;
  int major = 0;               // the number of the call
  uint32_t arch = 0;           // AUDIT_ARCH_*
  unsigned long argv[4] = {};  // its first arguments
  bool return_valid = false;   // the call has ended
  bool success = false;
  long return_code = 0;
};

using AuditRecordFunction =
    std::function<void(const task_struct* task, const audit_context& record)>;

// Audit is on for all tasks that are made from now on (v4.19: audit=1). Null: off again, for new
// tasks.
void EnableAudit(Machine& machine, AuditRecordFunction function);

// v4.19 kernel/auditsc.c: audit_alloc, audit_free. Of a new task, of one that is freed. 0 or
// -ENOMEM.
int audit_alloc(task_struct* tsk);
void audit_free(task_struct* tsk);

// v4.19 kernel/auditsc.c: __audit_syscall_entry, __audit_syscall_exit. REQUIRES: the current task
// has an audit_context.
void __audit_syscall_entry(int major, unsigned long a1, unsigned long a2, unsigned long a3,
                           unsigned long a4);
void __audit_syscall_exit(bool success, long return_code);

}  // namespace kpath
