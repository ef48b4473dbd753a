// SPDX-License-Identifier: Apache-2.0
#include "sim/process/signal.h"

#include <csignal>

#include "sim/kernel/fail.h"
#include "sim/process/exit.h"

namespace kpath {
namespace {

// v4.19 include/uapi/asm/unistd_64.h
constexpr unsigned long kNrRestartSyscall = 219;

constexpr uint64_t SignalBit(int sig) { return uint64_t{1} << (sig - 1); }

// v4.19 kernel/signal.c: those that the thread itself brought about. They are dequeued first.
constexpr uint64_t SYNCHRONOUS_MASK = SignalBit(SIGSEGV) | SignalBit(SIGBUS) | SignalBit(SIGILL) |
                                      SignalBit(SIGTRAP) | SignalBit(SIGFPE) | SignalBit(SIGSYS);

// v4.19 kernel/signal.c: signal_wake_up_state
void signal_wake_up_state(task_struct* t, unsigned state) {
  FUNCTION(t->pid, state);
  set_tsk_thread_flag(t, TIF_SIGPENDING);
  // Not asleep in such a state: it may be in user mode, on another CPU, and must come in.
  if (wake_up_state(t, state | TASK_INTERRUPTIBLE) == 0 && t != current && t->on_cpu) {
    resched_curr(*t->cpu);  // kick_process
  }
}

// v4.19 kernel/signal.c: send_signal
void send_signal(int sig, task_struct* t) {
  FUNCTION(sig, t->pid);
  lifecycle(t)->pending |= SignalBit(sig);
  if (sig == SIGKILL) t->sigkill_pending = true;
  signal_wake_up_state(t, sig == SIGKILL ? TASK_WAKEKILL : 0);
}

// v4.19 kernel/signal.c: dequeue_signal. 0: none is waiting.
int dequeue_signal(task_struct* tsk) {
  FUNCTION(tsk->pid);
  uint64_t& pending = lifecycle(tsk)->pending;
  uint64_t candidates = pending & SYNCHRONOUS_MASK;
  if (candidates == 0) candidates = pending;
  if (candidates == 0) {
    clear_tsk_thread_flag(tsk, TIF_SIGPENDING);  // recalc_sigpending
    return fn.Return(0);
  }
  const int sig = __builtin_ctzll(candidates) + 1;
  pending &= ~SignalBit(sig);
  return fn.Return(sig);
}

// v4.19 kernel/signal.c: get_signal. Returns false if no signal was waiting.
bool get_signal() {
  FUNCTION();
  if (!current->task_works.empty()) task_work_run();
  spin_lock_irq(&processes->tasklist_lock);
  const int sig = dequeue_signal(current);
  spin_unlock_irq(&processes->tasklist_lock);
  if (sig == 0) return fn.Return(false);
  do_group_exit(sig);
}

// v4.19 arch/x86/include/asm/syscall.h: syscall_get_nr. Negative: not in a system call.
int syscall_get_nr(const pt_regs* regs) { return static_cast<int>(regs->orig_ax); }

// The end of do_signal: no handler runs, so an interrupted call is made again.
void restart_syscall(pt_regs* regs) {
  constexpr unsigned long kSyscallInsnLength = 2;
  switch (static_cast<long>(regs->ax)) {
    case -ERESTARTNOHAND:
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
      regs->ax = regs->orig_ax;
      regs->ip -= kSyscallInsnLength;
      return;
    case -ERESTART_RESTARTBLOCK:
      regs->ax = kNrRestartSyscall;
      regs->ip -= kSyscallInsnLength;
      return;
    default:
      return;
  }
}

}  // namespace

void force_sig_fault(int sig, int code, uint64_t addr, task_struct* task) {
  FUNCTION(sig, code, Value::Address(addr), task->pid);
  unsigned long flags;
  spin_lock_irqsave(&processes->tasklist_lock, flags);
  send_signal(sig, task);
  spin_unlock_irqrestore(&processes->tasklist_lock, flags);
}

int zap_other_threads(task_struct* p) {
  FUNCTION(p->pid);
  int count = 0;
  for (task_struct* t : p->signal->thread_head) {
    if (t == p) continue;
    ++count;
    if (lifecycle(t)->exit_state != 0) continue;  // it is past caring
    send_signal(SIGKILL, t);
  }
  return fn.Return(count);
}

void do_signal(pt_regs* regs) {
  FUNCTION(regs->orig_ax);
  get_signal();
  if (syscall_get_nr(regs) >= 0) restart_syscall(regs);
}

}  // namespace kpath
