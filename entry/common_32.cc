// SPDX-License-Identifier: Apache-2.0
#include "entry/common_32.h"

#include "entry/common.h"
#include "entry/dispatch.h"
#include "entry/syscall_work.h"
#include "sim/kernel/fail.h"
#include "sim/kernel/uaccess.h"
#include "syscall_table/ia32_sys_call_table.h"

namespace kpath {

KernelGlobal<VdsoImage32> vdso_image_32;

namespace {

// v4.19 arch/x86/entry/common.c: do_syscall_32_irqs_on
void do_syscall_32_irqs_on(pt_regs* regs) {
  auto nr = static_cast<uint32_t>(regs->orig_ax);
  FUNCTION(nr);
  current->ti.status |= TS_COMPAT;
  if ((current->ti.flags & _TIF_WORK_SYSCALL_ENTRY) != 0) {
    nr = static_cast<uint32_t>(syscall_trace_enter(regs));
  }
  DispatchSyscall(*ia32_sys_call_table, nr, regs);
  syscall_return_slowpath(regs);
}

// Whether the saved registers are such that SYSRETL would restore them, but for ecx and edx, which
// the vDSO restores.
bool SysretWouldDo(const pt_regs* regs) {
  return regs->cs == __USER32_CS && regs->ss == __USER_DS &&
         regs->ip == vdso_image_32->int80_landing_pad &&
         (regs->flags & (X86_EFLAGS_RF | X86_EFLAGS_TF)) == 0;
}

}  // namespace

void do_int80_syscall_32(pt_regs* regs) {
  FUNCTION();
  enter_from_user_mode();
  local_irq_enable();
  do_syscall_32_irqs_on(regs);
}

long do_fast_syscall_32(pt_regs* regs) {
  FUNCTION();
  // As if the vDSO had got to its INT 0x80; a call that is restarted does.
  regs->ip = vdso_image_32->int80_landing_pad;
  enter_from_user_mode();
  local_irq_enable();
  // The vDSO has put ebp on the stack.
  uint32_t bp = 0;
  if (get_user(bp, user_ptr<uint32_t>(static_cast<uint32_t>(regs->sp))) != 0) {
    local_irq_disable();
    const long error = Fail(EFAULT, "the stack of the 32-bit program cannot be read at $0",
                            Value::Address(regs->sp));
    regs->ax = static_cast<unsigned long>(error);
    prepare_exit_to_usermode(regs);
    return fn.Return(0L);
  }
  regs->bp = bp;
  do_syscall_32_irqs_on(regs);
  return fn.Return(SysretWouldDo(regs) ? 1L : 0L);
}

}  // namespace kpath
