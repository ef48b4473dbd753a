// SPDX-License-Identifier: Apache-2.0
//
// One task, the tracer, looks at another, the tracee: stops it where it enters and leaves the
// kernel, reads and writes its registers and memory, decides about its signals. v4.19
// include/linux/ptrace.h, kernel/ptrace.c, kernel/signal.c
//
//   ptrace.cc         sys_ptrace, ptrace_request: what may be asked of a stopped tracee
//   ptrace_attach.cc  who traces whom: attach, traceme, detach, the tracer's end
//   ptrace_stop.cc    the tracee's side: it stops, the tracer hears of it
//   entry/ptrace.h    what is about registers: arch/x86/kernel/ptrace.c, step.c
//
// The tracee stops itself: at a system call (tracehook.h), before a signal is delivered, at an
// event that PTRACE_SETOPTIONS asks for. It puts the reason into exit_code, its state becomes
// TASK_TRACED, and its parent, which is the tracer now, is woken in wait4. A request finds it
// asleep, holds it there (__TASK_TRACED alone: not even SIGKILL wakes it), does its work and lets
// go; one that resumes it puts into exit_code the signal to go on with.
//
// Departs: there are no credentials: everybody may trace every process but itself; no
// PTRACE_PEEKSIGINFO and PTRACE_SECCOMP_GET_FILTER (checkpointing), no floating point registers.
//
// Locks: `ptrace`, `parent` and `ptraced` change with tasklist_lock held for writing; the first
// also under siglock.
//
// Invariants
//   1. t->ptrace != 0 exactly while t is in t->parent->ptraced; else t->parent is t->real_parent.
//   2. A task in state __TASK_TRACED is looked at by its tracer, which is in sys_ptrace.
#pragma once

#include "sim/process/process.h"

namespace kpath {

// ---- task_struct::ptrace. v4.19 include/linux/ptrace.h ----
inline constexpr unsigned PT_SEIZED = 0x00010000;
inline constexpr unsigned PT_PTRACED = 0x00000001;
inline constexpr unsigned PT_OPT_FLAG_SHIFT = 3;
constexpr unsigned PT_EVENT_FLAG(int event) { return 1u << (PT_OPT_FLAG_SHIFT + event); }
inline constexpr unsigned PT_TRACESYSGOOD = PT_EVENT_FLAG(0);

// ---- v4.19 include/uapi/linux/ptrace.h ----
// Requests, and those of arch/x86/include/uapi/asm/ptrace-abi.h.
enum : long {
  PTRACE_TRACEME = 0,
  PTRACE_PEEKTEXT = 1,
  PTRACE_PEEKDATA = 2,
  PTRACE_PEEKUSR = 3,
  PTRACE_POKETEXT = 4,
  PTRACE_POKEDATA = 5,
  PTRACE_POKEUSR = 6,
  PTRACE_CONT = 7,
  PTRACE_KILL = 8,
  PTRACE_SINGLESTEP = 9,
  PTRACE_GETREGS = 12,
  PTRACE_SETREGS = 13,
  PTRACE_ATTACH = 16,
  PTRACE_DETACH = 17,
  PTRACE_OLDSETOPTIONS = 21,
  PTRACE_SYSCALL = 24,
  PTRACE_SYSEMU = 31,
  PTRACE_SYSEMU_SINGLESTEP = 32,
  PTRACE_SETOPTIONS = 0x4200,
  PTRACE_GETEVENTMSG = 0x4201,
  PTRACE_GETSIGINFO = 0x4202,
  PTRACE_SETSIGINFO = 0x4203,
  PTRACE_GETREGSET = 0x4204,
  PTRACE_SETREGSET = 0x4205,
  PTRACE_SEIZE = 0x4206,
  PTRACE_INTERRUPT = 0x4207,
  PTRACE_LISTEN = 0x4208,
  PTRACE_GETSIGMASK = 0x420a,
  PTRACE_SETSIGMASK = 0x420b,
};
// What the wait status says in its bits 16 to 23.
enum : int {
  PTRACE_EVENT_FORK = 1,
  PTRACE_EVENT_VFORK = 2,
  PTRACE_EVENT_CLONE = 3,
  PTRACE_EVENT_EXEC = 4,
  PTRACE_EVENT_VFORK_DONE = 5,
  PTRACE_EVENT_EXIT = 6,
  PTRACE_EVENT_SECCOMP = 7,
  PTRACE_EVENT_STOP = 128,
};
inline constexpr unsigned long PTRACE_O_EXITKILL = 1ul << 20;
inline constexpr unsigned long PTRACE_O_SUSPEND_SECCOMP = 1ul << 21;
inline constexpr unsigned long PTRACE_O_MASK = 0xff | PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP;
inline constexpr unsigned PT_EXITKILL = static_cast<unsigned>(PTRACE_O_EXITKILL)
                                        << PT_OPT_FLAG_SHIFT;

// ---- The tracee's side. Context: the tracee, interrupts on ----

// v4.19 kernel/signal.c: ptrace_stop. Stops until the tracer resumes the task, if there is one.
// `exit_code`: what wait4 reports in bits 8 to 15 and above. `why`: CLD_*, for the tracer's
// SIGCHLD. `clear_code`: what to do with exit_code if there is no tracer any more. `info`: what
// PTRACE_GETSIGINFO gives, or null. REQUIRES: siglock, which is dropped meanwhile.
void ptrace_stop(int exit_code, int why, int clear_code, siginfo_t* info);
// v4.19 kernel/signal.c: ptrace_do_notify. The same with a siginfo of `signr`. REQUIRES: siglock.
void ptrace_do_notify(int signr, int exit_code, int why);
// v4.19 kernel/signal.c: ptrace_notify. A stop with SIGTRAP.
void ptrace_notify(int exit_code);
// v4.19 include/linux/ptrace.h: ptrace_event_enabled, ptrace_event. Stops if the tracer wants to
// see this event. `message`: what PTRACE_GETEVENTMSG gives.
inline bool ptrace_event_enabled(const task_struct* task, int event) {
  return (task->ptrace & PT_EVENT_FLAG(event)) != 0;
}
void ptrace_event(int event, unsigned long message);
// v4.19 kernel/signal.c: ptrace_signal. The tracer decides what is to become of a signal that is
// about to be delivered. Returns the signal to deliver instead, 0: none; `*info` goes with it.
// REQUIRES: siglock, which is dropped meanwhile.
int ptrace_signal(int signr, siginfo_t* info);

// ---- Who traces whom ----

// v4.19 include/linux/ptrace.h: ptrace_reparented. Its tracer is not of its parent's process.
bool ptrace_reparented(const task_struct* child);
// v4.19 include/linux/ptrace.h: ptrace_init_task. Of a new task: traced as its parent is, if
// `ptrace`. REQUIRES: tasklist_lock for writing.
void ptrace_init_task(task_struct* child, bool ptrace);
// v4.19 kernel/ptrace.c: __ptrace_unlink. REQUIRES: tasklist_lock for writing; it is traced.
void __ptrace_unlink(task_struct* child);
inline void ptrace_unlink(task_struct* child) {
  if (child->ptrace != 0) __ptrace_unlink(child);
}
// v4.19 kernel/ptrace.c: exit_ptrace. The tracer ends: its tracees go on without it. Those that
// nobody waits for now are added to `dead`. REQUIRES: tasklist_lock for writing.
void exit_ptrace(task_struct* tracer, std::vector<task_struct*>* dead);
// v4.19 kernel/ptrace.c: ptrace_trap_notify. A tracee that was seized is to show its tracer that
// something about its stop has changed. REQUIRES: siglock.
void ptrace_trap_notify(task_struct* t);
// v4.19 include/linux/sched/signal.h: ptrace_signal_wake_up. `resume`: even out of a stop.
// REQUIRES: siglock.
void ptrace_signal_wake_up(task_struct* t, bool resume);

// ---- Inside sim/process: ptrace_attach.cc, for ptrace.cc ----
int ptrace_traceme();
int ptrace_attach(task_struct* task, long request, unsigned long addr, unsigned long flags);
int ptrace_detach(task_struct* child, unsigned data);

// v4.19 kernel/ptrace.c: ptrace_request. What the architecture has no part in. `child` is a
// stopped tracee of the current task, and held.
int ptrace_request(task_struct* child, long request, unsigned long addr, unsigned long data);

}  // namespace kpath
