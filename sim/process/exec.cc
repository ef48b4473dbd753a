// SPDX-License-Identifier: Apache-2.0
#include "sim/process/exec.h"

#include <csignal>
#include <utility>

#include "sim/kernel/fail.h"
#include "sim/mm/mm.h"
#include "sim/mm/mmap.h"
#include "sim/process/exit.h"
#include "sim/process/fork.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"
#include "sim/vfs/file.h"

namespace kpath {
namespace {

constexpr size_t TASK_COMM_LEN = 16;
constexpr uint64_t kBytesAboveStackPointer = 256;

// The half of de_thread that kills the other threads and waits until they are gone.
int kill_other_threads(task_struct* tsk) {
  signal_struct& signal = *tsk->signal;
  spin_lock_irq(&tsk->sighand->siglock);
  if (signal_group_exit(signal)) {
    spin_unlock_irq(&tsk->sighand->siglock);
    return Fail(EAGAIN, "the process is ending");
  }
  signal.group_exit_task = tsk;
  zap_other_threads(tsk);
  spin_unlock_irq(&tsk->sighand->siglock);
  write_lock_irq(&processes->tasklist_lock);
  while (!thread_group_empty(tsk)) {
    __set_current_state(TASK_KILLABLE);
    write_unlock_irq(&processes->tasklist_lock);
    schedule();
    write_lock_irq(&processes->tasklist_lock);
  }
  __set_current_state(TASK_RUNNING);
  signal.group_exit_task = nullptr;
  write_unlock_irq(&processes->tasklist_lock);
  return 0;
}

// The other half: what a process does with signals is shared with another one no more.
int unshare_sighand(task_struct* tsk) {
  const kptr<sighand_struct> oldsighand = tsk->sighand;
  if (oldsighand->count == 1) return 0;
  const kptr<sighand_struct> newsighand = alloc_sighand();
  if (!newsighand) return Fail(ENOMEM, "no memory for a sighand_struct");
  write_lock_irq(&processes->tasklist_lock);
  spin_lock(&oldsighand->siglock);
  newsighand->action = oldsighand->action;
  tsk->sighand = newsighand;
  spin_unlock(&oldsighand->siglock);
  write_unlock_irq(&processes->tasklist_lock);
  __cleanup_sighand(oldsighand);
  return 0;
}

// v4.19 fs/exec.c: de_thread. The process has one thread, and its own sighand_struct.
int de_thread(task_struct* tsk) {
  FUNCTION(tsk->pid);
  if (!thread_group_leader(tsk)) return fn.Return(Fail(EINVAL, "exec by thread $0", tsk->pid));
  if (!thread_group_empty(tsk)) {
    if (const int error = kill_other_threads(tsk); error != 0) return fn.Return(error);
  }
  return fn.Return(unshare_sighand(tsk));
}

// v4.19 fs/exec.c: exec_mmap. `mm` replaces the address space of the current task.
void exec_mmap(kptr<mm_struct> mm) {
  FUNCTION(mm);
  kptr<mm_struct> old_mm = current->mm;
  mm_release(current);
  if (old_mm) down_read(&old_mm->mmap_sem);
  activate_mm(mm);
  if (!old_mm) return;
  up_read(&old_mm->mmap_sem);
  mmput(old_mm);
}

// v4.19 fs/exec.c: flush_old_exec. The point of no return is in it.
int flush_old_exec(kptr<mm_struct> mm) {
  FUNCTION(mm);
  const int error = de_thread(current);
  if (error != 0) return fn.Return(error);
  exec_mmap(mm);
  do_close_on_exec(current->files);
  return fn.Return(0);
}

// v4.19 arch/x86/kernel/process_64.c: start_thread
void start_thread(uint64_t ip, uint64_t sp) {
  FUNCTION(Value::Address(ip), Value::Address(sp));
  pt_regs* regs = task_pt_regs(current);
  regs->sp = sp;
  if (ip != 0) regs->ip = ip;
  regs->cs = __USER_CS;
  regs->ss = __USER_DS;
  regs->flags = X86_EFLAGS_FIXED | X86_EFLAGS_IF;
}

// v4.19 fs/exec.c: setup_arg_pages
int setup_arg_pages(uint64_t stack_top) {
  FUNCTION(Value::Address(stack_top));
  const unsigned long start = stack_top - kFirstStackBytes;
  const unsigned long address =
      vm_mmap_pgoff(nullptr, start, kFirstStackBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN | MAP_STACK, 0);
  if (IS_ERR_VALUE(address)) return fn.Return(static_cast<int>(address));
  current->mm->start_stack = stack_top - kBytesAboveStackPointer;
  return fn.Return(0);
}

// v4.19 fs/exec.c: setup_new_exec
void setup_new_exec() {
  FUNCTION();
  current->sas_ss_sp = current->sas_ss_size = 0;
  flush_signal_handlers(current);
}

// What a loader does behind the point of no return.
int load_program(const linux_binprm& bprm) {
  setup_new_exec();
  current->comm = bprm.comm.substr(0, TASK_COMM_LEN - 1);  // __set_task_comm
  if (const int error = setup_arg_pages(bprm.stack_top); error != 0) return error;
  if (bprm.map) {
    if (const int error = bprm.map(); error != 0) return error;
  }
  start_thread(bprm.start_ip, bprm.stack_top - kBytesAboveStackPointer);
  return 0;
}

}  // namespace

int exec_binprm(const linux_binprm& bprm) {
  FUNCTION(Value::Address(bprm.start_ip));
  kptr<mm_struct> mm = mm_alloc();
  if (!mm) return fn.Return(Fail(ENOMEM, "no memory for an address space"));
  if (const int error = flush_old_exec(mm); error != 0) {
    mmput(mm);
    return fn.Return(error);
  }
  const int error = load_program(bprm);
  if (error != 0) {
    force_sigsegv(SIGSEGV, current);
  } else {
    ptrace_event(PTRACE_EVENT_EXEC, static_cast<unsigned long>(current->pid));
  }
  return fn.Return(error);
}

void RequestExec(task_struct* task, linux_binprm bprm) {
  task_work_add(task, [bprm = std::move(bprm)] { exec_binprm(bprm); });
}

}  // namespace kpath
