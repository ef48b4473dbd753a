// SPDX-License-Identifier: Apache-2.0
#include <map>

#include "absl/strings/str_cat.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/sched_internal.h"
#include "sim/machine/check.h"
#include "sim/machine/pt_regs.h"

namespace kpath {
namespace {

struct task_globals {
  std::map<int, std::unique_ptr<task_struct>> tasks;  // by pid
  std::vector<std::unique_ptr<task_struct>> released;
  int next_pid = 1;
};

KernelGlobal<task_globals> all_tasks;

task_struct* AddTask(Machine& machine, const std::string& comm, int pid,
                     std::function<void()> body) {
  auto task = std::make_unique<task_struct>(machine, [body = std::move(body)] {
    schedule_tail();
    body();
    KPATH_CHECK(false, "a task returned from its body");
  });
  task->comm = comm;
  AllocateStack(task.get());
  task->pid = task->tgid = pid;
  return (all_tasks.Get(machine).tasks[pid] = std::move(task)).get();
}

// The first pid from `pid` on, in steps of `step`, that nobody has.
int FreePid(Machine& machine, int pid, int step) {
  while (FindTask(machine, pid) != nullptr) pid += step;
  return pid;
}

// Which lock a task sleeps for, as a line; empty if it sleeps for none.
std::string DescribeWait(const task_struct* task) {
  if (task->blocked_on == nullptr) return "";
  std::string line = absl::StrCat("It waits for ", task->blocked_on);
  if (task->blocked_by != nullptr) {
    absl::StrAppend(&line, ", held by ", task->blocked_by->comm, "/", task->blocked_by->pid);
  }
  return line + "\n";
}

}  // namespace

void AllocateStack(task_struct* task) {
  task->stack =
      kDirectMapBase + (task->machine->memory.AllocatePages(THREAD_SIZE_ORDER) << kPageShift);
  task->saved_regs.cs = __KERNEL_CS;
  task->saved_regs.ss = __KERNEL_DS;
  // v4.19 arch/x86/kernel/process_64.c: copy_thread_tls. Below pt_regs from the start, for what is
  // pushed before it comes to user mode, or if it never does.
  task->saved_regs[Reg::rsp] = task_top_of_stack(task) - sizeof(pt_regs);
}

task_struct* NewTask(Machine& machine, const std::string& comm, std::function<void()> body) {
  int& next_pid = all_tasks.Get(machine).next_pid;
  next_pid = FreePid(machine, next_pid, 1);
  return AddTask(machine, comm, next_pid++, std::move(body));
}

task_struct* NewKernelThread(Machine& machine, const std::string& comm,
                             std::function<void()> body) {
  task_struct* task =
      AddTask(machine, comm, FreePid(machine, kLastKernelThreadPid, -1), std::move(body));
  task->flags |= PF_KTHREAD;
  return task;
}

void SetPid(task_struct* task, int pid) {
  if (pid == task->pid) return;
  Machine& machine = *task->machine;
  auto& tasks = all_tasks.Get(machine).tasks;
  if (task_struct* other = FindTask(machine, pid); other != nullptr) {
    KPATH_CHECK((other->flags & PF_KTHREAD) != 0, absl::StrCat("pid ", pid, " is taken"));
    SetPid(other, FreePid(machine, pid, -1));
  }
  auto node = tasks.extract(task->pid);
  node.key() = pid;
  tasks.insert(std::move(node));
  task->pid = task->tgid = pid;
}

std::vector<task_struct*> AllTasks(Machine& machine) {
  std::vector<task_struct*> tasks;
  for (const auto& [pid, task] : all_tasks.Get(machine).tasks) tasks.push_back(task.get());
  return tasks;
}

task_struct* FindTask(Machine& machine, int pid) {
  const auto& tasks = all_tasks.Get(machine).tasks;
  const auto found = tasks.find(pid);
  return found == tasks.end() ? nullptr : found->second.get();
}

void release_task(task_struct* task) {
  FUNCTION(task->pid);
  auto& globals = *all_tasks;
  auto node = globals.tasks.extract(task->pid);
  task->machine->memory.FreePages((task->stack - kDirectMapBase) >> kPageShift, THREAD_SIZE_ORDER);
  globals.released.push_back(std::move(node.mapped()));
}

void task_work_add(task_struct* task, std::function<void()> work) {
  task->task_works.push_back(std::move(work));
  set_tsk_thread_flag(task, TIF_NOTIFY_RESUME);
}

void task_work_run() {
  FUNCTION();
  while (!current->task_works.empty()) {
    auto work = std::move(current->task_works.back());
    current->task_works.pop_back();
    work();
  }
}

std::string DescribeHungTasks(Machine& machine) {
  std::string text;
  for (const task_struct* task : AllTasks(machine)) {
    if ((task->flags & PF_KTHREAD) != 0 || task->state == TASK_DEAD) continue;
    absl::StrAppend(&text, "INFO: task ", task->comm, ":", task->pid,
                    " blocked for ever. State: ", task->state == TASK_INTERRUPTIBLE ? "S" : "D",
                    "\n", DescribeWait(task), "Call Trace:");
    for (const FunctionProbe* f = task->function(); f != nullptr; f = f->caller()) {
      absl::StrAppend(&text, "\n ", f->info().name);
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace kpath
