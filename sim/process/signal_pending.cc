// SPDX-License-Identifier: Apache-2.0
//
// The signals that wait, and taking one of them. v4.19 kernel/signal.c
#include <algorithm>
#include <utility>

#include "sim/kernel/container_of.h"
#include "sim/process/jobctl.h"
#include "sim/process/signal.h"

namespace kpath {

KernelGlobal<kmem_cache<sigqueue>> sigqueue_cachep;
KernelGlobal<kmem_cache<sighand_struct>> sighand_cachep;

namespace {

// v4.19 kernel/signal.c: those that the thread itself brought about. They come first.
constexpr uint64_t SYNCHRONOUS_MASK = SignalBit(SIGSEGV) | SignalBit(SIGBUS) | SignalBit(SIGILL) |
                                      SignalBit(SIGTRAP) | SignalBit(SIGFPE) | SignalBit(SIGSYS);

bool PENDING(const sigpending& p, const sigset_t& blocked) {
  return (p.signal.sig & ~blocked.sig) != 0;
}

}  // namespace

bool recalc_sigpending_tsk(task_struct* t) {
  FUNCTION(t->pid);
  if ((t->jobctl & JOBCTL_PENDING_MASK) != 0 || PENDING(t->pending, t->blocked) ||
      PENDING(t->signal->shared_pending, t->blocked)) {
    set_tsk_thread_flag(t, TIF_SIGPENDING);
    return fn.Return(true);
  }
  return fn.Return(false);
}

namespace {

// v4.19 kernel/signal.c: next_signal. 0: none.
int next_signal(const sigpending& pending, const sigset_t* mask) {
  FUNCTION();
  uint64_t x = pending.signal.sig & ~mask->sig;
  if (x == 0) return fn.Return(0);
  if ((x & SYNCHRONOUS_MASK) != 0) x &= SYNCHRONOUS_MASK;
  return fn.Return(__builtin_ctzll(x) + 1);
}

bool Carries(const kptr<sigqueue>& q, int sig) { return q->info.si_signo == sig; }

// v4.19 kernel/signal.c: collect_signal. Takes the oldest one out of the list; a real-time signal
// stays in the set while more of them are queued.
void collect_signal(int sig, sigpending* pending, siginfo_t* info) {
  auto& list = pending->list;
  const auto of_sig = [sig](const kptr<sigqueue>& q) { return Carries(q, sig); };
  const auto first = std::find_if(list.begin(), list.end(), of_sig);
  if (first == list.end()) {
    sigdelset(&pending->signal, sig);
    *info = {};  // what it carried is lost
    info->si_signo = sig;
    info->si_code = SI_USER;
    return;
  }
  const kptr<sigqueue> q = *first;
  list.erase(first);
  if (std::none_of(list.begin(), list.end(), of_sig)) sigdelset(&pending->signal, sig);
  *info = q->info;
  kmem_cache_free(*sigqueue_cachep, q);
}

// v4.19 kernel/signal.c: __dequeue_signal
int __dequeue_signal(sigpending* pending, const sigset_t* mask, siginfo_t* info) {
  FUNCTION();
  const int sig = next_signal(*pending, mask);
  if (sig != 0) collect_signal(sig, pending, info);
  return fn.Return(sig);
}

// An ITIMER_REAL goes on when its signal is taken, so that a process is not flooded.
void restart_itimer(signal_struct& signal) {
  hrtimer* timer = &signal.real_timer;
  if (timer->enqueued || signal.it_real_incr == 0) return;
  hrtimer_forward(timer, current->machine->now_ns(), signal.it_real_incr);
  hrtimer_start_range_ns(timer, timer->softexpires, 0, HRTIMER_MODE_ABS);  // hrtimer_restart
}

}  // namespace

void recalc_sigpending() {
  FUNCTION();
  if (!recalc_sigpending_tsk(current)) clear_tsk_thread_flag(current, TIF_SIGPENDING);
}

void recalc_sigpending_and_wake(task_struct* t) {
  FUNCTION(t->pid);
  if (recalc_sigpending_tsk(t)) signal_wake_up(t, false);
}

int dequeue_signal(task_struct* tsk, const sigset_t* mask, siginfo_t* info) {
  FUNCTION(tsk->pid, Value::Address(mask->sig));
  int signr = __dequeue_signal(&tsk->pending, mask, info);
  if (signr == 0) {
    signr = __dequeue_signal(&tsk->signal->shared_pending, mask, info);
    if (signr == SIGALRM) restart_itimer(*tsk->signal);
  }
  recalc_sigpending();
  // SIGCONT may come before the stop: it takes the flag away again.
  if (sig_kernel_stop(signr)) current->jobctl |= JOBCTL_STOP_DEQUEUED;
  return fn.Return(signr);
}

void flush_sigqueue(sigpending* queue) {
  FUNCTION();
  queue->signal = {};
  for (const kptr<sigqueue>& q : std::exchange(queue->list, {})) {
    kmem_cache_free(*sigqueue_cachep, q);
  }
}

void flush_sigqueue_mask(const sigset_t* mask, sigpending* s) {
  FUNCTION(Value::Address(mask->sig));
  if ((s->signal.sig & mask->sig) == 0) return;
  s->signal.sig &= ~mask->sig;
  std::erase_if(s->list, [mask](const kptr<sigqueue>& q) {
    if (!sigismember(mask, q->info.si_signo)) return false;
    kmem_cache_free(*sigqueue_cachep, q);
    return true;
  });
}

// ---- sighand_struct ----

kptr<sighand_struct> alloc_sighand() {
  kptr<sighand_struct> sighand = kmem_cache_zalloc(*sighand_cachep, GFP_KERNEL);
  if (sighand) spin_lock_init(&sighand->siglock);
  return sighand;
}

void __cleanup_sighand(kptr<sighand_struct> sighand) {
  FUNCTION(sighand, sighand->count);
  if (--sighand->count != 0) return;
  call_rcu(&sighand->rcu, [](rcu_head* head) {
    kmem_cache_free(*sighand_cachep, kptr(container_of(head, &sighand_struct::rcu)));
  });
}

namespace {

// v4.19 kernel/signal.c: __lock_task_sighand
kptr<sighand_struct> __lock_task_sighand(task_struct* tsk, unsigned long* flags) {
  FUNCTION(tsk->pid);
  rcu_read_lock();
  kptr<sighand_struct> sighand;
  while ((sighand = tsk->sighand)) {
    spin_lock_irqsave(&sighand->siglock, *flags);
    if (sighand == tsk->sighand) break;
    spin_unlock_irqrestore(&sighand->siglock, *flags);
  }
  rcu_read_unlock();
  return fn.Return(sighand);
}

}  // namespace

kptr<sighand_struct> lock_task_sighand(task_struct* task, unsigned long* flags) {
  return __lock_task_sighand(task, flags);
}

void unlock_task_sighand(task_struct* task, unsigned long flags) {
  spin_unlock_irqrestore(&task->sighand->siglock, flags);
}

}  // namespace kpath
