// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/sched.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/machine/check.h"

namespace kpath {

KernelGlobal<SchedHooks> sched_hooks;

namespace {

// v4.19 arch/x86/include/asm/irq_vectors.h
constexpr uint8_t RESCHEDULE_VECTOR = 0xfd;

// v4.19 kernel/sched/sched.h: struct rq
struct rq {
  std::deque<task_struct*> queue;  // runnable and not running, longest waiting first
  std::unique_ptr<task_struct> idle;
  task_struct* prev = nullptr;  // the task that was left last
  bool locked = false;          // its CPU is between pick_next_task and finish_task_switch
};

struct sched_globals {
  std::vector<std::unique_ptr<rq>> runqueues;  // by CPU
  std::map<int, std::unique_ptr<task_struct>> tasks;  // by pid
  std::vector<std::unique_ptr<task_struct>> released;
  int next_pid = 1;
};

KernelGlobal<sched_globals> sched;

rq& cpu_rq(const Cpu& cpu) { return *sched->runqueues[cpu.id()]; }

task_struct* curr(const Cpu& cpu) { return static_cast<task_struct*>(cpu.running()); }

bool is_idle(const Cpu& cpu) { return curr(cpu) == cpu_rq(cpu).idle.get(); }

// v4.19 kernel/sched/core.c: available_idle_cpu
bool available_idle_cpu(const Cpu& cpu) { return is_idle(cpu) && cpu_rq(cpu).queue.empty(); }

// v4.19 kernel/sched/core.c: activate_task
void activate_task(rq& queue, task_struct* task) {
  KPATH_CHECK(!task->on_rq, task->comm);
  task->on_rq = true;
  queue.queue.push_back(task);
}

// Waits until `condition`, which another CPU in the middle of a switch makes true. Interrupts are off.
template <typename Condition>
void wait_for_switch(Condition condition) {
  Machine& machine = *current->machine;
  while (!condition()) {
    KPATH_CHECK(current != &machine.boot_context(), "a CPU is between two tasks: run a bit further");
    machine.Relax();
  }
}

bool cpu_allowed(const task_struct* task, int id) { return (task->cpus_allowed >> id & 1) != 0; }

// v4.19 kernel/sched/core.c: select_task_rq. The CPU it ran on last, unless that one is busy and
// another one idle.
Cpu& select_task_rq(task_struct* task) {
  Machine& machine = *task->machine;
  Cpu* last = task->cpu == nullptr ? current->cpu : task->cpu;
  if (!cpu_allowed(task, last->id())) last = &machine.cpu(__builtin_ctzll(task->cpus_allowed));
  if (available_idle_cpu(*last)) return *last;
  for (int id = 0; id < machine.cpus(); ++id) {
    if (cpu_allowed(task, id) && available_idle_cpu(machine.cpu(id))) return machine.cpu(id);
  }
  return *last;
}

// v4.19 kernel/sched/core.c: check_preempt_curr
void check_preempt_curr(Cpu& cpu) {
  if (is_idle(cpu) || cpu.machine().Choose(ChoiceKind::kPreempt, 2) == 0) resched_curr(cpu);
}

// v4.19 kernel/sched/core.c: pick_next_task
task_struct* pick_next_task(Cpu& cpu) {
  FUNCTION();
  rq& queue = cpu_rq(cpu);
  if (queue.queue.empty()) return queue.idle.get();
  const int pick =
      cpu.machine().Choose(ChoiceKind::kPickTask, static_cast<int>(queue.queue.size()));
  task_struct* next = queue.queue[pick];
  queue.queue.erase(queue.queue.begin() + pick);
  return next;
}

// v4.19 kernel/sched/core.c: finish_task_switch. Runs in the task that was switched to.
void finish_task_switch() {
  rq& queue = cpu_rq(*current->cpu);
  queue.prev->on_cpu = false;
  current->on_cpu = true;
  queue.locked = false;
  FUNCTION();
}

// v4.19 kernel/sched/core.c: context_switch
void context_switch(task_struct* prev, task_struct* next) {
  Cpu& cpu = *prev->cpu;
  const Value pids[] = {MakeValue(prev->pid), MakeValue(next->pid)};
  prev->machine->Tell(ProbeEvent::Kind::kTaskSwitch, nullptr, pids);
  cpu.Write64(cpu.per_cpu_base() + kPerCpuTopOfStack.offset, task_top_of_stack(next));
  if (sched_hooks->address_space != nullptr) cpu.address_space = sched_hooks->address_space(next);
  cpu.SwitchTo(*next);
  finish_task_switch();
}

// v4.19 kernel/sched/core.c: schedule_debug
void schedule_debug() {
  if (current->preempt_count != 0) {
    Report(absl::StrCat("BUG: scheduling while atomic: ", current->comm, "/", current->pid, "/0x",
                        absl::Hex(current->preempt_count, absl::kZeroPad8)));
  }
}

// v4.19 kernel/sched/core.c: __schedule
void __schedule() {
  task_struct* prev = current;
  Cpu& cpu = *prev->cpu;
  schedule_debug();
  local_irq_disable();
  if (sched_hooks->context_switch != nullptr) sched_hooks->context_switch(cpu);
  rq& queue = cpu_rq(cpu);
  queue.locked = true;
  queue.prev = prev;
  if (signal_pending_state(prev->state, prev)) prev->state = TASK_RUNNING;
  prev->on_rq = false;
  if (prev->state == TASK_RUNNING && prev != queue.idle.get()) activate_task(queue, prev);
  clear_tsk_thread_flag(prev, TIF_NEED_RESCHED);
  task_struct* next = pick_next_task(cpu);
  if (next != prev) {
    context_switch(prev, next);
  } else {
    finish_task_switch();
  }
  current->on_rq = true;
  local_irq_enable();
}

// v4.19 kernel/sched/idle.c: schedule_idle
void schedule_idle() {
  FUNCTION();
  __schedule();
}

// v4.19 kernel/sched/idle.c: do_idle
void do_idle() {
  FUNCTION();
  while (!need_resched()) {
    local_irq_disable();
    if (need_resched()) break;
    if (sched_hooks->idle != nullptr) sched_hooks->idle(*current->cpu);
    current->cpu->Halt();
    if (sched_hooks->idle_exit != nullptr) sched_hooks->idle_exit(*current->cpu);
  }
  local_irq_enable();
  schedule_idle();
}

void AllocateStack(task_struct* task) {
  task->stack = kDirectMapBase +
                (task->machine->memory.AllocatePages(THREAD_SIZE_ORDER) << kPageShift);
  task->saved_regs.cs = __KERNEL_CS;
  task->saved_regs.ss = __KERNEL_DS;
  task->saved_regs[Reg::rsp] = task_top_of_stack(task);
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

void might_sleep() {
  if (current == &current->machine->boot_context()) return;
  if (current->preempt_count == 0 && !irqs_disabled()) return;
  Report("BUG: sleeping function called from invalid context",
         {absl::StrCat("in_atomic(): ", current->preempt_count != 0 ? 1 : 0,
                       ", irqs_disabled(): ", irqs_disabled() ? 1 : 0, ", pid: ", current->pid,
                       ", name: ", current->comm)});
}

void sched_init(Machine& machine) {
  auto init_task = std::make_unique<task_struct>(machine, nullptr);
  init_task->comm = "swapper";
  machine.SetBootContext(std::move(init_task));
  EnterMachine enter(machine);
  for (int id = 0; id < machine.cpus(); ++id) {
    Cpu& cpu = machine.cpu(id);
    auto queue = std::make_unique<rq>();
    queue->idle = std::make_unique<task_struct>(machine, [] {
      while (true) do_idle();
    });
    queue->idle->comm = absl::StrCat("swapper/", id);
    AllocateStack(queue->idle.get());
    queue->idle->on_rq = true;
    queue->idle->on_cpu = true;
    cpu.Start(*queue->idle);
    cpu.Write64(cpu.per_cpu_base() + kPerCpuTopOfStack.offset,
                task_top_of_stack(queue->idle.get()));
    cpu.Write64(cpu.per_cpu_base() + kPerCpuSp0.offset, cpu.entry_stack_top());
    cpu.Write32(cpu.per_cpu_base() + kPerCpuIrqCount.offset, static_cast<uint32_t>(-1));
    sched->runqueues.push_back(std::move(queue));
  }
}

namespace {

task_struct* AddTask(Machine& machine, const std::string& comm, int pid,
                     std::function<void()> body) {
  auto task = std::make_unique<task_struct>(machine, [body = std::move(body)] {
    // v4.19 kernel/sched/core.c: schedule_tail
    finish_task_switch();
    current->on_rq = true;
    local_irq_enable();
    body();
    KPATH_CHECK(false, "a task returned from its body");
  });
  task->comm = comm;
  AllocateStack(task.get());
  task->pid = task->tgid = pid;
  return (sched.Get(machine).tasks[pid] = std::move(task)).get();
}

// The first pid from `pid` on, in steps of `step`, that nobody has.
int FreePid(Machine& machine, int pid, int step) {
  while (FindTask(machine, pid) != nullptr) pid += step;
  return pid;
}

}  // namespace

task_struct* NewTask(Machine& machine, const std::string& comm, std::function<void()> body) {
  int& next_pid = sched.Get(machine).next_pid;
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
  auto& tasks = sched.Get(machine).tasks;
  if (task_struct* other = FindTask(machine, pid); other != nullptr) {
    KPATH_CHECK((other->flags & PF_KTHREAD) != 0, absl::StrCat("pid ", pid, " is taken"));
    SetPid(other, FreePid(machine, pid, -1));
  }
  auto node = tasks.extract(task->pid);
  node.key() = pid;
  tasks.insert(std::move(node));
  task->pid = task->tgid = pid;
}

void wake_up_new_task(task_struct* task) {
  FUNCTION();
  const unsigned long flags = local_irq_save();
  Cpu& cpu = select_task_rq(task);
  wait_for_switch([&] { return !cpu_rq(cpu).locked; });
  task->cpu = &cpu;
  task->state = TASK_RUNNING;
  activate_task(cpu_rq(cpu), task);
  if (is_idle(cpu)) resched_curr(cpu);
  local_irq_restore(flags);
}

std::vector<task_struct*> AllTasks(Machine& machine) {
  std::vector<task_struct*> tasks;
  for (const auto& [pid, task] : sched.Get(machine).tasks) tasks.push_back(task.get());
  return tasks;
}

task_struct* FindTask(Machine& machine, int pid) {
  const auto& tasks = sched.Get(machine).tasks;
  const auto found = tasks.find(pid);
  return found == tasks.end() ? nullptr : found->second.get();
}

void release_task(task_struct* task) {
  FUNCTION(task->pid);
  auto& globals = *sched;
  auto node = globals.tasks.extract(task->pid);
  task->machine->memory.FreePages((task->stack - kDirectMapBase) >> kPageShift, THREAD_SIZE_ORDER);
  globals.released.push_back(std::move(node.mapped()));
}

void schedule() {
  FUNCTION();
  if (current->state != TASK_RUNNING && current->plug != nullptr &&
      sched_hooks->flush_plug != nullptr) {
    sched_hooks->flush_plug(current);  // sched_submit_work
  }
  do {
    __schedule();
  } while (need_resched());
}

void schedule_preempt_disabled() {
  preempt_enable();
  schedule();
  preempt_disable();
}

void io_schedule() {
  FUNCTION();
  if (current->plug != nullptr && sched_hooks->flush_plug != nullptr) {
    sched_hooks->flush_plug(current);  // io_schedule_prepare
  }
  schedule();
}

int _cond_resched() {
  FUNCTION();
  if (!need_resched() || current->preempt_count != 0) return fn.Return(0);
  __schedule();
  return fn.Return(1);
}

void do_task_dead() {
  current->state = TASK_DEAD;
  __schedule();
  KPATH_CHECK(false, "a dead task was scheduled");
  __builtin_unreachable();
}

int try_to_wake_up(task_struct* task, unsigned states) {
  FUNCTION(task->pid);
  if ((task->state & states) == 0) return fn.Return(0);
  task->state = TASK_RUNNING;
  if (task->on_rq) return fn.Return(1);  // it has not got to schedule() yet
  const unsigned long flags = local_irq_save();
  wait_for_switch([&] { return !task->on_cpu; });
  Cpu& cpu = select_task_rq(task);
  wait_for_switch([&] { return !cpu_rq(cpu).locked; });
  task->cpu = &cpu;
  activate_task(cpu_rq(cpu), task);
  check_preempt_curr(cpu);
  local_irq_restore(flags);
  return fn.Return(1);
}

int wake_up_process(task_struct* task) {
  FUNCTION(task->pid);
  return fn.Return(try_to_wake_up(task, TASK_NORMAL));
}

int wake_up_state(task_struct* task, unsigned states) { return try_to_wake_up(task, states); }

void resched_curr(Cpu& cpu) {
  FUNCTION(cpu.id());
  set_tsk_thread_flag(curr(cpu), TIF_NEED_RESCHED);
  if (&cpu != current->cpu || cpu.halted()) cpu.RaiseInterrupt(RESCHEDULE_VECTOR);
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
    absl::StrAppend(&text, "INFO: task ", task->comm, ":", task->pid, " blocked for ever. State: ",
                    task->state == TASK_INTERRUPTIBLE ? "S" : "D", "\n", DescribeWait(task),
                    "Call Trace:");
    for (const FunctionProbe* f = task->function; f != nullptr; f = f->caller()) {
      absl::StrAppend(&text, "\n ", f->info().name);
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace kpath
