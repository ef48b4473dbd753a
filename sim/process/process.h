// SPDX-License-Identifier: Apache-2.0
//
// Processes: what tasks of one thread group share, what is kept of a task's birth and death, and
// the doors through which other folders come in. v4.19 include/linux/sched/signal.h (struct
// signal_struct), include/linux/sched.h (task_struct)
//
//   start.h    a first program                    (kpath's own)
//   fork.h     fork, vfork, clone                 kernel/fork.c
//   exec.h     another program in this process    fs/exec.c
//   exit.h     exit, exit_group                   kernel/exit.c
//   wait4.cc   wait4                              kernel/exit.c
//   signal.h   signals                            kernel/signal.c
//   jobctl.h   stopping and going on              kernel/signal.c
//   ptrace.h   one task traces another            kernel/ptrace.c
//   resource.cc  limits                           kernel/sys.c
//
// A process begins as a copy of its parent (or as nobody's child, in StartProcess), runs in ring 3
// what stands at its instruction pointer, and ends in do_exit: as a zombie if a parent wants its
// status, else it is gone at once.
//
// Locks: tasklist_lock guards all lists here, exit_state, and who traces whom. Writers take it with
// interrupts off; sighand_struct::siglock, which guards the signals, and wait_chldexit.lock are
// taken inside it.
//
// Invariants
//   1. A task is in its group's thread_head from copy_process until it is released; the leader is
//   first,
//      and is released last.
//   2. children has the leaders of all processes whose real_parent leads this one; a process whose
//   parent
//      is gone has none (real_parent is null) and is released as soon as it has ended.
//   3. live = the threads that have not reached do_exit. It never grows again from 0.
//   4. A released task's memory stays until RCU's next grace period: until no CPU can be on its
//   stack.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "sim/kernel/completion.h"
#include "sim/kernel/hrtimer.h"
#include "sim/kernel/rcu.h"
#include "sim/kernel/resource.h"
#include "sim/kernel/rwlock.h"
#include "sim/kernel/sched.h"
#include "sim/kernel/spinlock.h"
#include "sim/kernel/wait.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// ---- task_lifecycle::exit_state ----
inline constexpr int EXIT_DEAD = 0x0010;
inline constexpr int EXIT_ZOMBIE = 0x0020;
inline constexpr int EXIT_TRACE = EXIT_ZOMBIE | EXIT_DEAD;  // its tracer is just reaping it

// ---- signal_struct::flags ----
inline constexpr unsigned SIGNAL_STOP_STOPPED = 0x00000001;    // all its threads are stopped
inline constexpr unsigned SIGNAL_STOP_CONTINUED = 0x00000002;  // SIGCONT came, for wait4
inline constexpr unsigned SIGNAL_GROUP_EXIT = 0x00000004;
// The parent is to be told, by the first thread that gets to get_signal.
inline constexpr unsigned SIGNAL_CLD_STOPPED = 0x00000010;
inline constexpr unsigned SIGNAL_CLD_CONTINUED = 0x00000020;
inline constexpr unsigned SIGNAL_CLD_MASK = SIGNAL_CLD_STOPPED | SIGNAL_CLD_CONTINUED;
inline constexpr unsigned SIGNAL_STOP_MASK =
    SIGNAL_CLD_MASK | SIGNAL_STOP_STOPPED | SIGNAL_STOP_CONTINUED;

// v4.19 include/linux/pid.h. Of a signal: who is to get it: a thread, a process, more than one.
enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };

// v4.19 include/trace/events/signal.h: what became of a signal that was sent.
enum signal_generate_result {
  TRACE_SIGNAL_DELIVERED,
  TRACE_SIGNAL_IGNORED,
  TRACE_SIGNAL_ALREADY_PENDING,
  TRACE_SIGNAL_OVERFLOW_FAIL,
  TRACE_SIGNAL_LOSE_INFO,
};

// What the threads of a process share.
struct signal_struct {
  static constexpr const char* kSlabName = "signal_cache";

  int sigcnt = 0;  // tasks that are not freed
  int live = 0;
  task_struct* group_leader = nullptr;
  std::vector<task_struct*> thread_head;  // oldest first
  std::vector<task_struct*> children;     // oldest first
  wait_queue_head_t wait_chldexit;        // who waits for one of them
  int pgrp = 0;                           // process group; there is no setpgid

  // Under siglock.
  task_struct* curr_target = nullptr;  // where the search for a thread for a signal begins
  sigpending shared_pending;
  std::vector<sigset_t*> multiprocess;  // of forks that go on: signals that are the child's, too
  unsigned flags = 0;
  int group_exit_code = 0;
  int group_stop_count = 0;                // threads that are still to stop
  task_struct* group_exit_task = nullptr;  // who waits in exec for all others to be gone

  hrtimer real_timer;        // ITIMER_REAL
  ktime_t it_real_incr = 0;  // its interval; 0: it fires once

  std::array<struct ::rlimit, RLIM_NLIMITS> rlim = {};  // written under the leader's alloc_lock
};

// What Linux keeps in task_struct and only fork, exec, exit and wait look at.
struct task_lifecycle {
  int exit_state = 0;   // 0, EXIT_ZOMBIE, EXIT_DEAD, EXIT_TRACE
  int exit_signal = 0;  // what its parent is sent when it ends; -1: nothing, it is a thread
  completion* vfork_done = nullptr;
  uint64_t set_child_tid = 0;     // user address, or 0
  uint64_t clear_child_tid = 0;   // user address, or 0
  int next_child_pid = 0;         // of its next fork; 0: the next free one. See SetNextPid
  int usage = 1;                  // who may look at the task; the task itself counts until released
  spinlock_t pi_lock{"pi_lock"};  // guards `state`, where set_special_state changes it
  spinlock_t alloc_lock{"alloc_lock"};  // guards vfork_done, and signal_struct::rlim
  task_struct* task = nullptr;
  rcu_head rcu;
};

// REQUIRES: `task` was made by copy_process or StartProcess and has not been freed.
task_lifecycle* lifecycle(const task_struct* task);

extern KernelGlobal<kmem_cache<signal_struct>> signal_cachep;

struct process_globals {
  rwlock_t tasklist_lock{"tasklist_lock"};
  // Who waits for a task's JOBCTL_TRAPPING. Departs: one queue for all; Linux has a table of them.
  wait_queue_head_t trapping{"bit_wait_table"};
};
extern KernelGlobal<process_globals> processes;

inline bool thread_group_leader(const task_struct* task) {
  return task->signal->group_leader == task;
}
inline bool same_thread_group(const task_struct* a, const task_struct* b) {
  return a->signal == b->signal;
}
// v4.19 include/linux/sched/signal.h: delay_group_leader. A leader that has ended while other
// threads have not.
bool delay_group_leader(const task_struct* task);
// True if no other thread of the group is left.
inline bool thread_group_empty(const task_struct* task) {
  return task->signal->thread_head.size() == 1;
}
// v4.19 include/linux/sched/signal.h: signal_group_exit
inline bool signal_group_exit(const signal_struct& signal) {
  return (signal.flags & SIGNAL_GROUP_EXIT) != 0 || signal.group_exit_task != nullptr;
}

// v4.19 arch/x86/include/asm/processor.h: task_pt_regs. The registers that user mode had; they lie
// at the very top of the kernel stack.
pt_regs* task_pt_regs(const task_struct* task);

// ---- Doors ----
// What sim/process needs from folders that it must not use. Boot (entry/boot.h) sets those without
// which no process can run.
struct ProcessHooks {
  // arch/x86/entry: the end of ret_from_fork. Called with RSP at the task's pt_regs: does the work
  // that is due before user mode, loads the registers, and returns in ring 3. Must be set.
  void (*return_to_user_mode)() = nullptr;

  // The program that stands at a user instruction pointer, as a function to call in ring 3; empty:
  // none. Asked when a fork has made a child, and by exec. Must be set.
  std::function<std::function<void()>(uint64_t ip)> program_at;

  // arch/x86/kernel/ptrace.c, step.c: the requests that are about registers, and stepping. Set by
  // Boot.
  long (*arch_ptrace)(task_struct* child, long request, unsigned long addr,
                      unsigned long data) = nullptr;
  // NT_PRSTATUS: the general registers, kGenregs words in the order of struct user_regs_struct.
  static constexpr size_t kGenregs = 27;
  void (*genregs_get)(const task_struct* child, unsigned long* regs) = nullptr;
  // Sets the first `count`. 0, or -EIO: a value that user mode cannot have.
  int (*genregs_set)(task_struct* child, const unsigned long* regs, size_t count) = nullptr;
  void (*user_enable_single_step)(task_struct* child) = nullptr;
  void (*user_disable_single_step)(task_struct* child) = nullptr;

  // fs/aio.c: exit_aio, when the last user of an address space is gone and its memory is still
  // there. Set by aio_setup (fs_aio/aio.h); may sleep.
  void (*exit_aio)(kptr<mm_struct> mm) = nullptr;

  // A process (not a mere thread) has ended; exit_code is as wait4 reports it. For looking on.
  std::function<void(const task_struct* leader, int exit_code)> process_ended;

  // include/trace/events/signal.h: signal_generate, signal_deliver. For looking on; must not pass
  // probes. A signal was sent to `task` or its process, and what became of it.
  std::function<void(const task_struct* task, const siginfo_t& info, signal_generate_result result)>
      signal_generate;
  // The current task takes a signal; `handler`: user address, SIG_DFL or SIG_IGN.
  std::function<void(const siginfo_t& info, uint64_t handler)> signal_deliver;
};
extern KernelGlobal<ProcessHooks> process_hooks;

// ---- Inside sim/process ----

// A task with a lifecycle and nothing else: not started, in no group. `pid` 0: the next free one.
// `body` must end in ret_from_fork or do_exit.
task_struct* new_process_task(Machine& machine, const std::string& comm, int pid,
                              std::function<void()> body);
// v4.19 arch/x86/entry/entry_64.S: ret_from_fork. To ring 3 with what is in the task's pt_regs;
// there `program` is called.
[[noreturn]] void ret_from_fork(const std::function<void()>& program);
// v4.19 include/linux/sched.h: set_special_state. For the states in which a task is stopped: who
// wakes sleepers does not wake it.
void set_special_state(unsigned state);
// A signal_struct that nobody refers to, with the limits `rlim` of some other one. Null: out of
// memory.
kptr<signal_struct> alloc_signal(const struct ::rlimit* rlim);
// Makes the task a thread of `signal`'s group.
void set_signal(task_struct* task, kptr<signal_struct> signal);

// v4.19 include/linux/sched/task.h: get_task_struct, put_task_struct. The last put frees the task:
// its kernel stack, its pid, its part of signal_struct.
void get_task_struct(task_struct* task);
void put_task_struct(task_struct* task);
// put_task_struct after a grace period of RCU: when no CPU can be on the task's stack any more.
void put_task_struct_rcu(task_struct* task);

}  // namespace kpath
