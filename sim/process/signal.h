// SPDX-License-Identifier: Apache-2.0
//
// Signals. v4.19 kernel/signal.c, include/linux/sched/signal.h
//
//   signal_send.cc      send_sig … complete_signal    a signal becomes pending, and a thread is
//   woken signal_pending.cc   recalc_sigpending, dequeue_signal                  what waits
//   signal_mask.cc      sigprocmask, rt_sigprocmask, rt_sigsuspend …       what is blocked
//   signal_action.cc    rt_sigaction, sigaltstack                          what is done with it
//   signal_deliver.cc   get_signal, signal_setup_done                      one is carried out
//   signal_kill.cc      kill, tkill, tgkill
//   signal_wait.cc      rt_sigtimedwait, pause, restart_syscall
//   jobctl.h            SIGSTOP, SIGCONT; ptrace.h: what a tracer sees of it
//   itimer.cc           alarm, setitimer                                   kernel/time/itimer.c
//
// The frame on the user's stack and the restart of interrupted system calls are the processor's
// business: entry/signal.h (arch/x86/kernel/signal.c).
//
// A signal that is sent waits in the set of a thread (task_struct::pending) or of its process
// (signal_struct::shared_pending) until a thread that does not block it takes it in get_signal, on
// its way to user mode. TIF_SIGPENDING, which signal_pending reads, says that one may be there.
//
// Departs: no core dumps; no signalfd, no POSIX timers; all tasks are root's, in one pid namespace,
// and none is protected as init is.
//
// Invariants
//   1. blocked, and what is waiting in a task's sets, change under the siglock of its sighand.
//   2. SIGKILL and SIGSTOP are never in blocked.
//   3. A signal below kSigRtMin is in the list of a set at most once.
#pragma once

#include "sim/kernel/hrtimer.h"
#include "sim/kernel/user_ptr.h"
#include "sim/process/process.h"
#include "sim/process/sighand.h"

namespace kpath {

extern KernelGlobal<kmem_cache<sigqueue>> sigqueue_cachep;

// ---- Sending ----

// In the place of a siginfo. v4.19 include/linux/sched/signal.h
// From user mode, by the current task.
inline constexpr const siginfo_t* SEND_SIG_NOINFO = nullptr;
// From the kernel itself.
extern const siginfo_t* const SEND_SIG_PRIV;
// The same, with nothing in the queue: what is received says SI_USER and pid 0.
extern const siginfo_t* const SEND_SIG_FORCED;

// v4.19 kernel/signal.c: send_sig_info, send_sig. To one thread. 0; -EINVAL: no such signal;
// -ESRCH: it has ended; -EAGAIN: the queue is full. `priv`: the kernel sends it. Any context.
int send_sig_info(int sig, const siginfo_t* info, task_struct* p);
int send_sig(int sig, task_struct* p, int priv);

// v4.19 kernel/signal.c: do_send_sig_info. To one thread (PIDTYPE_PID) or the process of `p` (all
// others). As send_sig_info. Any context.
int do_send_sig_info(int sig, const siginfo_t* info, task_struct* p, pid_type type);
// v4.19 kernel/signal.c: specific_send_sig_info. To one thread. REQUIRES: siglock.
int specific_send_sig_info(int sig, const siginfo_t* info, task_struct* t);
// v4.19 kernel/signal.c: __group_send_sig_info. To a process. REQUIRES: siglock.
int __group_send_sig_info(int sig, const siginfo_t* info, task_struct* p);
// v4.19 kernel/signal.c: group_send_sig_info. The same with the checks of kill(2); sig 0 makes the
// checks alone.
int group_send_sig_info(int sig, const siginfo_t* info, task_struct* p, pid_type type);
// v4.19 kernel/signal.c: do_send_specific. To the thread `pid`, if it is one of process `tgid`
// (0: whosever it is).
int do_send_specific(int tgid, int pid, int sig, const siginfo_t* info);
// v4.19 kernel/signal.c: kill_pid_info. To the process that this pid is a thread of. -ESRCH: none.
int kill_pid_info(int sig, const siginfo_t* info, int pid);
// v4.19 kernel/signal.c: __kill_pgrp_info. To all processes of a group; 0 if one got it.
int __kill_pgrp_info(int sig, const siginfo_t* info, int pgrp);

// v4.19 kernel/signal.c: force_sig_info, force_sig, force_sigsegv, force_sig_fault. Raises a signal
// that the thread itself has brought about: where it is ignored or blocked, it gets its default
// action again. Any context.
int force_sig_info(int sig, const siginfo_t* info, task_struct* t);
void force_sig(int sig, task_struct* t);
// After a failure to deliver `sig`: a second SIGSEGV has no handler any more.
void force_sigsegv(int sig, task_struct* t);
// `code` and `addr`: si_code and si_addr.
int force_sig_fault(int sig, int code, uint64_t addr, task_struct* t);

// v4.19 kernel/signal.c: zap_other_threads. SIGKILL for all threads of the group but `p`.
// Returns how many those are. REQUIRES: siglock.
int zap_other_threads(task_struct* p);

// ---- Waiting ----

// v4.19 kernel/signal.c: recalc_sigpending. Sets or clears the current task's TIF_SIGPENDING.
// REQUIRES: siglock, or nobody can send meanwhile.
void recalc_sigpending();
void recalc_sigpending_and_wake(task_struct* t);
// v4.19 kernel/signal.c: recalc_sigpending_tsk. Sets the task's TIF_SIGPENDING if something waits
// for it; true: it does. REQUIRES: siglock.
bool recalc_sigpending_tsk(task_struct* t);
// v4.19 kernel/signal.c: signal_wake_up. `fatal`: even out of a TASK_KILLABLE sleep. REQUIRES:
// siglock.
void signal_wake_up(task_struct* t, bool fatal);
// v4.19 kernel/signal.c: signal_wake_up_state. `state`: TASK_* that it is woken from besides
// TASK_INTERRUPTIBLE. REQUIRES: siglock.
void signal_wake_up_state(task_struct* t, unsigned state);
// v4.19 kernel/signal.c: dequeue_signal. Takes the next signal that is not in `mask` out of the
// current task's sets: 0: none; else its number. REQUIRES: siglock.
int dequeue_signal(task_struct* tsk, const sigset_t* mask, siginfo_t* info);
// v4.19 kernel/signal.c: flush_sigqueue. Drops all that waits there. REQUIRES: siglock, or nobody
// can send.
void flush_sigqueue(sigpending* queue);
// v4.19 kernel/signal.c: flush_sigqueue_mask. Drops the signals of `mask`. REQUIRES: siglock.
void flush_sigqueue_mask(const sigset_t* mask, sigpending* s);
// v4.19 kernel/signal.c: __sigqueue_alloc. Null: out of memory, or RLIMIT_SIGPENDING is reached.
kptr<sigqueue> __sigqueue_alloc(task_struct* t, bool override_rlimit);

// ---- Masks ----

// v4.19 kernel/signal.c: sigprocmask. `how`: SIG_BLOCK, SIG_UNBLOCK or SIG_SETMASK. What was
// blocked before goes to `*oldset`, unless null. 0 or -EINVAL. The caller keeps SIGKILL and
// SIGSTOP out of `set`. Context: process.
int sigprocmask(int how, const sigset_t* set, sigset_t* oldset);
// v4.19 kernel/signal.c: set_current_blocked. SIGKILL and SIGSTOP are taken out of `*newset`.
void set_current_blocked(sigset_t* newset);
void __set_current_blocked(const sigset_t* newset);
// v4.19 kernel/signal.c: __set_task_blocked. REQUIRES: siglock; tsk is current.
void __set_task_blocked(task_struct* tsk, const sigset_t* newset);
// v4.19 kernel/signal.c: retarget_shared_pending. `tsk` will not take the signals of `which` any
// more: wakes other threads that can. REQUIRES: siglock.
void retarget_shared_pending(task_struct* tsk, const sigset_t* which);

// v4.19 include/linux/sched/signal.h: the mask that a system call (rt_sigsuspend, io_pgetevents,
// ppoll) has replaced for as long as it waits is in saved_sigmask. A call that was ended by a
// signal leaves it there, so that the handler runs under the new mask; what restores the old one is
// the way to user mode, or the handler's rt_sigreturn.
inline void set_restore_sigmask() { current->restore_sigmask = true; }
inline void clear_restore_sigmask() { current->restore_sigmask = false; }
// Puts saved_sigmask back if it was to be restored.
void restore_saved_sigmask();
// The mask that the frame of a signal handler keeps.
inline const sigset_t* sigmask_to_save() {
  return current->restore_sigmask ? &current->saved_sigmask : &current->blocked;
}

// ---- Actions ----

// v4.19 kernel/signal.c: do_sigaction. Either may be null. 0 or -EINVAL.
int do_sigaction(int sig, k_sigaction* act, k_sigaction* oact);
// v4.19 kernel/signal.c: flush_signal_handlers. What exec does: all but the ignored ones get their
// default action again.
void flush_signal_handlers(task_struct* t);
// v4.19 include/linux/sched/signal.h: on_sig_stack. Is `sp` in the task's alternate stack?
bool on_sig_stack(uint64_t sp);
// v4.19 include/linux/sched/signal.h: sas_ss_flags. SS_DISABLE, SS_ONSTACK or 0.
int sas_ss_flags(uint64_t sp);
// v4.19 kernel/signal.c: restore_altstack. From a signal frame. 0 or -EFAULT.
int restore_altstack(user_ptr<const stack_t> uss);
// The same, of a stack that was read already.
void restore_altstack_of(const stack_t& stack);
// v4.19 include/linux/signal.h: save_altstack_ex. The alternate stack as a signal frame keeps it;
// one with SS_AUTODISARM is none from now on.
stack_t save_altstack_ex();
// v4.19 include/linux/sched/signal.h: sas_ss_reset. The task has no alternate stack.
void sas_ss_reset(task_struct* task);

// v4.19 kernel/signal.c: copy_siginfo_to_user. 0 or -EFAULT.
int copy_siginfo_to_user(user_ptr<siginfo_t> to, const siginfo_t* from);

// ---- Delivering ----

// v4.19 include/linux/signal_types.h: struct ksignal. A signal for which a handler is to run.
struct ksignal {
  k_sigaction ka;
  siginfo_t info = {};
  int sig = 0;
};

// v4.19 kernel/signal.c: get_signal. On the way to user mode, interrupts on. Carries out what waits
// for the current task until there is a signal with a handler (true: it is in `*ksig`) or none is
// left (false). A deadly one ends the process.
bool get_signal(ksignal* ksig);
// v4.19 kernel/signal.c: signal_setup_done. The handler's frame has been made: blocks what is to be
// blocked while it runs. `failed`: there is no place for it, which is a SIGSEGV.
void signal_setup_done(int failed, ksignal* ksig, int stepping);

// v4.19 kernel/signal.c: exit_signals. From here on the thread gets no signals of its process.
void exit_signals(task_struct* tsk);

// ---- kernel/time/itimer.c ----

// v4.19 kernel/time/itimer.c: it_real_fn. The ITIMER_REAL of a process has expired.
hrtimer_restart it_real_fn(hrtimer* timer);

// Fills in what vfs and mm call (SchedHooks::send_sig, SigmaskHooks). Called by Boot.
void signals_init();

}  // namespace kpath
