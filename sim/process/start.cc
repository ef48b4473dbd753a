// SPDX-License-Identifier: Apache-2.0
#include "sim/process/start.h"

#include <csignal>
#include <optional>
#include <utility>

#include "sim/machine/context.h"
#include "sim/process/audit.h"
#include "sim/process/exit.h"
#include "sim/process/signal.h"
#include "sim/process/tracepoint.h"
#include "sim/vfs/file.h"

namespace kpath {
namespace {

// The group and the descriptors that an exec expects to find. 0 or -ENOMEM.
int be_born() {
  kptr<sighand_struct> sighand = alloc_sighand();
  if (!sighand) return -ENOMEM;
  kptr<signal_struct> signal = alloc_signal(INIT_RLIMITS);
  if (!signal) {
    __cleanup_sighand(sighand);
    return -ENOMEM;
  }
  current->sighand = sighand;
  set_signal(current, signal);
  signal->curr_target = current;
  signal->live = 1;
  signal->group_leader = current;
  signal->thread_head = {current};
  signal->pgrp = current->pid;
  syscall_tracepoint_update(current);
  if (const int error = audit_alloc(current); error != 0) return error;
  current->files = alloc_files();
  return current->files ? 0 : -ENOMEM;
}

// There was not even memory for what do_exit takes apart.
[[noreturn]] void die_unborn() {
  if (process_hooks->process_ended) process_hooks->process_ended(current, SIGKILL);
  lifecycle(current)->exit_state = EXIT_DEAD;
  put_task_struct_rcu(current);
  do_task_dead();
}

void kernel_init(const std::string& comm, const StartOptions& options) {
  FUNCTION();
  if (be_born() != 0) {
    if (!current->signal) die_unborn();
    do_exit(SIGKILL);
  }
  const linux_binprm bprm = {.comm = comm,
                             .start_ip = options.start_ip,
                             .stack_top = options.stack_top,
                             .map = options.set_up};
  if (exec_binprm(bprm) != 0) do_exit(SIGKILL);
}

}  // namespace

task_struct* StartProcess(Machine& machine, const std::string& comm, std::function<void()> program,
                          StartOptions options) {
  // Unless the machine's own code calls.
  std::optional<EnterMachine> enter;
  if (current_context == nullptr || current_context->machine != &machine) enter.emplace(machine);
  const int pid = options.pid;
  task_struct* task = new_process_task(
      machine, comm, pid, [comm, program = std::move(program), options = std::move(options)] {
        kernel_init(comm, options);
        ret_from_fork(program);
      });
  wake_up_new_task(task);
  return task;
}

}  // namespace kpath
