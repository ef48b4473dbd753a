// SPDX-License-Identifier: Apache-2.0
#include "sim/process/tracepoint.h"

#include <map>
#include <utility>

namespace kpath {
namespace {

struct syscall_tracepoints {
  int next_id = 1;
  std::map<int, sys_enter_probe> enter;  // by id, which is the order of registration
  std::map<int, sys_exit_probe> exit;
  size_t sys_tracepoint_refcount() const { return enter.size() + exit.size(); }
};
KernelGlobal<syscall_tracepoints> tracepoints;

void SetFlag(task_struct* task, bool on) {
  on ? set_tsk_thread_flag(task, TIF_SYSCALL_TRACEPOINT)
     : clear_tsk_thread_flag(task, TIF_SYSCALL_TRACEPOINT);
}

// v4.19 kernel/tracepoint.c: syscall_regfunc, syscall_unregfunc. The first one who comes, the last
// one who goes.
void UpdateTasks(Machine& machine) {
  const size_t refcount = tracepoints.Get(machine).sys_tracepoint_refcount();
  if (refcount > 1) return;
  for (task_struct* task : AllTasks(machine)) SetFlag(task, refcount != 0);
}

}  // namespace

int register_trace_sys_enter(Machine& machine, sys_enter_probe probe) {
  syscall_tracepoints& all = tracepoints.Get(machine);
  all.enter[all.next_id] = std::move(probe);
  UpdateTasks(machine);
  return all.next_id++;
}

int register_trace_sys_exit(Machine& machine, sys_exit_probe probe) {
  syscall_tracepoints& all = tracepoints.Get(machine);
  all.exit[all.next_id] = std::move(probe);
  UpdateTasks(machine);
  return all.next_id++;
}

void unregister_trace_sys_enter(Machine& machine, int id) {
  if (tracepoints.Get(machine).enter.erase(id) != 0) UpdateTasks(machine);
}

void unregister_trace_sys_exit(Machine& machine, int id) {
  if (tracepoints.Get(machine).exit.erase(id) != 0) UpdateTasks(machine);
}

void trace_sys_enter(const pt_regs* regs, long id) {
  STEP("sys_enter", id);
  for (const auto& [key, probe] : tracepoints->enter) probe(regs, id);
}

void trace_sys_exit(const pt_regs* regs, long ret) {
  STEP("sys_exit", ret);
  for (const auto& [key, probe] : tracepoints->exit) probe(regs, ret);
}

void syscall_tracepoint_update(task_struct* p) {
  SetFlag(p, tracepoints->sys_tracepoint_refcount() != 0);
}

}  // namespace kpath
