// SPDX-License-Identifier: Apache-2.0
//
// Tasks and the scheduler. v4.19 include/linux/sched.h, kernel/sched/core.c
//
// The scheduler is a queue per CPU: the task that has waited longest runs next. Which task that is,
// and whether a woken task takes the CPU, are choices (ChoiceKind::kPickTask, kPreempt).
// Departs: no priorities, no fair-share accounting, no load balancing beyond the choice of an idle
// CPU at wake-up.
//
// Contexts: schedule() needs process context, interrupts and preemption allowed; waking up is
// allowed everywhere.
//
// Invariants
//   1. A task is in at most one run queue, and in one only if its state is TASK_RUNNING or it is
//   the
//      running task.
//   2. The idle task of a CPU is never queued and never sleeps.
//   3. Nobody calls schedule() with a spinlock held or interrupts off (reported).
//   4. Between picking the next task and executing it, the run queue is locked: a task is queued
//   only
//      when the CPU it ran on has left it (on_cpu).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/kernel/fail.h"
#include "sim/kernel/lockdep_map.h"
#include "sim/kernel/restart_block.h"
#include "sim/kernel/signal_types.h"
#include "sim/kernel/slab.h"
#include "sim/machine/machine.h"

struct rlimit;  // of the host's <sys/resource.h>: the same on every Linux

namespace kpath {

extern const struct ::rlimit INIT_RLIMITS[];  // resource.h

struct bio_list;
struct blk_plug;
struct files_struct;
struct mm_struct;
struct sighand_struct;
struct signal_struct;
struct seccomp_filter;
struct callback_head;

// ---- task_struct::state ----
inline constexpr unsigned TASK_RUNNING = 0;
inline constexpr unsigned TASK_INTERRUPTIBLE = 1;
inline constexpr unsigned TASK_UNINTERRUPTIBLE = 2;
inline constexpr unsigned __TASK_STOPPED = 4;
inline constexpr unsigned __TASK_TRACED = 8;
inline constexpr unsigned TASK_DEAD = 0x80;
inline constexpr unsigned TASK_WAKEKILL = 0x100;
inline constexpr unsigned TASK_STOPPED = TASK_WAKEKILL | __TASK_STOPPED;
inline constexpr unsigned TASK_TRACED = TASK_WAKEKILL | __TASK_TRACED;
inline constexpr unsigned TASK_KILLABLE = TASK_WAKEKILL | TASK_UNINTERRUPTIBLE;
inline constexpr unsigned TASK_NOLOAD = 0x400;
inline constexpr unsigned TASK_IDLE = TASK_UNINTERRUPTIBLE | TASK_NOLOAD;
inline constexpr unsigned TASK_NORMAL = TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE;

// ---- thread_info::flags. v4.19 arch/x86/include/asm/thread_info.h ----
enum : uint32_t {
  TIF_SYSCALL_TRACE = 0,
  TIF_NOTIFY_RESUME = 1,
  TIF_SIGPENDING = 2,
  TIF_NEED_RESCHED = 3,
  TIF_SINGLESTEP = 4,
  TIF_SYSCALL_EMU = 6,
  TIF_SYSCALL_AUDIT = 7,
  TIF_SECCOMP = 8,
  TIF_USER_RETURN_NOTIFY = 11,
  TIF_UPROBE = 12,
  TIF_PATCH_PENDING = 13,
  TIF_NOHZ = 19,
  TIF_FORCED_TF = 24,
  TIF_BLOCKSTEP = 25,
  TIF_SYSCALL_TRACEPOINT = 28,
  TIF_FSCHECK = 31,
};
inline constexpr uint32_t TS_COMPAT = 0x0002;
inline constexpr uint32_t TS_I386_REGS_POKED = 0x0004;

struct thread_info {
  uint32_t flags = 0;   // TIF_*
  uint32_t status = 0;  // TS_*
};

// ---- task_struct::preempt_count. v4.19 include/linux/preempt.h ----
inline constexpr int PREEMPT_OFFSET = 1;
inline constexpr int SOFTIRQ_OFFSET = 0x100;
inline constexpr int HARDIRQ_OFFSET = 0x10000;
inline constexpr int SOFTIRQ_DISABLE_OFFSET = 2 * SOFTIRQ_OFFSET;
inline constexpr int SOFTIRQ_MASK = 0xff00;
inline constexpr int HARDIRQ_MASK = 0xf0000;

// v4.19 arch/x86/include/asm/page_64_types.h: four pages.
inline constexpr int THREAD_SIZE_ORDER = 2;
inline constexpr uint64_t THREAD_SIZE = kPageSize << THREAD_SIZE_ORDER;

// PF_* of include/linux/sched.h.
inline constexpr uint32_t PF_EXITING = 0x00000004;
inline constexpr uint32_t PF_SIGNALED = 0x00000400;
inline constexpr uint32_t PF_WQ_WORKER = 0x00000020;
inline constexpr uint32_t PF_KTHREAD = 0x00200000;

// v4.19 arch/x86/include/asm/processor.h: struct thread_struct. The last exception of user mode:
// what a signal frame tells of it.
struct thread_struct {
  unsigned long cr2 = 0;
  unsigned long trap_nr = 0;
  unsigned long error_code = 0;
  unsigned long debugreg6 = 0;  // what the last debug exception said of its cause: DR_*
};

// v4.19 include/linux/seccomp.h: struct seccomp. Of a task: what system calls it may make.
struct seccomp {
  int mode = 0;                 // SECCOMP_MODE_*: sim/process/seccomp.h
  kptr<seccomp_filter> filter;  // the last that was attached, which knows those before
};

struct task_struct : Context {
  using Context::Context;

  int id() const override { return pid; }
  absl::string_view label() const override { return comm; }

  thread_info ti;
  unsigned state = TASK_RUNNING;
  uint32_t flags = 0;  // PF_*
  int pid = 0;
  int tgid = 0;
  std::string comm;
  uint64_t stack = 0;  // simulated address of the kernel stack, its lowest byte
  int preempt_count = 0;
  uint64_t cpus_allowed = ~uint64_t{0};  // a bit per CPU that it may be woken on
  bool on_rq = false;
  bool on_cpu = false;  // a CPU executes it, or has not yet left it
  int exit_code = 0;    // as wait4 reports it

  kptr<mm_struct> mm;  // null in kernel threads
  kptr<files_struct> files;
  blk_plug* plug = nullptr;
  struct bio_list* bio_list = nullptr;  // inside of a make_request_fn: bios for later

  // Signals: sim/process/signal.h. sighand is null in kernel threads, and in a task that has ended.
  kptr<sighand_struct> sighand;
  sigset_t blocked;              // only the task itself changes it
  sigset_t real_blocked;         // what blocked was, while it waits in rt_sigtimedwait
  sigset_t saved_sigmask;        // what blocked is to be again: see restore_sigmask
  sigpending pending;            // for this thread alone; signal_struct has those for the process
  bool restore_sigmask = false;  // saved_sigmask is to be restored on the way to user mode
  uint64_t sas_ss_sp = 0;        // sigaltstack: user address of its lowest byte
  uint64_t sas_ss_size = 0;      // 0: none
  unsigned sas_ss_flags = 0;     // SS_*, as they were set
  thread_struct thread;

  kptr<signal_struct> signal;
  const struct ::rlimit* rlim = INIT_RLIMITS;  // signal_struct's; resource.h
  task_struct* real_parent = nullptr;

  // ptrace: sim/process/ptrace.h.
  task_struct* parent = nullptr;      // who is told of it: its tracer, or real_parent
  std::vector<task_struct*> ptraced;  // those that it traces, the last attached first
  unsigned ptrace = 0;                // PT_*; 0: nobody traces it
  unsigned long jobctl = 0;           // JOBCTL_*; under siglock
  unsigned long ptrace_message = 0;   // what PTRACE_GETEVENTMSG gives
  siginfo_t* last_siginfo = nullptr;  // of the stop that it is in; on its own stack

  struct seccomp seccomp;
  bool no_new_privs = false;      // PR_SET_NO_NEW_PRIVS; inherited, never taken back
  void* audit_context = nullptr;  // whose: who does the audit

  struct restart_block restart_block;  // how an interrupted call goes on
  void* kthread_data = nullptr;        // kthread.h: of a thread of the kernel's own

  // task_work_add: run at the return to user mode, last added first run by task_work_run.
  std::vector<std::function<void()>> task_works;

  Reason reason;                          // of the last Fail in this task
  std::vector<held_lock> held_locks;      // lockdep.h: oldest first
  const char* blocked_on = nullptr;       // the name of the lock it sleeps for
  task_struct* blocked_by = nullptr;      // who held that lock when it fell asleep
  uint64_t timer_slack_ns = 50'000;       // how much later than asked its timers may fire
  uint64_t cap_effective = ~uint64_t{0};  // a bit per CAP_*, of the cred of the kernel's struct
};

// The task that executes. As in the kernel, an expression: current->mm.
struct CurrentTask {
  task_struct* operator->() const { return static_cast<task_struct*>(current_context); }
  operator task_struct*() const { return static_cast<task_struct*>(current_context); }
};
inline constexpr CurrentTask current;

inline thread_info* current_thread_info() { return &current->ti; }
inline bool test_thread_flag(uint32_t flag) { return (current->ti.flags >> flag & 1) != 0; }
inline void set_tsk_thread_flag(task_struct* task, uint32_t flag) { task->ti.flags |= 1u << flag; }
inline void clear_tsk_thread_flag(task_struct* task, uint32_t flag) {
  task->ti.flags &= ~(1u << flag);
}
inline bool test_tsk_thread_flag(const task_struct* task, uint32_t flag) {
  return (task->ti.flags >> flag & 1) != 0;
}
inline bool need_resched() { return test_thread_flag(TIF_NEED_RESCHED); }
inline int smp_processor_id() { return current->cpu->id(); }
// The simulated address just above the kernel stack: where pt_regs of a system call ends.
inline uint64_t task_top_of_stack(const task_struct* task) { return task->stack + THREAD_SIZE; }

// ---- Contexts ----
inline bool in_interrupt() { return (current->preempt_count & (HARDIRQ_MASK | SOFTIRQ_MASK)) != 0; }
inline bool in_irq() { return (current->preempt_count & HARDIRQ_MASK) != 0; }
inline int softirq_count() { return current->preempt_count & SOFTIRQ_MASK; }
// A softirq is being served; softirq_count() is not zero with softirqs off, too.
inline bool in_serving_softirq() { return (current->preempt_count & SOFTIRQ_OFFSET) != 0; }
inline bool in_atomic() { return current->preempt_count != 0; }
inline bool irqs_disabled() { return !current->cpu->irqs_enabled(); }
inline void preempt_disable() { current->preempt_count += PREEMPT_OFFSET; }
inline void preempt_enable() { current->preempt_count -= PREEMPT_OFFSET; }
inline void local_irq_enable() { current->cpu->EnableIrqs(); }
inline void local_irq_disable() { current->cpu->DisableIrqs(); }
// Interrupts off; returns what local_irq_restore needs.
inline unsigned long local_irq_save() {
  const unsigned long flags = current->cpu->regs.rflags & X86_EFLAGS_IF;
  local_irq_disable();
  return flags;
}
inline void local_irq_restore(unsigned long flags) {
  if (flags != 0) local_irq_enable();
}

// v4.19 kernel/sched/core.c: ___might_sleep. Reports that sleeping is not allowed here, but for the
// boot context.
void ___might_sleep();
// v4.19 include/linux/kernel.h: might_sleep. Sleeping is allowed with preemption and interrupts on.
inline void might_sleep() {
  if (in_atomic() || irqs_disabled()) [[unlikely]]
    ___might_sleep();
}

// ---- Making tasks ----

// Sets up the scheduler of the current machine: init_task, an idle task for each CPU. Called once,
// by Boot, before anything else of the kernel.
void sched_init(Machine& machine);

// Makes a task that runs `body` in kernel mode on a kernel stack of its own, not yet runnable:
// wake_up_new_task starts it. The task belongs to the machine. `body` must end in do_exit or loop.
task_struct* NewTask(Machine& machine, const std::string& comm, std::function<void()> body);
// The same for a thread of the kernel's own. Its pid is counted down from kLastKernelThreadPid, so
// that processes have the low ones to themselves.
inline constexpr int kLastKernelThreadPid = 32767;
task_struct* NewKernelThread(Machine& machine, const std::string& comm, std::function<void()> body);
// v4.19 kernel/sched/core.c: wake_up_new_task.
void wake_up_new_task(task_struct* task);

// All tasks that were made and not yet released, in the order of their pids; without idle tasks.
std::vector<task_struct*> AllTasks(Machine& machine);
task_struct* FindTask(Machine& machine, int pid);
// Gives a new task this pid (and tgid) instead of the next free one. A kernel thread that has it
// gets another one. REQUIRES: nobody else has it.
void SetPid(task_struct* task, int pid);
// v4.19 kernel/exit.c: release_task. A dead task's stack and identity are given back.
void release_task(task_struct* task);

// ---- Sleeping and waking ----

inline void set_current_state(unsigned state) { current->state = state; }
inline void __set_current_state(unsigned state) { current->state = state; }
inline bool task_is_traced(const task_struct* task) { return (task->state & __TASK_TRACED) != 0; }
inline bool task_is_stopped(const task_struct* task) { return (task->state & __TASK_STOPPED) != 0; }
inline bool task_is_stopped_or_traced(const task_struct* task) {
  return (task->state & (__TASK_STOPPED | __TASK_TRACED)) != 0;
}

// v4.19 kernel/sched/core.c: schedule. Switches to another task; returns when this one runs again.
// A task whose state is not TASK_RUNNING is taken off the run queue until it is woken.
void schedule();
// v4.19 kernel/sched/core.c: schedule_preempt_disabled. Called, and returns, with preemption off
// once.
void schedule_preempt_disabled();
// v4.19 kernel/sched/core.c: io_schedule. For a sleep that ends when I/O does.
void io_schedule();
// v4.19 kernel/sched/core.c: io_schedule_prepare. Issues what the task's plug holds back.
void io_schedule_prepare();
// v4.19 kernel/sched/core.c: _cond_resched.
int _cond_resched();
inline int cond_resched() {
  might_sleep();
  return _cond_resched();
}
// v4.19 kernel/sched/core.c: do_task_dead. Switches away for good.
[[noreturn]] void do_task_dead();

// v4.19 kernel/sched/core.c: try_to_wake_up. Returns 1 if the task was asleep in one of `states`.
int try_to_wake_up(task_struct* task, unsigned states);
int wake_up_process(task_struct* task);
int wake_up_state(task_struct* task, unsigned states);
// v4.19 kernel/sched/core.c: wait_task_inactive. Waits until the CPU has left the task, which
// sleeps in the state `match_state`. False: it is in another state.
bool wait_task_inactive(task_struct* task, unsigned match_state);

// v4.19 kernel/sched/core.c: resched_curr. The CPU's task gives way at its next chance.
void resched_curr(Cpu& cpu);
// v4.19 kernel/sched/core.c: kick_process. If another CPU executes the task, in user mode maybe, it
// comes into the kernel and looks at its flags.
void kick_process(task_struct* task);

// v4.19 kernel/sched/core.c: idle_cpu. 1 if nothing runs on that CPU or waits for it.
int idle_cpu(int cpu);
// v4.19 kernel/sched/core.c: get_nohz_timer_target. The CPU whose timers a new one should join.
int get_nohz_timer_target();
// v4.19 kernel/sched/core.c: cpus_share_cache. Whether what one CPU has in its last cache is near
// for the other, too. Departs: each CPU has a last-level cache of its own, as in the emulator of
// the recordings.
bool cpus_share_cache(int this_cpu, int that_cpu);
// True if tasks wait for the CPU while another one runs.
bool HasWaitingTasks(const Cpu& cpu);

// v4.19 include/linux/sched/signal.h: signal_pending. True if a signal that is not blocked waits
// for the task.
inline bool signal_pending(const task_struct* task) {
  return test_tsk_thread_flag(task, TIF_SIGPENDING);
}

// v4.19 include/linux/sched/signal.h: fatal_signal_pending. True if SIGKILL does.
inline bool fatal_signal_pending(const task_struct* task) {
  return signal_pending(task) && sigismember(&task->pending.signal, SIGKILL);
}
// v4.19 include/linux/sched/signal.h: signal_pending_state. True if a task must not fall asleep in
// `state`, because a signal is waiting that would end such a sleep.
inline bool signal_pending_state(unsigned state, const task_struct* task) {
  if ((state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)) == 0) return false;
  if (!signal_pending(task)) return false;
  return (state & TASK_INTERRUPTIBLE) != 0 || fatal_signal_pending(task);
}

// v4.19 kernel/task_work.c: task_work_add, task_work_run.
void task_work_add(task_struct* task, std::function<void()> work);
void task_work_run();

// ---- Hooks: calls that the kernel makes upwards, from here into folders that may use this one
// ----
struct SchedHooks {
  // block/blk-core.c: blk_schedule_flush_plug, when a task with a plug goes to sleep.
  void (*flush_plug)(task_struct* task) = nullptr;
  // kernel/rcu/tree.c: rcu_note_context_switch.
  void (*context_switch)(Cpu& cpu) = nullptr;
  // A CPU has nothing to do: before and after each HLT, in the idle task, interrupts off before. A
  // quiescent state.
  void (*idle)(Cpu& cpu) = nullptr;
  void (*idle_exit)(Cpu& cpu) = nullptr;
  // kernel/rcu/tree.c: rcu_all_qs, where a task offered the CPU and nobody wanted it.
  void (*cond_resched)() = nullptr;
  // Tasks wait for a CPU that is busy with another one, or do not any more. Must not pass probes.
  void (*tasks_waiting)(Cpu& cpu, bool waiting) = nullptr;
  // kernel/workqueue.c: wq_worker_sleeping and wq_worker_waking_up, of tasks with PF_WQ_WORKER,
  // with the run queue locked. The first returns a worker of the same CPU to be woken, or null.
  task_struct* (*wq_worker_sleeping)(task_struct* task) = nullptr;
  void (*wq_worker_waking_up)(task_struct* task) = nullptr;
  // kernel/signal.c: send_sig, which pipes and limits on files need. `priv`: 1: the kernel itself
  // sends it; 0: the current task. Set by signals_init (sim/process/signal.h).
  void (*send_sig)(int sig, task_struct* task, int priv) = nullptr;
  // The page table of the next task.
  AddressSpace* (*address_space)(task_struct* task) = nullptr;
};
extern KernelGlobal<SchedHooks> sched_hooks;

// Sends the current task a signal, on its own account, if there is somebody who sends signals.
inline void SendSignalToCurrent(int sig) {
  if (sched_hooks->send_sig != nullptr) sched_hooks->send_sig(sig, current, 0);
}

// Tasks that could not go on even though nothing is left to happen, described in the style of the
// hung task detector; empty if all tasks but kernel threads and idle tasks have ended.
std::string DescribeHungTasks(Machine& machine);

}  // namespace kpath
