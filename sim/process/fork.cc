// SPDX-License-Identifier: Apache-2.0
#include "sim/process/fork.h"

#include <csignal>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/machine/check.h"
#include "sim/mm/mm.h"
#include "sim/process/audit.h"
#include "sim/process/ptrace.h"
#include "sim/process/seccomp.h"
#include "sim/process/signal.h"
#include "sim/process/tracepoint.h"
#include "sim/vfs/file.h"

namespace kpath {
namespace {

constexpr unsigned long kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                      CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

// The checks that copy_process begins with. 0, or why it refuses.
int check_clone_flags(unsigned long clone_flags) {
  if ((clone_flags & CLONE_THREAD) != 0 && (clone_flags & CLONE_SIGHAND) == 0) {
    return Fail(EINVAL, "CLONE_THREAD without CLONE_SIGHAND");
  }
  if ((clone_flags & CLONE_SIGHAND) != 0 && (clone_flags & CLONE_VM) == 0) {
    return Fail(EINVAL, "CLONE_SIGHAND without CLONE_VM");
  }
  if ((clone_flags & kNamespaces) != 0) {
    return Fail(EINVAL, "namespaces are not modelled: flags $0", Value::Address(clone_flags));
  }
  return 0;
}

// The signals that processes of a group get together during a fork, which the child gets, too.
// v4.19 include/linux/sched/signal.h: struct multiprocess_signals
class DelayedSignals {
 public:
  // Returns whether no signal comes before the fork.
  bool Begin(unsigned long clone_flags) {
    spin_lock_irq(&current->sighand->siglock);
    if ((clone_flags & CLONE_THREAD) == 0) current->signal->multiprocess.push_back(&signals_);
    recalc_sigpending();
    spin_unlock_irq(&current->sighand->siglock);
    return !signal_pending(current);
  }
  void End() {
    spin_lock_irq(&current->sighand->siglock);
    Take();
    spin_unlock_irq(&current->sighand->siglock);
  }
  // REQUIRES: siglock.
  sigset_t Take() {
    std::erase(current->signal->multiprocess, &signals_);
    return signals_;
  }

 private:
  sigset_t signals_;
};

// v4.19 kernel/fork.c: dup_task_struct
task_struct* dup_task_struct(task_struct* orig) {
  FUNCTION(orig->pid);
  const uint64_t ip = task_pt_regs(orig)->ip;
  std::function<void()> program = process_hooks->program_at(ip);
  KPATH_CHECK(program, absl::StrCat("a fork, and no code for the child at 0x", absl::Hex(ip)));
  const int pid = std::exchange(lifecycle(orig)->next_child_pid, 0);
  task_struct* task = new_process_task(*orig->machine, orig->comm, pid,
                                       [program = std::move(program)] { ret_from_fork(program); });
  // What belongs to the parent's own moment stays there.
  task->ti.flags =
      orig->ti.flags & ~(1u << TIF_NEED_RESCHED | 1u << TIF_SIGPENDING | 1u << TIF_NOTIFY_RESUME);
  task->cpus_allowed = orig->cpus_allowed;
  task->timer_slack_ns = orig->timer_slack_ns;
  task->cap_effective = orig->cap_effective;
  task->blocked = orig->blocked;
  task->sas_ss_sp = orig->sas_ss_sp;
  task->sas_ss_size = orig->sas_ss_size;
  task->sas_ss_flags = orig->sas_ss_flags;
  return task;
}

// v4.19 kernel/fork.c: copy_files
int copy_files(unsigned long clone_flags, task_struct* tsk) {
  FUNCTION(Value::Address(clone_flags));
  kptr<files_struct> oldf = current->files;
  if ((clone_flags & CLONE_FILES) != 0) {
    ++oldf->count;
    tsk->files = oldf;
    return fn.Return(0);
  }
  kptr<files_struct> newf = dup_fd(oldf);
  if (IS_ERR(newf)) return fn.Return(PTR_ERR(newf));
  tsk->files = newf;
  return fn.Return(0);
}

// v4.19 kernel/fork.c: copy_sighand
int copy_sighand(unsigned long clone_flags, task_struct* tsk) {
  FUNCTION(Value::Address(clone_flags));
  if ((clone_flags & CLONE_SIGHAND) != 0) {
    ++current->sighand->count;
    tsk->sighand = current->sighand;
    return fn.Return(0);
  }
  tsk->sighand = alloc_sighand();
  if (!tsk->sighand) return fn.Return(Fail(ENOMEM, "no memory for a sighand_struct"));
  spin_lock_irq(&current->sighand->siglock);
  tsk->sighand->action = current->sighand->action;
  spin_unlock_irq(&current->sighand->siglock);
  return fn.Return(0);
}

// v4.19 kernel/fork.c: copy_signal
int copy_signal(unsigned long clone_flags, task_struct* tsk) {
  FUNCTION(Value::Address(clone_flags));
  if ((clone_flags & CLONE_THREAD) != 0) {
    set_signal(tsk, current->signal);
    return fn.Return(0);
  }
  kptr<signal_struct> signal = alloc_signal(current->rlim);
  if (!signal) return fn.Return(Fail(ENOMEM, "no memory for a signal_struct"));
  signal->curr_target = tsk;
  signal->pgrp = current->signal->pgrp;
  set_signal(tsk, signal);
  return fn.Return(0);
}

// v4.19 kernel/fork.c: copy_mm
int copy_mm(unsigned long clone_flags, task_struct* tsk) {
  FUNCTION(Value::Address(clone_flags));
  kptr<mm_struct> oldmm = current->mm;
  if ((clone_flags & CLONE_VM) != 0) {
    mmget(oldmm);
    tsk->mm = oldmm;
    return fn.Return(0);
  }
  kptr<mm_struct> mm = dup_mm(oldmm);
  if (IS_ERR(mm)) return fn.Return(PTR_ERR(mm));
  tsk->mm = mm;
  return fn.Return(0);
}

// v4.19 arch/x86/kernel/process_64.c: copy_thread_tls. The child goes back to user mode as the
// parent will, with 0 as its result.
void copy_thread_tls(unsigned long sp, task_struct* p) {
  FUNCTION(p->pid, Value::Address(sp));
  pt_regs* childregs = task_pt_regs(p);
  *childregs = *task_pt_regs(current);
  childregs->ax = 0;
  if (sp != 0) childregs->sp = sp;
  // Who traces the parent steps and traces the parent alone.
  process_hooks->user_disable_single_step(p);
  clear_tsk_thread_flag(p, TIF_SYSCALL_TRACE);
  clear_tsk_thread_flag(p, TIF_SYSCALL_EMU);
  p->saved_kernel_gs_base = current->cpu->kernel_gs_base;
}

// The labels bad_fork_cleanup_* of copy_process: undoes what has been done for `p` so far.
void bad_fork_cleanup(task_struct* p) {
  if (p->mm) mmput(p->mm);
  if (p->sighand) __cleanup_sighand(std::exchange(p->sighand, nullptr));
  if (p->files) exit_files(p);
  put_task_struct(p);
}

// The parts of the parent that a child gets, in the kernel's order.
int copy_parts(unsigned long clone_flags, task_struct* p) {
  if (const int error = audit_alloc(p); error != 0) return error;
  if (const int error = copy_files(clone_flags, p); error != 0) return error;
  if (const int error = copy_sighand(clone_flags, p); error != 0) return error;
  if (const int error = copy_signal(clone_flags, p); error != 0) return error;
  return copy_mm(clone_flags, p);
}

// Makes the child a thread of its parent's process, or a process of its own. REQUIRES:
// tasklist_lock.
void attach(unsigned long clone_flags, task_struct* p, bool trace) {
  signal_struct& signal = *p->signal;
  const bool thread = (clone_flags & CLONE_THREAD) != 0;
  const bool sibling = (clone_flags & (CLONE_PARENT | CLONE_THREAD)) != 0;
  task_struct* leader = current->signal->group_leader;
  p->real_parent = sibling ? leader->real_parent : leader;
  p->tgid = thread ? current->tgid : p->pid;
  ptrace_init_task(p, (clone_flags & CLONE_PTRACE) != 0 || trace);
  ++signal.live;
  signal.thread_head.push_back(p);
  if (thread) {
    lifecycle(p)->exit_signal = -1;
    return;
  }
  signal.group_leader = p;
  lifecycle(p)->exit_signal =
      sibling ? lifecycle(leader)->exit_signal : static_cast<int>(clone_flags & CSIGNAL);
  if (p->real_parent != nullptr) p->real_parent->signal->children.push_back(p);
}

// The child is complete: it becomes one of the processes, unless the parent is being killed. 0 or
// -EINTR.
int publish(unsigned long clone_flags, task_struct* p, bool trace, DelayedSignals* delayed) {
  write_lock_irq(&processes->tasklist_lock);
  spin_lock(&current->sighand->siglock);
  const bool killed = fatal_signal_pending(current);
  const sigset_t also = delayed->Take();
  copy_seccomp(p);
  if (!killed) {
    attach(clone_flags, p, trace);
    if ((clone_flags & CLONE_THREAD) == 0) p->signal->shared_pending.signal = also;
  }
  spin_unlock(&current->sighand->siglock);
  syscall_tracepoint_update(p);
  write_unlock_irq(&processes->tasklist_lock);
  return killed ? Fail(EINTR, "the parent is being killed") : Error(0);
}

// copy_process, from where no signal can come before it. 0, or why there is no child.
int make_child(unsigned long clone_flags, unsigned long stack_start, user_ptr<int> child_tidptr,
               bool trace, DelayedSignals* delayed, task_struct** child) {
  task_struct* p = *child = dup_task_struct(current);
  int error = copy_parts(clone_flags, p);
  if (error == 0) {
    copy_thread_tls(stack_start, p);
    // A stack that both would run on is no stack.
    if ((clone_flags & (CLONE_VM | CLONE_VFORK)) == CLONE_VM) sas_ss_reset(p);
    if ((clone_flags & CLONE_CHILD_SETTID) != 0) {
      lifecycle(p)->set_child_tid = child_tidptr.address();
    }
    if ((clone_flags & CLONE_CHILD_CLEARTID) != 0) {
      lifecycle(p)->clear_child_tid = child_tidptr.address();
    }
    error = publish(clone_flags, p, trace, delayed);
  }
  if (error != 0) bad_fork_cleanup(p);
  return error;
}

// v4.19 kernel/fork.c: copy_process. The child, not started yet, or an error in `*error`.
task_struct* copy_process(unsigned long clone_flags, unsigned long stack_start,
                          user_ptr<int> child_tidptr, bool trace, int* error) {
  FUNCTION(Value::Address(clone_flags), Value::Address(stack_start), trace);
  *error = check_clone_flags(clone_flags);
  if (*error != 0) return nullptr;
  DelayedSignals delayed;
  task_struct* p = nullptr;
  if (!delayed.Begin(clone_flags)) {
    *error = Fail(ERESTARTNOINTR, "a signal comes first");
  } else {
    *error = make_child(clone_flags, stack_start, child_tidptr, trace, &delayed, &p);
  }
  if (*error != 0) {
    delayed.End();
    return nullptr;
  }
  STEP("child", p->pid, p->tgid);
  return p;
}

// v4.19 kernel/fork.c: complete_vfork_done
void complete_vfork_done(task_struct* tsk) {
  FUNCTION(tsk->pid);
  task_lifecycle* life = lifecycle(tsk);
  spin_lock(&life->alloc_lock);
  completion* vfork = life->vfork_done;
  if (vfork != nullptr) {
    life->vfork_done = nullptr;
    complete(vfork);
  }
  spin_unlock(&life->alloc_lock);
}

// v4.19 kernel/fork.c: wait_for_vfork_done. Drops the reference on the child. Not 0: the parent is
// being killed.
int wait_for_vfork_done(task_struct* child, completion* vfork) {
  FUNCTION(child->pid);
  const int killed = wait_for_completion_killable(vfork);
  if (killed != 0) {
    task_lifecycle* life = lifecycle(child);
    spin_lock(&life->alloc_lock);
    life->vfork_done = nullptr;
    spin_unlock(&life->alloc_lock);
  }
  put_task_struct(child);
  return fn.Return(killed);
}

// The event that this fork is for the parent's tracer; 0: it does not want to see it.
int trace_event(unsigned long clone_flags) {
  if ((clone_flags & CLONE_UNTRACED) != 0) return 0;
  int event = PTRACE_EVENT_FORK;
  if ((clone_flags & CLONE_VFORK) != 0) {
    event = PTRACE_EVENT_VFORK;
  } else if ((clone_flags & CSIGNAL) != SIGCHLD) {
    event = PTRACE_EVENT_CLONE;
  }
  return ptrace_event_enabled(current, event) ? event : 0;
}

// v4.19 include/linux/ptrace.h: ptrace_event_pid
void ptrace_event_pid(int event, int pid) { ptrace_event(event, static_cast<unsigned long>(pid)); }

// v4.19 kernel/fork.c: __mmput
void __mmput(kptr<mm_struct> mm) {
  FUNCTION(mm);
  if (process_hooks->exit_aio != nullptr) process_hooks->exit_aio(mm);
  exit_mmap(mm);
  mmdrop(mm);
}

}  // namespace

long _do_fork(unsigned long clone_flags, unsigned long stack_start, user_ptr<int> parent_tidptr,
              user_ptr<int> child_tidptr) {
  FUNCTION(Value::Address(clone_flags), Value::Address(stack_start));
  const int trace = trace_event(clone_flags);
  int error;
  task_struct* p = copy_process(clone_flags, stack_start, child_tidptr, trace != 0, &error);
  if (p == nullptr) return fn.Return(error);
  const int nr = p->pid;
  if ((clone_flags & CLONE_PARENT_SETTID) != 0) put_user(nr, parent_tidptr);
  completion vfork;
  if ((clone_flags & CLONE_VFORK) != 0) {
    init_completion(&vfork);
    lifecycle(p)->vfork_done = &vfork;
    get_task_struct(p);
  }
  wake_up_new_task(p);
  if (trace != 0) ptrace_event_pid(trace, nr);
  if ((clone_flags & CLONE_VFORK) != 0 && wait_for_vfork_done(p, &vfork) == 0) {
    ptrace_event_pid(PTRACE_EVENT_VFORK_DONE, nr);
  }
  return fn.Return(nr);
}

void SetNextPid(int pid) { lifecycle(current)->next_child_pid = pid; }

void mmput(kptr<mm_struct> mm) {
  FUNCTION(mm, mm->mm_users);
  might_sleep();
  if (mmput_testzero(mm)) __mmput(mm);
}

void mm_release(task_struct* task) {
  FUNCTION(task->pid);
  task_lifecycle* life = lifecycle(task);
  if (life->clear_child_tid != 0) {
    // Nobody is left to see it otherwise. Who waits for the word with futex(2) would be woken here.
    if (task->mm->mm_users > 1) put_user(0, user_ptr<int>(life->clear_child_tid));
    life->clear_child_tid = 0;
  }
  if (life->vfork_done != nullptr) complete_vfork_done(task);
}

SYSCALL_DEFINE0(fork) { return _do_fork(SIGCHLD, 0, nullptr, nullptr); }

SYSCALL_DEFINE0(vfork) { return _do_fork(CLONE_VFORK | CLONE_VM | SIGCHLD, 0, nullptr, nullptr); }

// `tls` is not kept.
SYSCALL_DEFINE5(clone, unsigned long, clone_flags, unsigned long, newsp, user_ptr<int>,
                parent_tidptr, user_ptr<int>, child_tidptr, unsigned long, tls) {
  (void)tls;
  return _do_fork(clone_flags, newsp, parent_tidptr, child_tidptr);
}

SYSCALL_DEFINE1(set_tid_address, user_ptr<int>, tidptr) {
  lifecycle(current)->clear_child_tid = tidptr.address();
  return current->pid;
}

}  // namespace kpath
