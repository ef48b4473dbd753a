// SPDX-License-Identifier: Apache-2.0
//
// A signal becomes pending, and a thread is woken for it. v4.19 kernel/signal.c
#include <algorithm>
#include <climits>

#include "sim/kernel/fail.h"
#include "sim/kernel/pid.h"
#include "sim/kernel/resource.h"
#include "sim/process/jobctl.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"
#include "sim/vfs/select.h"

namespace kpath {
namespace {

constexpr siginfo_t kFromTheKernel = {};
constexpr siginfo_t kForced = {};

// v4.19 include/linux/signal.h: is_si_special
bool is_si_special(const siginfo_t* info) {
  return info == SEND_SIG_NOINFO || info == SEND_SIG_PRIV || info == SEND_SIG_FORCED;
}

uint64_t sig_handler(const task_struct* t, int sig) { return t->sighand->action[sig - 1].handler; }

// v4.19 kernel/signal.c: sig_handler_ignored
bool sig_handler_ignored(uint64_t handler, int sig) {
  return handler == kSigIgn || (handler == kSigDfl && sig_kernel_ignore(sig));
}

// v4.19 kernel/signal.c: sig_ignored. Whoever blocks a signal may still give it a handler; a tracer
// may want to see even one that is ignored.
bool sig_ignored(const task_struct* t, int sig) {
  if (sigismember(&t->blocked, sig) || sigismember(&t->real_blocked, sig)) return false;
  if (t->ptrace != 0 && sig != SIGKILL) return false;
  return sig_handler_ignored(sig_handler(t, sig), sig);
}

// v4.19 kernel/signal.c: sig_fatal
bool sig_fatal(const task_struct* t, int sig) {
  return !siginmask(sig, SIG_KERNEL_IGNORE_MASK | SIG_KERNEL_STOP_MASK) &&
         sig_handler(t, sig) == kSigDfl;
}

// v4.19 kernel/signal.c: legacy_queue. Of these one is enough.
bool legacy_queue(const sigpending* signals, int sig) {
  return sig < kSigRtMin && sigismember(&signals->signal, sig);
}

void flush_in_process(task_struct* p, uint64_t mask) {
  const sigset_t flush = {mask};
  flush_sigqueue_mask(&flush, &p->signal->shared_pending);
  for (task_struct* t : p->signal->thread_head) flush_sigqueue_mask(&flush, &t->pending);
}

// v4.19 kernel/signal.c: prepare_signal. What takes effect at once, whoever gets the signal. False:
// it is not to be queued.
bool prepare_signal(int sig, task_struct* p) {
  FUNCTION(sig, p->pid);
  // A process that is being killed already takes whatever comes.
  if ((p->signal->flags & SIGNAL_GROUP_EXIT) == 0) {
    if (sig_kernel_stop(sig)) flush_in_process(p, SignalBit(SIGCONT));
    if (sig == SIGCONT) {
      flush_in_process(p, SIG_KERNEL_STOP_MASK);
      prepare_sigcont(p);
    }
  }
  return fn.Return(!sig_ignored(p, sig));
}

// v4.19 kernel/signal.c: wants_signal. Would the thread take the signal soon?
bool wants_signal(int sig, const task_struct* p) {
  if (sigismember(&p->blocked, sig)) return false;
  if ((p->flags & PF_EXITING) != 0) return false;
  if (sig == SIGKILL) return true;
  if (task_is_stopped_or_traced(p)) return false;
  return p->on_cpu || !signal_pending(p);
}

// v4.19 include/linux/sched/signal.h: next_thread
task_struct* next_thread(const task_struct* t) {
  const std::vector<task_struct*>& threads = t->signal->thread_head;
  auto at = std::find(threads.begin(), threads.end(), t);
  return at == threads.end() || ++at == threads.end() ? threads.front() : *at;
}

// The thread to be woken; null: all are busy, or block it.
task_struct* find_thread_for(int sig, task_struct* p, pid_type type) {
  if (wants_signal(sig, p)) return p;
  if (type == PIDTYPE_PID || thread_group_empty(p)) return nullptr;
  task_struct* t = p->signal->curr_target;
  while (!wants_signal(sig, t)) {
    t = next_thread(t);
    if (t == p->signal->curr_target) return nullptr;
  }
  p->signal->curr_target = t;
  return t;
}

// v4.19 kernel/signal.c: complete_signal
void complete_signal(int sig, task_struct* p, pid_type type) {
  FUNCTION(sig, p->pid, type);
  signal_struct& signal = *p->signal;
  task_struct* t = find_thread_for(sig, p, type);
  if (t == nullptr) return;
  // A deadly one takes effect on all threads at once, unless a core would be dumped: that needs the
  // thread that has it.
  if (sig_fatal(p, sig) && (signal.flags & SIGNAL_GROUP_EXIT) == 0 &&
      !sigismember(&t->real_blocked, sig) && (sig == SIGKILL || p->ptrace == 0) &&
      !sig_kernel_coredump(sig)) {
    signal.flags = SIGNAL_GROUP_EXIT;
    signal.group_exit_code = sig;
    signal.group_stop_count = 0;
    STEP("deadly", sig);
    for (task_struct* thread : signal.thread_head) {
      task_clear_jobctl_pending(thread, JOBCTL_PENDING_MASK);
      sigaddset(&thread->pending.signal, SIGKILL);
      signal_wake_up(thread, true);
    }
    return;
  }
  signal_wake_up(t, sig == SIGKILL);
}

void fill_info(siginfo_t* to, int sig, const siginfo_t* info) {
  if (!is_si_special(info)) {
    *to = *info;
    return;
  }
  to->si_signo = sig;
  to->si_code = info == SEND_SIG_NOINFO ? SI_USER : SI_KERNEL;
  if (info == SEND_SIG_NOINFO) to->si_pid = current->tgid;
}

// v4.19 include/trace/events/signal.h: signal_generate
void trace_signal_generate(int sig, const siginfo_t* info, task_struct* task, bool group,
                           signal_generate_result result) {
  STEP("signal_generate", sig, task->pid, group, static_cast<int>(result));
  if (!process_hooks->signal_generate) return;
  siginfo_t filled = {};
  fill_info(&filled, sig, info);
  process_hooks->signal_generate(task, filled, result);
}

// Puts what the signal carries into the queue. TRACE_SIGNAL_OVERFLOW_FAIL: it is not sent.
signal_generate_result queue_info(int sig, const siginfo_t* info, task_struct* t,
                                  sigpending* pending) {
  // Of those that the old interface knows none is lost; the limit is for what a program queues.
  const bool override_rlimit = sig < kSigRtMin && (is_si_special(info) || info->si_code >= 0);
  const kptr<sigqueue> q = __sigqueue_alloc(t, override_rlimit);
  if (q) {
    fill_info(&q->info, sig, info);
    pending->list.push_back(q);
    return TRACE_SIGNAL_DELIVERED;
  }
  if (is_si_special(info)) return TRACE_SIGNAL_DELIVERED;
  return sig >= kSigRtMin && info->si_code != SI_USER ? TRACE_SIGNAL_OVERFLOW_FAIL
                                                      : TRACE_SIGNAL_LOSE_INFO;
}

// A child that is being made is to get what all processes of a group get.
void add_to_multiprocess(int sig, task_struct* t, pid_type type) {
  if (type <= PIDTYPE_TGID) return;
  for (sigset_t* delayed : t->signal->multiprocess) {
    if (sig == SIGCONT) sigdelsetmask(delayed, SIG_KERNEL_STOP_MASK);
    if (sig_kernel_stop(sig)) sigdelset(delayed, SIGCONT);
    sigaddset(delayed, sig);
  }
}

// v4.19 kernel/signal.c: __send_signal, the body
int queue_signal(int sig, const siginfo_t* info, task_struct* t, pid_type type,
                 signal_generate_result* result) {
  lockdep_assert_held(&t->sighand->siglock);
  *result = TRACE_SIGNAL_IGNORED;
  if (!prepare_signal(sig, t)) return 0;
  sigpending* pending = type != PIDTYPE_PID ? &t->signal->shared_pending : &t->pending;
  *result = TRACE_SIGNAL_ALREADY_PENDING;
  if (legacy_queue(pending, sig)) return 0;
  // What the kernel forces carries nothing.
  *result = info == SEND_SIG_FORCED ? TRACE_SIGNAL_DELIVERED : queue_info(sig, info, t, pending);
  if (*result == TRACE_SIGNAL_OVERFLOW_FAIL) return Fail(EAGAIN, "no place for signal $0", sig);
  sigaddset(&pending->signal, sig);
  add_to_multiprocess(sig, t, type);
  complete_signal(sig, t, type);
  return 0;
}

// v4.19 kernel/signal.c: __send_signal. REQUIRES: siglock.
int __send_signal(int sig, const siginfo_t* info, task_struct* t, pid_type type) {
  FUNCTION(sig, t->pid, type);
  signal_generate_result result;
  const int ret = queue_signal(sig, info, t, type, &result);
  trace_signal_generate(sig, info, t, type != PIDTYPE_PID, result);
  return fn.Return(ret);
}

// v4.19 kernel/signal.c: check_kill_permission. Everybody may do everything.
int check_kill_permission(int sig, task_struct* t) {
  FUNCTION(sig, t->pid);
  if (!valid_signal(sig)) return fn.Return(Fail(EINVAL, "there is no signal $0", sig));
  return fn.Return(0);
}

}  // namespace

const siginfo_t* const SEND_SIG_PRIV = &kFromTheKernel;
const siginfo_t* const SEND_SIG_FORCED = &kForced;

// v4.19 kernel/signal.c: __sigqueue_alloc
kptr<sigqueue> __sigqueue_alloc(task_struct* t, bool override_rlimit) {
  FUNCTION(t->pid, override_rlimit);
  kmem_cache<sigqueue>& cache = *sigqueue_cachep;
  // All processes are one user's, so that the cache's count is its.
  const auto limit = t->rlim[RLIMIT_SIGPENDING].rlim_cur;
  if (!override_rlimit && static_cast<unsigned long>(cache.live()) >= limit) {
    return fn.Return(kptr<sigqueue>());
  }
  return fn.Return(kmem_cache_zalloc(cache, GFP_ATOMIC));
}

// v4.19 kernel/signal.c: signal_wake_up_state
void signal_wake_up_state(task_struct* t, unsigned state) {
  FUNCTION(t->pid, state);
  set_tsk_thread_flag(t, TIF_SIGPENDING);
  // Not asleep in such a state: it may be in user mode, on another CPU, and must come in.
  if (wake_up_state(t, state | TASK_INTERRUPTIBLE) == 0) kick_process(t);
}

void signal_wake_up(task_struct* t, bool fatal) {
  signal_wake_up_state(t, fatal ? TASK_WAKEKILL : 0);
}

int do_send_sig_info(int sig, const siginfo_t* info, task_struct* p, pid_type type) {
  FUNCTION(sig, p->pid, type);
  unsigned long flags;
  if (!lock_task_sighand(p, &flags)) return fn.Return(Fail(ESRCH, "pid $0 has ended", p->pid));
  const int ret = __send_signal(sig, info, p, type);
  unlock_task_sighand(p, flags);
  return fn.Return(ret);
}

int send_sig_info(int sig, const siginfo_t* info, task_struct* p) {
  FUNCTION(sig, p->pid);
  if (!valid_signal(sig)) return fn.Return(Fail(EINVAL, "there is no signal $0", sig));
  return fn.Return(do_send_sig_info(sig, info, p, PIDTYPE_PID));
}

int send_sig(int sig, task_struct* p, int priv) {
  FUNCTION(sig, p->pid, priv);
  return fn.Return(send_sig_info(sig, priv != 0 ? SEND_SIG_PRIV : SEND_SIG_NOINFO, p));
}

int specific_send_sig_info(int sig, const siginfo_t* info, task_struct* t) {
  FUNCTION(sig, t->pid);
  return fn.Return(__send_signal(sig, info, t, PIDTYPE_PID));
}

int __group_send_sig_info(int sig, const siginfo_t* info, task_struct* p) {
  FUNCTION(sig, p->pid);
  return fn.Return(__send_signal(sig, info, p, PIDTYPE_TGID));
}

int group_send_sig_info(int sig, const siginfo_t* info, task_struct* p, pid_type type) {
  FUNCTION(sig, p->pid, type);
  rcu_read_lock();
  int ret = check_kill_permission(sig, p);
  rcu_read_unlock();
  if (ret == 0 && sig != 0) ret = do_send_sig_info(sig, info, p, type);
  return fn.Return(ret);
}

int do_send_specific(int tgid, int pid, int sig, const siginfo_t* info) {
  FUNCTION(tgid, pid, sig);
  int error = -ESRCH;
  rcu_read_lock();
  task_struct* p = find_task_by_vpid(pid);
  if (p != nullptr && (tgid <= 0 || p->tgid == tgid)) {
    error = check_kill_permission(sig, p);
    if (error == 0 && sig != 0) error = do_send_sig_info(sig, info, p, PIDTYPE_PID);
    // It has ended in the middle: the program could not know yet.
    if (error == -ESRCH) error = 0;
  }
  rcu_read_unlock();
  if (error == -ESRCH) Fail(ESRCH, "process $0 has no thread $1", tgid, pid);
  return fn.Return(error);
}

int kill_pid_info(int sig, const siginfo_t* info, int pid) {
  FUNCTION(sig, pid);
  rcu_read_lock();
  task_struct* p = find_task_by_vpid(pid);
  int error = -ESRCH;
  if (p != nullptr) error = group_send_sig_info(sig, info, p, PIDTYPE_TGID);
  rcu_read_unlock();
  if (p == nullptr) return fn.Return(Fail(ESRCH, "there is no process $0", pid));
  return fn.Return(error);
}

int __kill_pgrp_info(int sig, const siginfo_t* info, int pgrp) {
  FUNCTION(sig, pgrp);
  bool success = false;
  int retval = -ESRCH;
  for (task_struct* p : AllTasks(*current->machine)) {
    if (!p->sighand || !thread_group_leader(p) || p->signal->pgrp != pgrp) continue;
    const int err = group_send_sig_info(sig, info, p, PIDTYPE_PGID);
    success |= err == 0;
    retval = err;
  }
  if (success) return fn.Return(0);
  if (retval == -ESRCH) Fail(ESRCH, "there is no process group $0", pgrp);
  return fn.Return(retval);
}

int zap_other_threads(task_struct* p) {
  FUNCTION(p->pid);
  int count = 0;
  p->signal->group_stop_count = 0;
  for (task_struct* t : p->signal->thread_head) {
    if (t == p) continue;
    task_clear_jobctl_pending(t, JOBCTL_PENDING_MASK);
    ++count;
    if (lifecycle(t)->exit_state != 0) continue;  // it is past caring
    sigaddset(&t->pending.signal, SIGKILL);
    signal_wake_up(t, true);
  }
  return fn.Return(count);
}

// ---- What a thread brings about itself ----

int force_sig_info(int sig, const siginfo_t* info, task_struct* t) {
  FUNCTION(sig, t->pid);
  unsigned long flags;
  spin_lock_irqsave(&t->sighand->siglock, flags);
  k_sigaction& action = t->sighand->action[sig - 1];
  const bool blocked = sigismember(&t->blocked, sig);
  if (blocked || action.handler == kSigIgn) {
    action.handler = kSigDfl;
    if (blocked) {
      sigdelset(&t->blocked, sig);
      recalc_sigpending_and_wake(t);
    }
  }
  const int ret = __send_signal(sig, info, t, PIDTYPE_PID);
  spin_unlock_irqrestore(&t->sighand->siglock, flags);
  return fn.Return(ret);
}

void force_sig(int sig, task_struct* t) {
  FUNCTION(sig, t->pid);
  force_sig_info(sig, SEND_SIG_PRIV, t);
}

void force_sigsegv(int sig, task_struct* t) {
  FUNCTION(sig, t->pid);
  if (sig == SIGSEGV) {
    unsigned long flags;
    spin_lock_irqsave(&t->sighand->siglock, flags);
    t->sighand->action[sig - 1].handler = kSigDfl;
    spin_unlock_irqrestore(&t->sighand->siglock, flags);
  }
  force_sig(SIGSEGV, t);
}

int force_sig_fault(int sig, int code, uint64_t addr, task_struct* t) {
  FUNCTION(sig, code, Value::Address(addr), t->pid);
  siginfo_t info = {};
  info.si_signo = sig;
  info.si_code = code;
  info.si_addr = reinterpret_cast<void*>(addr);  // the program's, never followed here
  return fn.Return(force_sig_info(sig, &info, t));
}

void signals_init() {
  sched_hooks->send_sig = [](int sig, task_struct* p, int priv) { send_sig(sig, p, priv); };
  sigmask_hooks->block = [](uint64_t mask) {
    const sigset_t newset = {mask & ~SIG_KERNEL_ONLY_MASK};
    sigset_t saved;
    sigprocmask(SIG_SETMASK, &newset, &saved);
    return saved.sig;
  };
  sigmask_hooks->restore = [](uint64_t saved, bool by_signal) {
    const sigset_t old = {saved};
    if (by_signal) {
      current->saved_sigmask = old;
      set_restore_sigmask();
    } else {
      sigprocmask(SIG_SETMASK, &old, nullptr);
    }
  };
}

}  // namespace kpath
