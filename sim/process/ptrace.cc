// SPDX-License-Identifier: Apache-2.0
//
// What a tracer asks. v4.19 kernel/ptrace.c
#include "sim/process/ptrace.h"

#include <sys/uio.h>

#include <algorithm>
#include <csignal>

#include "sim/kernel/capability.h"
#include "sim/kernel/pid.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/mm/access.h"
#include "sim/mm/mm.h"
#include "sim/process/fork.h"
#include "sim/process/jobctl.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// v4.19 kernel/ptrace.c: find_get_task_by_vpid
task_struct* find_get_task_by_vpid(int nr) {
  FUNCTION(nr);
  rcu_read_lock();
  task_struct* task = find_task_by_vpid(nr);
  if (task != nullptr) get_task_struct(task);
  rcu_read_unlock();
  return task;
}

// v4.19 kernel/ptrace.c: ptrace_freeze_traced. From here on not even SIGKILL wakes it.
bool ptrace_freeze_traced(task_struct* task) {
  if ((task->jobctl & JOBCTL_LISTENING) != 0) return false;
  bool ret = false;
  spin_lock_irq(&task->sighand->siglock);
  if (task_is_traced(task) && !sigismember(&task->pending.signal, SIGKILL)) {
    task->state = __TASK_TRACED;
    ret = true;
  }
  spin_unlock_irq(&task->sighand->siglock);
  return ret;
}

// v4.19 kernel/ptrace.c: ptrace_unfreeze_traced
void ptrace_unfreeze_traced(task_struct* task) {
  FUNCTION(task->pid);
  if (task->state != __TASK_TRACED) return;  // the request has resumed it
  spin_lock_irq(&task->sighand->siglock);
  if (task->state == __TASK_TRACED) {
    if (sigismember(&task->pending.signal, SIGKILL)) {
      wake_up_state(task, __TASK_TRACED);
    } else {
      task->state = TASK_TRACED;
    }
  }
  spin_unlock_irq(&task->sighand->siglock);
}

// v4.19 kernel/ptrace.c: ptrace_check_attach. 0: `child` is the current task's tracee, and (unless
// `ignore_state`) it is stopped and held there. Else -ESRCH.
int ptrace_check_attach(task_struct* child, bool ignore_state) {
  FUNCTION(child->pid, ignore_state);
  bool mine = false, ok = false;
  read_lock(&processes->tasklist_lock);
  if (child->ptrace != 0 && child->parent == current) {
    mine = true;
    ok = ignore_state || ptrace_freeze_traced(child);
  }
  read_unlock(&processes->tasklist_lock);
  if (ok && !ignore_state) ok = wait_task_inactive(child, __TASK_TRACED);
  if (ok) return fn.Return(0);
  return fn.Return<int>(mine ? Fail(ESRCH, "tracee $0 is not stopped", child->pid)
                             : Fail(ESRCH, "pid $0 is not traced by this task", child->pid));
}

// v4.19 kernel/ptrace.c: ptrace_access_vm. Returns how many bytes were copied.
int ptrace_access_vm(task_struct* tsk, unsigned long addr, void* buf, int len, bool write) {
  FUNCTION(tsk->pid, Value::Address(addr), len, write);
  const kptr<mm_struct> mm = tsk->mm;
  if (!mm) return fn.Return(0);
  mmget(mm);
  const int ret = __access_remote_vm(mm, addr, buf, len, write);
  mmput(mm);
  return fn.Return(ret);
}

// v4.19 kernel/ptrace.c: generic_ptrace_peekdata
int generic_ptrace_peekdata(task_struct* tsk, unsigned long addr, unsigned long data) {
  FUNCTION(tsk->pid, Value::Address(addr));
  unsigned long tmp = 0;
  if (ptrace_access_vm(tsk, addr, &tmp, sizeof(tmp), false) != sizeof(tmp)) {
    return fn.Return<int>(Fail(EIO, "the tracee has no memory at $0", Value::Address(addr)));
  }
  return fn.Return(put_user(tmp, user_ptr<unsigned long>(data)));
}

// v4.19 kernel/ptrace.c: generic_ptrace_pokedata
int generic_ptrace_pokedata(task_struct* tsk, unsigned long addr, unsigned long data) {
  FUNCTION(tsk->pid, Value::Address(addr), Value::Address(data));
  if (ptrace_access_vm(tsk, addr, &data, sizeof(data), true) != sizeof(data)) {
    return fn.Return<int>(Fail(EIO, "the tracee has no memory at $0", Value::Address(addr)));
  }
  return fn.Return(0);
}

// v4.19 kernel/ptrace.c: ptrace_setoptions
int ptrace_setoptions(task_struct* child, unsigned long data) {
  FUNCTION(child->pid, Value::Address(data));
  if ((data & ~PTRACE_O_MASK) != 0) {
    return fn.Return<int>(
        Fail(EINVAL, "unknown options $0", Value::Address(data & ~PTRACE_O_MASK)));
  }
  if ((data & PTRACE_O_SUSPEND_SECCOMP) != 0) {
    return fn.Return<int>(Fail(EINVAL, "PTRACE_O_SUSPEND_SECCOMP without checkpointing"));
  }
  // Not to be torn between two options of one event.
  child->ptrace = (child->ptrace & ~static_cast<unsigned>(PTRACE_O_MASK << PT_OPT_FLAG_SHIFT)) |
                  static_cast<unsigned>(data << PT_OPT_FLAG_SHIFT);
  return fn.Return(0);
}

// v4.19 kernel/ptrace.c: ptrace_getsiginfo, ptrace_setsiginfo. `copy` is called with the siginfo of
// the stop.
template <typename Copy>
int with_last_siginfo(task_struct* child, Copy copy) {
  unsigned long flags;
  if (!lock_task_sighand(child, &flags)) return Fail(ESRCH, "pid $0 has ended", child->pid);
  int error = 0;
  if (child->last_siginfo == nullptr) {
    error = Fail(EINVAL, "the stop of $0 is not one by a signal", child->pid);
  } else {
    copy(child->last_siginfo);
  }
  unlock_task_sighand(child, flags);
  return error;
}

int ptrace_getsiginfo(task_struct* child, user_ptr<siginfo_t> to) {
  FUNCTION(child->pid);
  siginfo_t info = {};
  const int error = with_last_siginfo(child, [&](const siginfo_t* last) { info = *last; });
  return fn.Return(error != 0 ? error : copy_siginfo_to_user(to, &info));
}

int ptrace_setsiginfo(task_struct* child, user_ptr<const siginfo_t> from) {
  FUNCTION(child->pid);
  siginfo_t info = {};
  if (copy_from_user(&info, from, sizeof(info)) != 0) return fn.Return(-EFAULT);
  return fn.Return(with_last_siginfo(child, [&](siginfo_t* last) { *last = info; }));
}

// PTRACE_GETSIGMASK, PTRACE_SETSIGMASK: `addr` is the size of the set.
int check_sigset_size(unsigned long addr) {
  return addr == sizeof(sigset_t)
             ? 0
             : static_cast<int>(Fail(EINVAL, "a set has 8 bytes, not $0", addr));
}

int ptrace_getsigmask(const task_struct* child, unsigned long addr, unsigned long data) {
  if (const int error = check_sigset_size(addr); error != 0) return error;
  return copy_to_user(user_ptr<void>(data), &child->blocked, sizeof(sigset_t)) != 0 ? -EFAULT : 0;
}

int ptrace_setsigmask(task_struct* child, unsigned long addr, unsigned long data) {
  if (const int error = check_sigset_size(addr); error != 0) return error;
  sigset_t set;
  if (copy_from_user(&set, user_ptr<const void>(data), sizeof(set)) != 0) return -EFAULT;
  sigdelsetmask(&set, SIG_KERNEL_ONLY_MASK);
  spin_lock_irq(&child->sighand->siglock);
  child->blocked = set;  // what is pending now is looked at when it goes on
  spin_unlock_irq(&child->sighand->siglock);
  return 0;
}

// v4.19 kernel/ptrace.c: ptrace_regset, for the one set that there is. `iov`: where the registers
// are, and how many bytes of them; what was moved is stored there.
int ptrace_regset(task_struct* child, long request, unsigned long type, user_ptr<iovec> iov) {
  FUNCTION(child->pid, request, type);
  constexpr unsigned long kNtPrstatus = 1;
  constexpr size_t kWord = sizeof(unsigned long);
  iovec kiov;
  if (copy_from_user(&kiov, iov, sizeof(kiov)) != 0) return fn.Return(-EFAULT);
  if (type != kNtPrstatus || kiov.iov_len % kWord != 0) {
    return fn.Return<int>(Fail(EINVAL, "register set $0 of $1 bytes", type, kiov.iov_len));
  }
  unsigned long regs[ProcessHooks::kGenregs];
  kiov.iov_len = std::min(kiov.iov_len, sizeof(regs));
  const user_ptr<void> base(reinterpret_cast<uint64_t>(kiov.iov_base));
  int ret = 0;
  if (request == PTRACE_GETREGSET) {
    process_hooks->genregs_get(child, regs);
    if (copy_to_user(base, regs, kiov.iov_len) != 0) ret = -EFAULT;
  } else if (copy_from_user(regs, base, kiov.iov_len) != 0) {
    ret = -EFAULT;
  } else {
    ret = process_hooks->genregs_set(child, regs, kiov.iov_len / kWord);
  }
  if (ret != 0) return fn.Return(ret);
  return fn.Return(put_user(kiov.iov_len, iov.member(&iovec::iov_len)));
}

bool is_singlestep(long request) {
  return request == PTRACE_SINGLESTEP || request == PTRACE_SYSEMU_SINGLESTEP;
}

void set_flag(task_struct* task, uint32_t flag, bool on) {
  on ? set_tsk_thread_flag(task, flag) : clear_tsk_thread_flag(task, flag);
}

// v4.19 kernel/ptrace.c: ptrace_resume. `data`: the signal that the tracee goes on with.
int ptrace_resume(task_struct* child, long request, unsigned long data) {
  FUNCTION(child->pid, request, data);
  if (data > kSignals) return fn.Return<int>(Fail(EIO, "there is no signal $0", data));
  set_flag(child, TIF_SYSCALL_TRACE, request == PTRACE_SYSCALL);
  set_flag(child, TIF_SYSCALL_EMU, request == PTRACE_SYSEMU || request == PTRACE_SYSEMU_SINGLESTEP);
  if (is_singlestep(request)) {
    process_hooks->user_enable_single_step(child);
  } else {
    process_hooks->user_disable_single_step(child);
  }
  // Another thread of the tracer may be in wait_task_stopped, looking at exit_code.
  const bool need_siglock = data != 0 && !thread_group_empty(current);
  if (need_siglock) spin_lock_irq(&child->sighand->siglock);
  child->exit_code = static_cast<int>(data);
  wake_up_state(child, __TASK_TRACED);
  if (need_siglock) spin_unlock_irq(&child->sighand->siglock);
  return fn.Return(0);
}

// PTRACE_INTERRUPT and PTRACE_LISTEN, for who was seized.
int interrupt_or_listen(task_struct* child, long request) {
  unsigned long flags;
  if ((child->ptrace & PT_SEIZED) == 0) return Fail(EIO, "tracee $0 was not seized", child->pid);
  if (!lock_task_sighand(child, &flags)) return Fail(EIO, "pid $0 has ended", child->pid);
  int ret = 0;
  if (request == PTRACE_INTERRUPT) {
    if (task_set_jobctl_pending(child, JOBCTL_TRAP_STOP)) {
      ptrace_signal_wake_up(child, (child->jobctl & JOBCTL_LISTENING) != 0);
    }
  } else if (child->last_siginfo == nullptr ||
             child->last_siginfo->si_code >> 8 != PTRACE_EVENT_STOP) {
    ret = Fail(EIO, "tracee $0 is not in a group stop", child->pid);
  } else {
    child->jobctl |= JOBCTL_LISTENING;
    // What has changed since is to be seen now.
    if ((child->jobctl & JOBCTL_TRAP_NOTIFY) != 0) ptrace_signal_wake_up(child, true);
  }
  unlock_task_sighand(child, flags);
  return ret;
}

}  // namespace

int ptrace_request(task_struct* child, long request, unsigned long addr, unsigned long data) {
  FUNCTION(child->pid, request, Value::Address(addr), Value::Address(data));
  switch (request) {
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
      return fn.Return(generic_ptrace_peekdata(child, addr, data));
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
      return fn.Return(generic_ptrace_pokedata(child, addr, data));
    case PTRACE_OLDSETOPTIONS:
    case PTRACE_SETOPTIONS:
      return fn.Return(ptrace_setoptions(child, data));
    case PTRACE_GETEVENTMSG:
      return fn.Return(put_user(child->ptrace_message, user_ptr<unsigned long>(data)));
    case PTRACE_GETSIGINFO:
      return fn.Return(ptrace_getsiginfo(child, user_ptr<siginfo_t>(data)));
    case PTRACE_SETSIGINFO:
      return fn.Return(ptrace_setsiginfo(child, user_ptr<const siginfo_t>(data)));
    case PTRACE_GETSIGMASK:
      return fn.Return(ptrace_getsigmask(child, addr, data));
    case PTRACE_SETSIGMASK:
      return fn.Return(ptrace_setsigmask(child, addr, data));
    case PTRACE_GETREGSET:
    case PTRACE_SETREGSET:
      return fn.Return(ptrace_regset(child, request, addr, user_ptr<iovec>(data)));
    case PTRACE_INTERRUPT:
    case PTRACE_LISTEN:
      return fn.Return(interrupt_or_listen(child, request));
    case PTRACE_DETACH:
      return fn.Return(ptrace_detach(child, static_cast<unsigned>(data)));
    case PTRACE_SINGLESTEP:
    case PTRACE_SYSEMU:
    case PTRACE_SYSEMU_SINGLESTEP:
    case PTRACE_SYSCALL:
    case PTRACE_CONT:
      return fn.Return(ptrace_resume(child, request, data));
    case PTRACE_KILL:
      if (lifecycle(child)->exit_state != 0) return fn.Return(0);
      return fn.Return(ptrace_resume(child, request, SIGKILL));
    default:
      return fn.Return<int>(Fail(EIO, "request $0 is not modelled", Value::Address(request)));
  }
}

namespace {

// What is asked about a task that is held.
long ptrace_of(task_struct* child, long request, unsigned long addr, unsigned long data) {
  if (request == PTRACE_ATTACH || request == PTRACE_SEIZE) {
    return ptrace_attach(child, request, addr, data);
  }
  int ret = ptrace_check_attach(child, request == PTRACE_KILL || request == PTRACE_INTERRUPT);
  if (ret < 0) return ret;
  const long result = process_hooks->arch_ptrace(child, request, addr, data);
  if (result != 0 || request != PTRACE_DETACH) ptrace_unfreeze_traced(child);
  return result;
}

}  // namespace

// v4.19 kernel/ptrace.c: sys_ptrace
SYSCALL_DEFINE4(ptrace, long, request, long, pid, unsigned long, addr, unsigned long, data) {
  if (request == PTRACE_TRACEME) return ptrace_traceme();
  task_struct* child = find_get_task_by_vpid(static_cast<int>(pid));
  if (child == nullptr) return Fail(ESRCH, "there is no process $0", pid);
  const long ret = ptrace_of(child, request, addr, data);
  put_task_struct(child);
  return ret;
}

}  // namespace kpath
