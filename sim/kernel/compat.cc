// SPDX-License-Identifier: Apache-2.0
#include "sim/kernel/compat.h"

#include "sim/kernel/uaccess.h"

namespace kpath {
namespace {

constexpr unsigned long X32_SYSCALL_BIT = 0x40000000;

}  // namespace

// v4.19 arch/x86/include/asm/compat.h: in_x32_syscall
bool in_x32_syscall() {
  if (current->stack == 0) return false;
  const pt_regs* regs = PtRegsAt(*current->cpu, task_top_of_stack(current) - sizeof(pt_regs));
  return (regs->orig_ax & X32_SYSCALL_BIT) != 0 && static_cast<int>(regs->orig_ax) >= 0;
}

// v4.19 arch/x86/include/asm/compat.h: in_compat_syscall
bool in_compat_syscall() {
  return (current_thread_info()->status & TS_COMPAT) != 0 || in_x32_syscall();
}

// v4.19 kernel/compat.c: compat_get_timespec64
int compat_get_timespec64(timespec64* ts, user_ptr<const compat_timespec> uts) {
  FUNCTION(uts);
  if (in_x32_syscall()) {
    return fn.Return(copy_from_user(ts, uts, sizeof(*ts)) != 0 ? -EFAULT : 0);
  }
  compat_timespec narrow;
  if (copy_from_user(&narrow, uts, sizeof(narrow)) != 0) return fn.Return(-EFAULT);
  *ts = {narrow.tv_sec, narrow.tv_nsec};
  return fn.Return(0);
}

// v4.19 kernel/compat.c: compat_put_timespec64
int compat_put_timespec64(const timespec64& ts, user_ptr<compat_timespec> uts) {
  FUNCTION(uts);
  if (in_x32_syscall()) return fn.Return(copy_to_user(uts, &ts, sizeof(ts)) != 0 ? -EFAULT : 0);
  const compat_timespec narrow = {static_cast<int32_t>(ts.tv_sec),
                                  static_cast<int32_t>(ts.tv_nsec)};
  return fn.Return(copy_to_user(uts, &narrow, sizeof(narrow)) != 0 ? -EFAULT : 0);
}

}  // namespace kpath
