// SPDX-License-Identifier: Apache-2.0
//
// The tracepoints at the beginning and at the end of a system call. v4.19 kernel/tracepoint.c,
// include/trace/events/syscalls.h
//
//   const int id = register_trace_sys_enter(machine, [](const pt_regs* regs, long id) { … });
//   …
//   unregister_trace_sys_enter(machine, id);
//
// As long as somebody is registered every task has TIF_SYSCALL_TRACEPOINT, which makes it leave the
// fast way; with nobody there, a call costs what it did before.
//
// A probe function is called in the context of the task that makes the call, interrupts on. It
// looks on: it must not sleep, and must not pass probes of kpath's own.
//
// Context: registering: any, or from outside of the machine.
#pragma once

#include <functional>

#include "sim/kernel/sched.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// `id`: the number of the call. TP_PROTO(struct pt_regs *regs, long id)
using sys_enter_probe = std::function<void(const pt_regs* regs, long id)>;
// `ret`: what the call returned.
using sys_exit_probe = std::function<void(const pt_regs* regs, long ret)>;

// v4.19 include/linux/tracepoint.h: register_trace_*, unregister_trace_*. Returns what
// unregister_trace_* wants.
int register_trace_sys_enter(Machine& machine, sys_enter_probe probe);
int register_trace_sys_exit(Machine& machine, sys_exit_probe probe);
void unregister_trace_sys_enter(Machine& machine, int id);
void unregister_trace_sys_exit(Machine& machine, int id);

// v4.19 include/linux/tracepoint.h: trace_sys_enter, trace_sys_exit. Calls who is registered, in
// the order of registration.
void trace_sys_enter(const pt_regs* regs, long id);
void trace_sys_exit(const pt_regs* regs, long ret);

// v4.19 include/trace/syscall.h: syscall_tracepoint_update. A new task has the flag if the others
// do.
void syscall_tracepoint_update(task_struct* p);

}  // namespace kpath
