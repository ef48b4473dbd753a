// SPDX-License-Identifier: Apache-2.0
#include "sim/process/exit.h"

#include <csignal>
#include <vector>

#include "sim/kernel/lockdep.h"
#include "sim/kernel/report.h"
#include "sim/kernel/syscalls.h"
#include "sim/mm/mm.h"
#include "sim/process/family.h"
#include "sim/process/fork.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"
#include "sim/vfs/file.h"

namespace kpath {
namespace {

// v4.19 kernel/exit.c: exit_mm
// Departs: no lazy TLB: from here on the CPU has no page table.
void exit_mm() {
  FUNCTION();
  kptr<mm_struct> mm = current->mm;
  mm_release(current);
  if (!mm) return;
  down_read(&mm->mmap_sem);
  activate_mm(nullptr);
  up_read(&mm->mmap_sem);
  mmput(mm);
}

// v4.19 kernel/task_work.c: exit_task_work
void exit_task_work() { task_work_run(); }

// v4.19 kernel/exit.c: exit_notify
void exit_notify(task_struct* tsk, bool group_dead) {
  FUNCTION(tsk->pid, group_dead);
  std::vector<task_struct*> dead;
  write_lock_irq(&processes->tasklist_lock);
  if (!tsk->ptraced.empty()) exit_ptrace(tsk, &dead);
  if (group_dead) forget_original_parent(tsk, &dead);
  const bool process_ended = thread_group_leader(tsk) && thread_group_empty(tsk);
  if (process_ended) TellProcessEnded(tsk);
  const int exit_signal = lifecycle(tsk)->exit_signal;
  bool autoreap = true;
  if (tsk->ptrace != 0) {
    const bool mine = process_ended && !ptrace_reparented(tsk);
    autoreap = do_notify_parent(tsk, mine ? exit_signal : SIGCHLD);
  } else if (thread_group_leader(tsk)) {
    autoreap = process_ended && do_notify_parent(tsk, exit_signal);
  }
  lifecycle(tsk)->exit_state = autoreap ? EXIT_DEAD : EXIT_ZOMBIE;
  STEP("exit_state", lifecycle(tsk)->exit_state);
  if (autoreap) dead.push_back(tsk);
  write_unlock_irq(&processes->tasklist_lock);
  for (task_struct* task : dead) reap_task(task);
}

void check_can_exit() {
  if (in_interrupt()) Report("Kernel panic - not syncing: Aiee, killing interrupt handler!");
  if (current->pid == 0) Report("Kernel panic - not syncing: Attempted to kill the idle task!");
}

}  // namespace

void do_exit(long code) {
  FUNCTION(code);
  task_struct* tsk = current;
  check_can_exit();
  ptrace_event(PTRACE_EVENT_EXIT, static_cast<unsigned long>(code));
  exit_signals(tsk);
  const bool group_dead = --tsk->signal->live == 0;
  STEP("threads left", tsk->signal->live);
  if (group_dead) hrtimer_cancel(&tsk->signal->real_timer);
  tsk->exit_code = static_cast<int>(code);
  exit_mm();
  exit_files(tsk);
  exit_task_work();
  exit_notify(tsk, group_dead);
  debug_check_no_locks_held();
  do_task_dead();
}

void do_group_exit(int exit_code) {
  FUNCTION(exit_code);
  signal_struct& signal = *current->signal;
  if (signal_group_exit(signal)) {
    exit_code = signal.group_exit_code;
  } else if (!thread_group_empty(current)) {
    spin_lock_irq(&current->sighand->siglock);
    if (signal_group_exit(signal)) {
      exit_code = signal.group_exit_code;  // another thread was quicker
    } else {
      signal.group_exit_code = exit_code;
      signal.flags = SIGNAL_GROUP_EXIT;
      zap_other_threads(current);
    }
    spin_unlock_irq(&current->sighand->siglock);
  }
  do_exit(exit_code);
}

SYSCALL_DEFINE1(exit, int, error_code) { do_exit((error_code & 0xff) << 8); }

SYSCALL_DEFINE1(exit_group, int, error_code) { do_group_exit((error_code & 0xff) << 8); }

}  // namespace kpath
