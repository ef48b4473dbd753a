// SPDX-License-Identifier: Apache-2.0
#include "sim/process/process.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/kernel/container_of.h"
#include "sim/kernel/uaccess.h"
#include "sim/machine/check.h"
#include "sim/process/audit.h"
#include "sim/process/seccomp.h"
#include "sim/process/signal.h"

namespace kpath {

KernelGlobal<kmem_cache<signal_struct>> signal_cachep;
KernelGlobal<process_globals> processes;
KernelGlobal<ProcessHooks> process_hooks;

namespace {

struct lifecycle_globals {
  std::map<const task_struct*, task_lifecycle> of_tasks;  // looked up only, never walked
};
KernelGlobal<lifecycle_globals> lifecycles;

// v4.19 kernel/sched/core.c: schedule_tail, behind finish_task_switch
void schedule_tail() {
  const uint64_t set_child_tid = lifecycle(current)->set_child_tid;
  if (set_child_tid != 0) put_user(current->pid, user_ptr<int>(set_child_tid));
}

// v4.19 kernel/fork.c: free_task
void free_task(task_struct* task) {
  FUNCTION(task->pid);
  kptr<signal_struct> signal = task->signal;
  put_seccomp_filter(task);
  audit_free(task);
  lifecycles->of_tasks.erase(task);
  task->rlim = INIT_RLIMITS;
  release_task(task);
  if (signal && --signal->sigcnt == 0) kmem_cache_free(*signal_cachep, signal);
}

// v4.19 kernel/exit.c: delayed_put_task_struct
void delayed_put_task_struct(rcu_head* head) {
  FUNCTION();
  put_task_struct(container_of(head, &task_lifecycle::rcu)->task);
}

}  // namespace

task_lifecycle* lifecycle(const task_struct* task) {
  auto& of_tasks = lifecycles.Get(*task->machine).of_tasks;
  const auto found = of_tasks.find(task);
  KPATH_CHECK(found != of_tasks.end(), absl::StrCat(task->comm, " is no process"));
  return &found->second;
}

pt_regs* task_pt_regs(const task_struct* task) {
  return PtRegsAt(*current->cpu, task_top_of_stack(task) - sizeof(pt_regs));
}

task_struct* new_process_task(Machine& machine, const std::string& comm, int pid,
                              std::function<void()> body) {
  task_struct* task = NewTask(machine, comm, std::move(body));
  if (pid != 0) SetPid(task, pid);
  lifecycles.Get(machine).of_tasks[task].task = task;
  return task;
}

void ret_from_fork(const std::function<void()>& program) {
  schedule_tail();
  process_hooks->return_to_user_mode();
  KPATH_CHECK((current->cpu->regs.cs & 3) == 3, "ret_from_fork did not reach ring 3");
  program();
  KPATH_CHECK(false, absl::StrCat("the program of ", current->comm, " returned: it must exit"));
  __builtin_unreachable();
}

kptr<signal_struct> alloc_signal(const struct ::rlimit* rlim) {
  kptr<signal_struct> signal = kmem_cache_zalloc(*signal_cachep, GFP_KERNEL);
  if (!signal) return nullptr;
  init_waitqueue_head(&signal->wait_chldexit);
  hrtimer_init(&signal->real_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
  signal->real_timer.function = it_real_fn;
  std::copy_n(rlim, RLIM_NLIMITS, signal->rlim.begin());
  return signal;
}

void set_signal(task_struct* task, kptr<signal_struct> signal) {
  task->signal = signal;
  task->rlim = signal->rlim.data();
  ++signal->sigcnt;
}

bool delay_group_leader(const task_struct* task) {
  return thread_group_leader(task) && !thread_group_empty(task);
}

void set_special_state(unsigned state) {
  task_lifecycle* life = lifecycle(current);
  unsigned long flags;
  spin_lock_irqsave(&life->pi_lock, flags);
  current->state = state;
  spin_unlock_irqrestore(&life->pi_lock, flags);
}

void get_task_struct(task_struct* task) { ++lifecycle(task)->usage; }

void put_task_struct(task_struct* task) {
  if (--lifecycle(task)->usage == 0) free_task(task);
}

void put_task_struct_rcu(task_struct* task) {
  call_rcu_sched(&lifecycle(task)->rcu, delayed_put_task_struct);
}

}  // namespace kpath
