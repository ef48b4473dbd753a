// SPDX-License-Identifier: Apache-2.0
//
// kernel/sched, kernel/fork.c, kernel/signal.c: tasks, processes, signals.
#include "absl/strings/str_cat.h"
#include "inspect/objects/names.h"
#include "inspect/printer.h"
#include "inspect/types_of.h"
#include "sim/block/bio.h"
#include "sim/block/blk_plug.h"
#include "sim/mm/mm_types.h"
#include "sim/process/audit.h"
#include "sim/process/process.h"
#include "sim/process/seccomp.h"
#include "sim/process/sighand.h"
#include "sim/process/signal.h"
#include "sim/vfs/file.h"

namespace kpath {
namespace {

bool HeldName(const Look&, const Datum& object, Datum* value) {
  const lockdep_map* instance = static_cast<const held_lock*>(object.host)->instance;
  *value = MakeText(instance == nullptr || instance->key.name == nullptr ? "" : instance->key.name);
  return true;
}

const task_struct& TaskAt(const Datum& object) {
  return *static_cast<const task_struct*>(object.host);
}

bool CpuOf(const Look&, const Datum& object, Datum* value) {
  const task_struct& task = TaskAt(object);
  *value =
      MakeNumber(TypeOf<int>(), task.cpu == nullptr ? 0 : static_cast<uint64_t>(task.cpu->id()));
  return true;
}

bool ExitState(const Look&, const Datum& object, Datum* value) {
  const task_struct& task = TaskAt(object);
  // Kernel threads, and tasks that have been released, have none.
  if (!task.signal.alive() || task.sighand.get() == nullptr) return false;
  *value = MakeNumber(TypeOf<int>(), static_cast<uint64_t>(lifecycle(&task)->exit_state));
  return true;
}

bool BlockedBy(const Look&, const Datum& object, Datum* value) {
  const task_struct& task = TaskAt(object);
  *value = MakePointer(StructTypeOf<task_struct>(),
                       task.blocked_on == nullptr ? nullptr : task.blocked_by);
  return true;
}

// task_pt_regs.
bool SavedRegisters(const Look&, const Datum& object, Datum* value) {
  const task_struct& task = TaskAt(object);
  if (task.stack == 0) return false;
  *value = MakeAddress(StructTypeOf<pt_regs>(), task_top_of_stack(&task) - sizeof(pt_regs));
  return true;
}

bool LastReason(const Look&, const Datum& object, Datum* value) {
  const task_struct& task = TaskAt(object);
  *value = MakeText(task.reason.number == 0 ? "" : task.reason.ToString());
  return true;
}

std::string TaskName(const void* object) {
  const auto& task = *static_cast<const task_struct*>(object);
  return absl::StrCat("task ", task.pid, " ", task.comm);
}

std::string ShowSignals(const Printer&, const Datum& object, const PrintLevel& level) {
  const auto& set = *static_cast<const sigset_t*>(object.host);
  std::vector<std::string> signals;
  for (int sig = 1; sig <= kSignals; ++sig) {
    if (sigismember(&set, sig)) signals.push_back(absl::StrCat(sig));
  }
  return signals.size() == kSignals ? "{<all>}" : Braces(signals, level.InALine());
}

const siginfo_t& InfoOf(const Datum& object) {
  return static_cast<const sigqueue*>(object.host)->info;
}
bool SignalNumber(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(TypeOf<int>(), static_cast<uint64_t>(InfoOf(object).si_signo));
  return true;
}
bool SignalCode(const Look&, const Datum& object, Datum* value) {
  *value = MakeNumber(TypeOf<int>(), static_cast<uint64_t>(InfoOf(object).si_code));
  return true;
}

}  // namespace

template <>
const Type& StructTypeOf<thread_info>() {
  using S = thread_info;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(flags, NamedType<uint32_t, kThreadFlagNames>),
      KPATH_FIELD_AS(status, NamedType<uint32_t, kThreadStatusNames>),
  };
  static constexpr Type kType = StructType<S>("struct thread_info", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<thread_struct>() {
  using S = thread_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(cr2, HexType<unsigned long>),
      KPATH_FIELD(trap_nr),
      KPATH_FIELD_AS(error_code, HexType<unsigned long>),
      KPATH_FIELD_AS(debugreg6, HexType<unsigned long>),
  };
  static constexpr Type kType = StructType<S>("struct thread_struct", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<held_lock>() {
  using S = held_lock;
  static constexpr Field kFields[] = {
      KPATH_COMPUTED("instance", HeldName),
      KPATH_FIELD(irq_context),
      KPATH_FIELD(read),
      KPATH_FIELD(trylock),
      KPATH_FIELD(acquired_in),
  };
  static constexpr Type kType = StructType<S>("struct held_lock", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<seccomp>() {
  using S = seccomp;
  static constexpr Field kFields[] = {
      KPATH_FIELD(mode),
      KPATH_FIELD(filter),
  };
  static constexpr Type kType = StructType<S>("struct seccomp", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<seccomp_filter>() {
  using S = seccomp_filter;
  static constexpr Field kFields[] = {
      KPATH_FIELD(usage),
      KPATH_FIELD(log),
      KPATH_FIELD(prev),
  };
  static constexpr Type kType = StructType<S>("struct seccomp_filter", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<audit_context>() {
  using S = audit_context;
  static constexpr Field kFields[] = {
      KPATH_FIELD(in_syscall),
      KPATH_FIELD(major),
      KPATH_FIELD_AS(arch, HexType<uint32_t>),
      KPATH_FIELD(argv),
      KPATH_FIELD(return_valid),
      KPATH_FIELD(success),
      KPATH_FIELD_AS(return_code, NamedType<long, kResultNames>),
  };
  static constexpr Type kType = StructType<S>("struct audit_context", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<task_struct>() {
  using S = task_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD_OF(ti, "thread_info", &TypeOf<struct thread_info>),
      KPATH_FIELD_AS(state, NamedType<unsigned, kTaskStateNames>),
      KPATH_FIELD_AS(stack, HexType<uint64_t>),
      KPATH_FIELD_AS(flags, NamedType<uint32_t, kTaskFlagNames>),
      KPATH_FIELD(pid),
      KPATH_FIELD(tgid),
      KPATH_FIELD(comm),
      KPATH_FIELD(on_cpu),
      KPATH_FIELD(on_rq),
      KPATH_COMPUTED("cpu", CpuOf),
      KPATH_FIELD_AS(preempt_count, HexType<int>),
      KPATH_FIELD_AS(cpus_allowed, HexType<uint64_t>),
      KPATH_FIELD(exit_code),
      KPATH_COMPUTED("exit_state", ExitState),
      KPATH_FIELD(mm),
      KPATH_FIELD(files),
      KPATH_FIELD(signal),
      KPATH_FIELD(sighand),
      KPATH_FIELD_OF(real_parent, "real_parent", &TypeOf<task_struct*>),
      KPATH_FIELD(parent),
      KPATH_FIELD(ptraced),
      KPATH_FIELD_AS(ptrace, HexType<unsigned>),
      KPATH_FIELD_AS(jobctl, HexType<unsigned long>),
      KPATH_FIELD(blocked),
      KPATH_FIELD(real_blocked),
      KPATH_FIELD(saved_sigmask),
      KPATH_FIELD(pending),
      KPATH_FIELD(restore_sigmask),
      KPATH_FIELD_AS(sas_ss_sp, HexType<uint64_t>),
      KPATH_FIELD(sas_ss_size),
      KPATH_FIELD_AS(sas_ss_flags, HexType<unsigned>),
      KPATH_FIELD(thread),
      KPATH_FIELD(plug),
      KPATH_FIELD(bio_list),
      KPATH_FIELD(seccomp),
      KPATH_FIELD(no_new_privs),
      KPATH_FIELD(held_locks),
      KPATH_FIELD(blocked_on),
      KPATH_COMPUTED("blocked_by", BlockedBy),
      KPATH_FIELD(timer_slack_ns),
      KPATH_FIELD_AS(cap_effective, HexType<uint64_t>),
      KPATH_COMPUTED("regs", SavedRegisters),
      KPATH_COMPUTED("reason", LastReason),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("struct task_struct", kFields);
    type.identity = TaskName;
    type.number = [](const void* object) {
      return static_cast<uint64_t>(static_cast<const task_struct*>(object)->pid);
    };
    type.find = [](Machine& machine, uint64_t pid) -> const void* {
      return FindTask(machine, static_cast<int>(pid));
    };
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<signal_struct>() {
  using S = signal_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD(sigcnt),
      KPATH_FIELD(live),
      KPATH_FIELD(group_leader),
      KPATH_FIELD(thread_head),
      KPATH_FIELD(children),
      KPATH_FIELD(wait_chldexit),
      KPATH_FIELD(pgrp),
      KPATH_FIELD(shared_pending),
      KPATH_FIELD_AS(flags, HexType<unsigned>),
      KPATH_FIELD(group_exit_code),
      KPATH_FIELD(group_stop_count),
      KPATH_FIELD(group_exit_task),
      KPATH_FIELD(real_timer),
      KPATH_FIELD(it_real_incr),
  };
  static constexpr Type kType = StructType<S>("struct signal_struct", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<sighand_struct>() {
  using S = sighand_struct;
  static constexpr Field kFields[] = {
      KPATH_FIELD(count),
      KPATH_FIELD(action),
      KPATH_FIELD(siglock),
      KPATH_FIELD(rcu),
  };
  static constexpr Type kType = StructType<S>("struct sighand_struct", kFields, true);
  return kType;
}

template <>
const Type& StructTypeOf<k_sigaction>() {
  using S = k_sigaction;
  static constexpr Field kFields[] = {
      KPATH_FIELD_OF(handler, "sa_handler", &HexType<uint64_t>),
      KPATH_FIELD_AS(sa_flags, HexType<uint64_t>),
      KPATH_FIELD_AS(sa_restorer, HexType<uint64_t>),
      KPATH_FIELD(sa_mask),
  };
  static constexpr Type kType = StructType<S>("struct k_sigaction", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<sigset_t>() {
  using S = sigset_t;
  static constexpr Field kFields[] = {
      KPATH_FIELD_AS(sig, HexType<uint64_t>),
  };
  static constexpr Type kType = [] {
    Type type = StructType<S>("sigset_t", kFields);
    type.show = ShowSignals;
    return type;
  }();
  return kType;
}

template <>
const Type& StructTypeOf<sigpending>() {
  using S = sigpending;
  static constexpr Field kFields[] = {
      KPATH_FIELD(list),
      KPATH_FIELD(signal),
  };
  static constexpr Type kType = StructType<S>("struct sigpending", kFields);
  return kType;
}

template <>
const Type& StructTypeOf<sigqueue>() {
  using S = sigqueue;
  static constexpr Field kFields[] = {
      KPATH_COMPUTED("si_signo", SignalNumber),
      KPATH_COMPUTED("si_code", SignalCode),
  };
  static constexpr Type kType = StructType<S>("struct sigqueue", kFields, true);
  return kType;
}

}  // namespace kpath
