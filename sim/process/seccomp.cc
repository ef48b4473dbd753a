// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a call. How filters are attached: seccomp_attach.cc.
#include "sim/process/seccomp.h"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "sim/kernel/fail.h"
#include "sim/process/exit.h"
#include "sim/process/ptrace.h"
#include "sim/process/signal.h"
#include "syscall_table/numbers_64.h"

namespace kpath {
namespace {

// v4.19 arch/x86/include/asm/unistd_32.h: read, write, exit, sigreturn
constexpr int mode1_syscalls[] = {NR_read, NR_write, NR_exit, NR_rt_sigreturn};
constexpr int mode1_syscalls_32[] = {3, 4, 1, 119};

bool in_ia32_syscall() { return (current->ti.status & TS_COMPAT) != 0; }

// v4.19 kernel/seccomp.c: seccomp_log
void seccomp_log(int nr, int signr, uint32_t action, bool requested) {
  if (requested) STEP("seccomp_log", nr, signr, Value::Address(action));
}

// v4.19 kernel/seccomp.c: __secure_computing_strict
void __secure_computing_strict(int this_syscall) {
  FUNCTION(this_syscall);
  const auto& allowed = in_ia32_syscall() ? mode1_syscalls_32 : mode1_syscalls;
  if (std::find(std::begin(allowed), std::end(allowed), this_syscall) != std::end(allowed)) return;
  Fail(EPERM, "system call $0 in seccomp's strict mode", this_syscall);
  seccomp_log(this_syscall, SIGKILL, SECCOMP_RET_KILL_THREAD, true);
  do_exit(SIGKILL);
}

// Actions in the order of their severity.
int32_t ACTION_ONLY(uint32_t ret) { return static_cast<int32_t>(ret & SECCOMP_RET_ACTION_FULL); }

// v4.19 kernel/seccomp.c: seccomp_run_filters. `*match`: the filter whose answer it is; null: none
// objected.
uint32_t seccomp_run_filters(const seccomp_data& sd, kptr<seccomp_filter>* match) {
  FUNCTION(sd.nr);
  constexpr size_t kWords = sizeof(sd) / sizeof(uint32_t);
  uint32_t words[kWords];
  std::memcpy(words, &sd, sizeof(sd));
  uint32_t ret = SECCOMP_RET_ALLOW;
  for (kptr<seccomp_filter> f = current->seccomp.filter; f; f = f->prev) {
    const uint32_t answer = bpf_run(f->prog.data(), words, kWords);
    STEP("filter", sd.nr, Value::Address(answer));
    if (ACTION_ONLY(answer) >= ACTION_ONLY(ret)) continue;
    ret = answer;
    *match = f;
  }
  return fn.Return(ret);
}

// v4.19 arch/x86/include/asm/syscall.h: syscall_set_return_value, syscall_rollback
void syscall_set_return_value(long value) {
  task_pt_regs(current)->ax = static_cast<unsigned long>(value);
}
void syscall_rollback() { task_pt_regs(current)->ax = task_pt_regs(current)->orig_ax; }

// v4.19 kernel/seccomp.c: seccomp_init_siginfo, seccomp_send_sigsys
void seccomp_send_sigsys(int syscall, int reason) {
  FUNCTION(syscall, reason);
  constexpr int kSysSeccomp = 1;
  siginfo_t info = {};
  info.si_signo = SIGSYS;
  info.si_code = kSysSeccomp;
  info.si_call_addr = reinterpret_cast<void*>(task_pt_regs(current)->ip);  // never followed here
  info.si_errno = reason;
  info.si_arch = in_ia32_syscall() ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
  info.si_syscall = syscall;
  force_sig_info(SIGSYS, &info, current);
}

int __seccomp_filter(const seccomp_data& sd, bool recheck_after_trace);

// SECCOMP_RET_TRACE. True: the call may be made, maybe as another one than it was.
bool ask_tracer(int this_syscall, unsigned data) {
  if (!ptrace_event_enabled(current, PTRACE_EVENT_SECCOMP)) {
    syscall_set_return_value(Fail(ENOSYS, "no tracer wants to see system call $0", this_syscall));
    return false;
  }
  ptrace_event(PTRACE_EVENT_SECCOMP, data);
  if (fatal_signal_pending(current)) return false;
  const seccomp_data now = populate_seccomp_data();
  if (now.nr < 0) return false;
  // The tracer cannot do more than the filters allow.
  return __seccomp_filter(now, true) == 0;
}

[[noreturn]] void kill(int this_syscall, uint32_t action) {
  seccomp_log(this_syscall, SIGSYS, action, true);
  if (action == SECCOMP_RET_KILL_PROCESS) do_group_exit(SIGSYS);
  do_exit(SIGSYS);
}

// v4.19 kernel/seccomp.c: __seccomp_filter
int __seccomp_filter(const seccomp_data& sd, bool recheck_after_trace) {
  FUNCTION(sd.nr, recheck_after_trace);
  kptr<seccomp_filter> match;
  const uint32_t filter_ret = seccomp_run_filters(sd, &match);
  const auto data = static_cast<int>(filter_ret & SECCOMP_RET_DATA);
  const uint32_t action = filter_ret & SECCOMP_RET_ACTION_FULL;
  switch (action) {
    case SECCOMP_RET_ERRNO:
      syscall_set_return_value(
          Fail(std::min(data, MAX_ERRNO), "a seccomp filter refuses system call $0", sd.nr));
      break;
    case SECCOMP_RET_TRAP:
      syscall_rollback();
      seccomp_send_sigsys(sd.nr, data);
      break;
    case SECCOMP_RET_TRACE:
      if (recheck_after_trace || ask_tracer(sd.nr, static_cast<unsigned>(data)))
        return fn.Return(0);
      if (recheck_after_trace) return fn.Return(-1);
      break;
    case SECCOMP_RET_LOG:
      seccomp_log(sd.nr, 0, action, true);
      return fn.Return(0);
    case SECCOMP_RET_ALLOW:
      return fn.Return(0);
    default:
      kill(sd.nr, action);
  }
  seccomp_log(sd.nr, 0, action, match ? match->log : false);
  return fn.Return(-1);
}

}  // namespace

seccomp_data populate_seccomp_data() {
  const pt_regs* regs = task_pt_regs(current);
  seccomp_data sd = {.nr = static_cast<int>(regs->orig_ax),
                     .arch = AUDIT_ARCH_X86_64,
                     .instruction_pointer = regs->ip,
                     .args = {regs->di, regs->si, regs->dx, regs->r10, regs->r8, regs->r9}};
  if (!in_ia32_syscall()) return sd;
  sd.arch = AUDIT_ARCH_I386;
  const unsigned long args[] = {regs->bx, regs->cx, regs->dx, regs->si, regs->di, regs->bp};
  std::transform(std::begin(args), std::end(args), sd.args,
                 [](unsigned long value) { return static_cast<uint32_t>(value); });
  return sd;
}

int __secure_computing(const seccomp_data& sd) {
  FUNCTION(sd.nr);
  if (current->seccomp.mode == SECCOMP_MODE_STRICT) {
    __secure_computing_strict(sd.nr);
    return fn.Return(0);
  }
  return fn.Return(__seccomp_filter(sd, false));
}

}  // namespace kpath
