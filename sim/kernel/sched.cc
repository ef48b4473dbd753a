// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/sched.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/kernel/report.h"
#include "sim/kernel/sched_internal.h"
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

void TellWhetherTasksWait(Cpu& cpu) {
  if (sched_hooks->tasks_waiting != nullptr) sched_hooks->tasks_waiting(cpu, HasWaitingTasks(cpu));
}

// Waits until `condition`, which another CPU in the middle of a switch makes true. Interrupts are
// off.
template <typename Condition>
void wait_for_switch(Condition condition) {
  Machine& machine = *current->machine;
  while (!condition()) {
    KPATH_CHECK(current != &machine.boot_context(),
                "a CPU is between two tasks: run a bit further");
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
  TellWhetherTasksWait(cpu);
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
  if (current->preempt_count == 0 && !irqs_disabled()) return;
  Report(absl::StrCat("BUG: scheduling while atomic: ", current->comm, "/", current->pid, "/0x",
                      absl::Hex(current->preempt_count, absl::kZeroPad8)),
         {absl::StrCat("irqs_disabled(): ", irqs_disabled() ? 1 : 0)});
}

// v4.19 kernel/sched/core.c: try_to_wake_up_local. Another task of this CPU, from within its
// scheduler.
void try_to_wake_up_local(rq& queue, task_struct* task) {
  FUNCTION(task->pid);
  if ((task->state & TASK_NORMAL) == 0) return;
  task->state = TASK_RUNNING;
  if (task->on_rq) return;
  activate_task(queue, task);
  if ((task->flags & PF_WQ_WORKER) != 0) sched_hooks->wq_worker_waking_up(task);
}

// v4.19 kernel/sched/core.c: deactivate_task. It is not among those that wait, as it is running.
void deactivate_task(task_struct* prev) { FUNCTION(prev->pid); }

// v4.19 kernel/sched/core.c: part of __schedule: the task goes to sleep. Another worker may have to
// go on with the work that this one leaves.
void go_to_sleep(rq& queue, task_struct* prev) {
  deactivate_task(prev);
  if ((prev->flags & PF_WQ_WORKER) == 0) return;
  task_struct* to_wakeup = sched_hooks->wq_worker_sleeping(prev);
  if (to_wakeup != nullptr) try_to_wake_up_local(queue, to_wakeup);
}

// v4.19 kernel/sched/core.c: __schedule. `preempt`: the task did not ask for it, so it stays queued
// whatever its state is.
void __schedule(bool preempt) {
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
  if (prev->state != TASK_RUNNING && !preempt) {
    go_to_sleep(queue, prev);
  } else if (prev != queue.idle.get()) {
    activate_task(queue, prev);
  }
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
  __schedule(/*preempt=*/false);
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

}  // namespace

void ___might_sleep() {
  if (current == &current->machine->boot_context()) return;
  Report("BUG: sleeping function called from invalid context",
         {absl::StrCat("in_atomic(): ", current->preempt_count != 0 ? 1 : 0,
                       ", irqs_disabled(): ", irqs_disabled() ? 1 : 0, ", pid: ", current->pid,
                       ", name: ", current->comm)});
}

void schedule_tail() {
  finish_task_switch();
  current->on_rq = true;
  local_irq_enable();
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

void wake_up_new_task(task_struct* task) {
  FUNCTION();
  const unsigned long flags = local_irq_save();
  Cpu& cpu = select_task_rq(task);
  wait_for_switch([&] { return !cpu_rq(cpu).locked; });
  task->cpu = &cpu;
  task->state = TASK_RUNNING;
  activate_task(cpu_rq(cpu), task);
  if (!is_idle(cpu)) TellWhetherTasksWait(cpu);
  if (is_idle(cpu)) resched_curr(cpu);
  local_irq_restore(flags);
}

void schedule() {
  FUNCTION();
  if (current->state != TASK_RUNNING && current->plug != nullptr &&
      sched_hooks->flush_plug != nullptr) {
    sched_hooks->flush_plug(current);  // sched_submit_work
  }
  do {
    __schedule(/*preempt=*/false);
  } while (need_resched());
}

void schedule_preempt_disabled() {
  preempt_enable();
  schedule();
  preempt_disable();
}

void io_schedule_prepare() {
  FUNCTION();
  if (current->plug != nullptr && sched_hooks->flush_plug != nullptr) {
    sched_hooks->flush_plug(current);
  }
}

void io_schedule() {
  FUNCTION();
  io_schedule_prepare();
  schedule();
}

bool cpus_share_cache(int this_cpu, int that_cpu) {
  FUNCTION(this_cpu, that_cpu);
  return fn.Return(this_cpu == that_cpu);
}

int _cond_resched() {
  FUNCTION();
  if (need_resched() && current->preempt_count == 0) {
    __schedule(/*preempt=*/true);
    return fn.Return(1);
  }
  if (sched_hooks->cond_resched != nullptr) sched_hooks->cond_resched();
  return fn.Return(0);
}

void do_task_dead() {
  current->state = TASK_DEAD;
  __schedule(/*preempt=*/false);
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
  if ((task->flags & PF_WQ_WORKER) != 0) sched_hooks->wq_worker_waking_up(task);
  if (!is_idle(cpu)) TellWhetherTasksWait(cpu);
  check_preempt_curr(cpu);
  local_irq_restore(flags);
  return fn.Return(1);
}

int wake_up_process(task_struct* task) {
  FUNCTION(task->pid);
  return fn.Return(try_to_wake_up(task, TASK_NORMAL));
}

int wake_up_state(task_struct* task, unsigned states) {
  FUNCTION(task->pid, states);
  return fn.Return(try_to_wake_up(task, states));
}

// Departs: the run queue is not locked to look at it; nothing else runs between two probes.
bool wait_task_inactive(task_struct* task, unsigned match_state) {
  FUNCTION(task->pid, match_state);
  wait_for_switch([&] { return task->state != match_state || (!task->on_cpu && !task->on_rq); });
  return fn.Return(task->state == match_state);
}

void resched_curr(Cpu& cpu) {
  FUNCTION(cpu.id());
  set_tsk_thread_flag(curr(cpu), TIF_NEED_RESCHED);
  if (&cpu != current->cpu || cpu.halted()) cpu.RaiseInterrupt(RESCHEDULE_VECTOR);
}

void kick_process(task_struct* task) {
  FUNCTION(task->pid);
  if (task->on_cpu && task->cpu != current->cpu) task->cpu->RaiseInterrupt(RESCHEDULE_VECTOR);
}

// v4.19 kernel/sched/core.c: idle_cpu
int idle_cpu(int cpu) {
  FUNCTION(cpu);
  return fn.Return(available_idle_cpu(current->machine->cpu(cpu)) ? 1 : 0);
}

// v4.19 kernel/sched/core.c: get_nohz_timer_target
// Departs: an idle CPU keeps its timers, too.
int get_nohz_timer_target() {
  FUNCTION();
  idle_cpu(smp_processor_id());
  return fn.Return(smp_processor_id());
}

bool HasWaitingTasks(const Cpu& cpu) { return !cpu_rq(cpu).queue.empty(); }

}  // namespace kpath
