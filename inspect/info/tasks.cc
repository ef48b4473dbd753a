// SPDX-License-Identifier: Apache-2.0
#include "inspect/info/tasks.h"

#include "absl/strings/str_cat.h"
#include "inspect/info/address.h"
#include "inspect/info/text.h"
#include "inspect/info/waits.h"
#include "sim/kernel/sched.h"

namespace kpath {
namespace {

std::string CpuText(const task_struct& task) {
  if (task.cpu == nullptr) return "- ";
  return absl::StrCat(task.cpu->id(), IsRunning(task) ? "*" : " ");
}

// What a CPU is doing, in a word.
std::string Doing(const Cpu& cpu) {
  if (cpu.running() == nullptr) return "off";
  if (cpu.halted()) return "halted";
  if ((cpu.regs.cs & 3) == 3) return "user";
  const int count = static_cast<const task_struct*>(cpu.running())->preempt_count;
  if ((count & HARDIRQ_MASK) != 0) return "hardirq";
  if ((count & SOFTIRQ_OFFSET) != 0) return "softirq";
  return "kernel";
}

}  // namespace

std::string StateName(const task_struct& task) {
  if (task.state == TASK_RUNNING) return IsRunning(task) ? "R running" : "R runnable";
  if (task.state == TASK_DEAD) return "X dead";
  if ((task.state & __TASK_STOPPED) != 0) return "T stopped";
  if ((task.state & __TASK_TRACED) != 0) return "t traced";
  if ((task.state & TASK_INTERRUPTIBLE) != 0) return "S interruptible";
  if (task.state == TASK_KILLABLE) return "D killable";
  if (task.state == TASK_IDLE) return "I idle";
  return "D uninterruptible";
}

std::string InfoTasks(const View& view) {
  Table table({"", "PID", "TGID", "COMM", "STATE", "CPU", "WAITS FOR"},
              {Align::kLeft, Align::kRight, Align::kRight, Align::kLeft, Align::kLeft,
               Align::kRight, Align::kLeft});
  for (const task_struct* task : TasksAndIdleTasks(view)) {
    const bool is_kernels = (task->flags & PF_KTHREAD) != 0 || task->pid == 0;
    table.Add({task == &TaskOf(view) ? "*" : "", absl::StrCat(task->pid), absl::StrCat(task->tgid),
               is_kernels ? absl::StrCat("[", task->comm, "]") : task->comm, StateName(*task),
               CpuText(*task), WaitText(view, *task)});
  }
  return table.empty() ? "There are no tasks.\n" : table.ToString(view.width);
}

std::string InfoCpus(const View& view) {
  Table table(
      {"", "CPU", "EXECUTES", "STATE", "RING", "IF", "IRQ_COUNT", "PREEMPT_COUNT", "PENDING"},
      {Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft, Align::kRight, Align::kRight,
       Align::kRight, Align::kRight, Align::kLeft});
  for (int id = 0; id < view.machine.cpus(); ++id) {
    const Cpu& cpu = view.machine.cpu(id);
    const auto* task = static_cast<const task_struct*>(cpu.running());
    const auto irq_count =
        static_cast<int32_t>(cpu.Read32(cpu.per_cpu_base() + kPerCpuIrqCount.offset));
    table.Add({ContextOf(view).cpu == &cpu ? "*" : "", absl::StrCat(id),
               task == nullptr ? "nothing" : TaskName(*task), Doing(cpu),
               absl::StrCat(cpu.regs.cs & 3), cpu.irqs_enabled() ? "1" : "0",
               absl::StrCat(irq_count), task == nullptr ? "0" : Hex(task->preempt_count),
               cpu.interrupt_pending() ? "interrupts" : ""});
  }
  return table.ToString(view.width);
}

std::string InfoLocks(const View& view) {
  std::string text;
  for (const task_struct* task : TasksAndIdleTasks(view)) {
    if (task->held_locks.empty()) continue;
    absl::StrAppend(&text, TaskName(*task), ":\n");
    const held_lock* awaited = AwaitedLock(*task);
    for (const held_lock& lock : task->held_locks) {
      const char* how = lock.read ? " for reading" : "";
      std::string line;
      if (&lock == awaited) {
        const task_struct* holder = HolderOf(view, lock);
        line = absl::StrCat("  waits for ", lock.instance->key.name, how, ", held by ",
                            holder == nullptr ? "nobody" : TaskName(*holder), ", since ");
      } else {
        line = absl::StrCat("  holds ", lock.instance->key.name, how, ", taken in ",
                            lock.acquired_in, " at ");
      }
      absl::StrAppend(&line, lock.acquired_at.ToString());
      absl::StrAppend(&text, Wrap(line, view.width, 4), "\n");
    }
  }
  return text.empty() ? "No locks are held.\n" : text;
}

}  // namespace kpath
