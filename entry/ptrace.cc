// SPDX-License-Identifier: Apache-2.0
#include "entry/ptrace.h"

#include <sys/user.h>

#include "sim/kernel/fail.h"
#include "sim/kernel/uaccess.h"
#include "sim/machine/pt_regs.h"
#include "sim/process/ptrace.h"

namespace kpath {
namespace {

constexpr size_t kWord = sizeof(unsigned long);
static_assert(sizeof(user_regs_struct) == ProcessHooks::kGenregs * kWord);

// v4.19 arch/x86/kernel/ptrace.c: FLAG_MASK. The flags that a tracer may change.
constexpr unsigned long FLAG_MASK = X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |
                                    X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF |
                                    X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_NT;

constexpr size_t Offset(size_t word) { return word * kWord; }
// struct user_regs_struct begins as struct pt_regs does.
constexpr size_t kCs = offsetof(user_regs_struct, cs);
constexpr size_t kFlags = offsetof(user_regs_struct, eflags);
constexpr size_t kSs = offsetof(user_regs_struct, ss);
constexpr size_t kFsBase = offsetof(user_regs_struct, fs_base);
constexpr size_t kGsBase = offsetof(user_regs_struct, gs_base);
static_assert(kCs == offsetof(pt_regs, cs) && kFlags == offsetof(pt_regs, flags));
static_assert(kSs == offsetof(pt_regs, ss) && kFsBase == sizeof(pt_regs));

// v4.19 arch/x86/kernel/ptrace.c: pt_regs_access
unsigned long* pt_regs_access(pt_regs* regs, size_t offset) { return &regs->r15 + offset / kWord; }

// v4.19 arch/x86/kernel/ptrace.c: get_flags. Not the TF that is the tracer's.
unsigned long get_flags(const task_struct* task) {
  unsigned long flags = task_pt_regs(task)->flags;
  if (test_tsk_thread_flag(task, TIF_FORCED_TF)) flags &= ~X86_EFLAGS_TF;
  return flags;
}

// v4.19 arch/x86/kernel/ptrace.c: set_flags. With TF in it, that is from now on the program's.
void set_flags(task_struct* task, unsigned long value) {
  pt_regs* regs = task_pt_regs(task);
  if ((value & X86_EFLAGS_TF) != 0) {
    clear_tsk_thread_flag(task, TIF_FORCED_TF);
  } else if (test_tsk_thread_flag(task, TIF_FORCED_TF)) {
    value |= X86_EFLAGS_TF;
  }
  regs->flags = (regs->flags & ~FLAG_MASK) | (value & FLAG_MASK);
}

// v4.19 arch/x86/kernel/ptrace.c: getreg
unsigned long getreg(const task_struct* task, size_t offset) {
  if (offset == kFlags) return get_flags(task);
  if (offset >= sizeof(pt_regs)) return 0;  // bases and data segments
  const unsigned long value = *pt_regs_access(task_pt_regs(task), offset);
  return offset == kCs || offset == kSs ? value & 0xffff : value;
}

// v4.19 arch/x86/kernel/ptrace.c: set_segment_reg, for cs and ss, without which there is no way
// back to user mode. 0 or -EIO.
int set_segment_reg(task_struct* task, size_t offset, unsigned long value) {
  if (value != 0 && (value & 3) != 3) {
    return Fail(EIO, "segment selector $0 is not one of user mode", Value::Address(value));
  }
  if (value == 0) return Fail(EIO, "cs and ss cannot be 0");
  *pt_regs_access(task_pt_regs(task), offset) = value & 0xffff;
  return 0;
}

// v4.19 arch/x86/kernel/ptrace.c: putreg. 0 or -EIO.
int putreg(task_struct* child, size_t offset, unsigned long value) {
  if (offset == kCs || offset == kSs) return set_segment_reg(child, offset, value);
  if (offset == kFlags) {
    set_flags(child, value);
    return 0;
  }
  if (offset == kFsBase || offset == kGsBase) {
    if (value >= TASK_SIZE_MAX) {
      return Fail(EIO, "segment base $0 is not a user address", Value::Address(value));
    }
    return 0;
  }
  if (offset < sizeof(pt_regs)) *pt_regs_access(task_pt_regs(child), offset) = value;
  return 0;
}

// PTRACE_PEEKUSR, PTRACE_POKEUSR: `addr` is an offset in struct user. 0 or -EIO.
int check_user_offset(unsigned long addr) {
  if (addr % kWord == 0 && addr < sizeof(struct ::user)) return 0;
  return Fail(EIO, "offset $0 is not one of a word in struct user", addr);
}

bool is_debug_register(unsigned long addr) {
  constexpr size_t kFirst = offsetof(struct ::user, u_debugreg);
  return addr >= kFirst && addr < kFirst + sizeof(::user::u_debugreg);
}

long peekusr(const task_struct* child, unsigned long addr, unsigned long data) {
  if (const int error = check_user_offset(addr); error != 0) return error;
  unsigned long value = 0;
  if (addr < sizeof(user_regs_struct)) {
    value = getreg(child, addr);
  } else if (addr == offsetof(struct ::user, u_debugreg) + Offset(6)) {
    value = child->thread.debugreg6;
  }
  return put_user(value, user_ptr<unsigned long>(data));
}

long pokeusr(task_struct* child, unsigned long addr, unsigned long data) {
  if (const int error = check_user_offset(addr); error != 0) return error;
  if (addr < sizeof(user_regs_struct)) return putreg(child, addr, data);
  if (is_debug_register(addr)) return Fail(EIO, "there are no breakpoints in debug registers");
  return Fail(EIO, "offset $0 of struct user cannot be written", addr);
}

long getregs(const task_struct* child, user_ptr<void> to) {
  unsigned long regs[ProcessHooks::kGenregs];
  genregs_get(child, regs);
  return copy_to_user(to, regs, sizeof(regs)) != 0 ? -EFAULT : 0;
}

long setregs(task_struct* child, user_ptr<const void> from) {
  unsigned long regs[ProcessHooks::kGenregs];
  if (copy_from_user(regs, from, sizeof(regs)) != 0) return -EFAULT;
  return genregs_set(child, regs, ProcessHooks::kGenregs);
}

// v4.19 arch/x86/kernel/step.c: enable_single_step
void enable_single_step(task_struct* child) {
  pt_regs* regs = task_pt_regs(child);
  // TF may be the tracer's already, and cleared where a system call was stepped into.
  if (test_tsk_thread_flag(child, TIF_SINGLESTEP)) regs->flags |= X86_EFLAGS_TF;
  set_tsk_thread_flag(child, TIF_SINGLESTEP);
  const bool was_set = (regs->flags & X86_EFLAGS_TF) != 0;
  regs->flags |= X86_EFLAGS_TF;
  // Departs: is_setting_trap_flag looks whether the next instruction is a POPF; there is none.
  if (!was_set) set_tsk_thread_flag(child, TIF_FORCED_TF);
}

}  // namespace

void genregs_get(const task_struct* target, unsigned long* regs) {
  FUNCTION(target->pid);
  for (size_t i = 0; i < ProcessHooks::kGenregs; ++i) regs[i] = getreg(target, Offset(i));
}

int genregs_set(task_struct* target, const unsigned long* regs, size_t count) {
  FUNCTION(target->pid, count);
  int ret = 0;
  for (size_t i = 0; i < count && ret == 0; ++i) ret = putreg(target, Offset(i), regs[i]);
  return fn.Return(ret);
}

void user_enable_single_step(task_struct* child) {
  FUNCTION(child->pid);
  enable_single_step(child);
}

void user_disable_single_step(task_struct* child) {
  FUNCTION(child->pid);
  clear_tsk_thread_flag(child, TIF_SINGLESTEP);
  if (!test_tsk_thread_flag(child, TIF_FORCED_TF)) return;
  clear_tsk_thread_flag(child, TIF_FORCED_TF);
  task_pt_regs(child)->flags &= ~X86_EFLAGS_TF;
}

long arch_ptrace(task_struct* child, long request, unsigned long addr, unsigned long data) {
  FUNCTION(child->pid, request, Value::Address(addr), Value::Address(data));
  switch (request) {
    case PTRACE_PEEKUSR:
      return fn.Return(peekusr(child, addr, data));
    case PTRACE_POKEUSR:
      return fn.Return(pokeusr(child, addr, data));
    case PTRACE_GETREGS:
      return fn.Return(getregs(child, user_ptr<void>(data)));
    case PTRACE_SETREGS:
      return fn.Return(setregs(child, user_ptr<const void>(data)));
    default:
      return fn.Return<long>(ptrace_request(child, request, addr, data));
  }
}

}  // namespace kpath
