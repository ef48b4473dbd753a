// SPDX-License-Identifier: Apache-2.0
#include "entry/common.h"

#include "absl/strings/str_cat.h"
#include "entry/dispatch.h"
#include "entry/entry_64.h"
#include "entry/entry_64_compat.h"
#include "entry/nospec.h"
#include "entry/signal.h"
#include "entry/syscall_work.h"
#include "sim/kernel/lockdep.h"
#include "sim/kernel/report.h"
#include "sim/machine/check.h"
#include "syscall_table/numbers_64.h"
#include "syscall_table/sys_call_table.h"

namespace kpath {

KernelGlobal<ContextTracking> context_tracking;

namespace {

// v4.19 arch/x86/include/asm/unistd.h: __SYSCALL_MASK
struct SyscallMask {
  unsigned long value = ~static_cast<unsigned long>(X32_SYSCALL_BIT);
};
KernelGlobal<SyscallMask> syscall_mask;

// v4.19 include/linux/context_tracking.h: user_enter_irqoff
void user_enter_irqoff() {
  if (context_tracking->user_enter_irqoff != nullptr) context_tracking->user_enter_irqoff();
}

// v4.19 include/linux/tracehook.h: tracehook_notify_resume
void tracehook_notify_resume() {
  FUNCTION();
  if (!current->task_works.empty()) task_work_run();
}

// v4.19 arch/x86/entry/common.c: exit_to_usermode_loop. Each round acts on the flags that the one
// before saw; what comes up meanwhile is for the next.
void exit_to_usermode_loop(pt_regs* regs, uint32_t cached_flags) {
  FUNCTION(cached_flags);
  constexpr uint32_t kNotModelled =
      _TIF_UPROBE | _TIF_PATCH_PENDING | _TIF_USER_RETURN_NOTIFY;  // uprobes, livepatch, KVM
  while (true) {
    local_irq_enable();
    KPATH_CHECK((cached_flags & kNotModelled) == 0, "a flag of something that is not modelled");
    if ((cached_flags & _TIF_NEED_RESCHED) != 0) schedule();
    if ((cached_flags & _TIF_SIGPENDING) != 0) do_signal(regs);
    if ((cached_flags & _TIF_NOTIFY_RESUME) != 0) {
      clear_tsk_thread_flag(current, TIF_NOTIFY_RESUME);
      tracehook_notify_resume();
    }
    local_irq_disable();
    cached_flags = current->ti.flags;
    if ((cached_flags & EXIT_TO_USERMODE_LOOP_FLAGS) == 0) return;
    STEP("again", cached_flags);
  }
}

[[noreturn, gnu::cold, gnu::noinline]] void ReportIrqsLeftDisabled(const pt_regs& regs) {
  Report(absl::StrCat("WARNING: syscall ", regs.orig_ax, " left IRQs disabled"));
}

}  // namespace

void enter_from_user_mode() {
  FUNCTION();
  if (context_tracking->user_exit_irqoff != nullptr) context_tracking->user_exit_irqoff();
}

// The call that `nr` stands for, if there is one. Departs: the reason for the -ENOSYS that the
// entry code put into regs->ax is recorded here, where the kernel does nothing.
void DispatchSyscall(const SysCallTable& table, unsigned long nr, pt_regs* regs) {
  if (nr >= table.size()) {
    STEP("no such number", nr, table.size());
    if (static_cast<long>(regs->ax) == -ENOSYS) {
      Fail(ENOSYS, "system call number $0 is not below NR_syscalls=$1", nr, table.size());
    }
    return;
  }
  nr = array_index_nospec(nr, table.size());
  const SyscallSlot& slot = table[nr];
  const char* const name = slot.name == nullptr ? "sys_ni_syscall" : slot.name;
  STEP("sys_call_table", nr, name);
  regs->ax = static_cast<unsigned long>(slot.function(regs));
}

void do_syscall_64(unsigned long nr, pt_regs* regs) {
  FUNCTION(nr);
  enter_from_user_mode();
  local_irq_enable();
  if ((current->ti.flags & _TIF_WORK_SYSCALL_ENTRY) != 0) {
    nr = static_cast<unsigned long>(syscall_trace_enter(regs));
  }
  // 64-bit and x32 calls share the table. The x32 bit matters to some calls, which look at orig_ax.
  nr &= syscall_mask->value;
  DispatchSyscall(*sys_call_table, nr, regs);
  syscall_return_slowpath(regs);
}

void syscall_return_slowpath(pt_regs* regs) {
  FUNCTION(static_cast<long>(regs->ax));
  const uint32_t cached_flags = current->ti.flags;
  if (irqs_disabled()) {
    ReportIrqsLeftDisabled(*regs);
  }
  if ((cached_flags & SYSCALL_EXIT_WORK_FLAGS) != 0) syscall_slow_exit_work(regs, cached_flags);
  local_irq_disable();
  prepare_exit_to_usermode(regs);
}

// Departs: no addr_limit_user_check, because nothing models set_fs and so nothing sets TIF_FSCHECK.
void prepare_exit_to_usermode(pt_regs* regs) {
  FUNCTION(current->ti.flags);
  KPATH_CHECK(irqs_disabled(), "the flags are read with interrupts off");
  lockdep_sys_exit();
  const uint32_t cached_flags = current->ti.flags;
  if ((cached_flags & EXIT_TO_USERMODE_LOOP_FLAGS) != 0) exit_to_usermode_loop(regs, cached_flags);
  current->ti.status &= ~(TS_COMPAT | TS_I386_REGS_POKED);
  user_enter_irqoff();
}

// ---- Set-up ----

void syscall_init(Cpu& cpu) {
  cpu.star = uint64_t{__USER32_CS} << 48 | uint64_t{__KERNEL_CS} << 32;
  cpu.lstar = assembly::entry_SYSCALL_64.address;
  cpu.syscall_entry = assembly::entry_SYSCALL_64.run;
  cpu.cstar = assembly::entry_SYSCALL_compat.address;
  cpu.syscall_compat_entry = assembly::entry_SYSCALL_compat.run;
  cpu.sysenter_cs = __KERNEL_CS;
  cpu.sysenter_esp = cpu.entry_stack_top();
  cpu.sysenter_eip = assembly::entry_SYSENTER_compat.address;
  cpu.sysenter_entry = assembly::entry_SYSENTER_compat.run;
  cpu.sfmask = X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_IF | X86_EFLAGS_IOPL | X86_EFLAGS_AC |
               X86_EFLAGS_NT;
}

void DisableX32() {
  syscall_mask->value = ~0ul;
  sys_call_table->RemoveX32();
}

}  // namespace kpath
