// SPDX-License-Identifier: Apache-2.0
#include "entry/signal.h"

#include "entry/ia32_signal.h"
#include "entry/ptrace.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// v4.19 include/uapi/asm/unistd_64.h
constexpr unsigned long kNrRestartSyscall = 219;
constexpr unsigned long kNrRestartSyscall32 = 0;
constexpr unsigned long kX32Bit = 0x40000000;
constexpr unsigned long kSyscallInsnLength = 2;
constexpr uint64_t kRedZone = 128;

// v4.19 arch/x86/include/asm/syscall.h: syscall_get_nr. Negative: not in a system call.
int syscall_get_nr(const pt_regs* regs) { return static_cast<int>(regs->orig_ax); }

bool in_compat_state() { return (current->ti.status & (TS_COMPAT | TS_I386_REGS_POKED)) != 0; }

// v4.19 arch/x86/include/asm/syscall.h: syscall_get_error. 32-bit code sees half of it.
long syscall_get_error(const pt_regs* regs) {
  const auto error = static_cast<long>(regs->ax);
  return in_compat_state() ? static_cast<int>(error) : error;
}

// v4.19 arch/x86/kernel/signal.c: get_nr_restart_syscall
unsigned long get_nr_restart_syscall(const pt_regs* regs) {
  if (in_compat_state()) return kNrRestartSyscall32;
  return kNrRestartSyscall | (regs->orig_ax & kX32Bit);
}

// ---- The frame ----

// v4.19 arch/x86/kernel/signal.c: align_sigframe. As a call would leave it: the ABI wants rsp + 8
// to be a multiple of 16 at a function's first instruction.
uint64_t align_sigframe(uint64_t sp) { return (sp & ~uint64_t{15}) - 8; }

// v4.19 arch/x86/kernel/signal.c: get_sigframe. Where the frame is to lie.
uint64_t get_sigframe(const k_sigaction& ka, const pt_regs* regs, size_t frame_size) {
  FUNCTION(Value::Address(regs->sp), frame_size);
  uint64_t sp = regs->sp;
  const bool onsigstack = on_sig_stack(sp);
  sp -= kRedZone;
  if ((ka.sa_flags & SA_ONSTACK) != 0 && sas_ss_flags(sp) == 0) {
    sp = current->sas_ss_sp + current->sas_ss_size;
  }
  sp = align_sigframe(sp - frame_size);
  // The alternate stack is full: an address that nobody can write to.
  if (onsigstack && !on_sig_stack(sp)) sp = ~uint64_t{0};
  return fn.Return(sp);
}

// v4.19 arch/x86/kernel/signal.c: setup_sigcontext. 0 or -EFAULT.
int setup_sigcontext(user_ptr<sigcontext_64> sc, const pt_regs* regs, uint64_t mask) {
  FUNCTION(sc, Value::Address(regs->ip), Value::Address(mask));
  sigcontext_64 kept = {};
  kept.di = regs->di;
  kept.si = regs->si;
  kept.bp = regs->bp;
  kept.sp = regs->sp;
  kept.bx = regs->bx;
  kept.dx = regs->dx;
  kept.cx = regs->cx;
  kept.ax = regs->ax;
  kept.r8 = regs->r8;
  kept.r9 = regs->r9;
  kept.r10 = regs->r10;
  kept.r11 = regs->r11;
  kept.r12 = regs->r12;
  kept.r13 = regs->r13;
  kept.r14 = regs->r14;
  kept.r15 = regs->r15;
  kept.trapno = current->thread.trap_nr;
  kept.err = current->thread.error_code;
  kept.ip = regs->ip;
  kept.flags = regs->flags;
  kept.cs = static_cast<uint16_t>(regs->cs);
  kept.ss = static_cast<uint16_t>(regs->ss);
  kept.oldmask = mask;
  kept.cr2 = current->thread.cr2;
  return fn.Return(copy_to_user(sc, &kept, sizeof(kept)) != 0 ? -EFAULT : 0);
}

// What lies before uc_mcontext, and the return address. 0 or -EFAULT.
int put_frame_head(user_ptr<rt_sigframe> frame, const k_sigaction& ka) {
  struct {
    uint64_t pretcode, uc_flags, uc_link;
    stack_t uc_stack;
  } const head = {.pretcode = ka.sa_restorer,
                  .uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
                  .uc_link = 0,
                  .uc_stack = save_altstack_ex()};
  static_assert(sizeof(head) == offsetof(rt_sigframe, uc.uc_mcontext));
  const int err = copy_to_user(frame, &head, sizeof(head)) != 0 ? -EFAULT : 0;
  // The C library always says where a handler returns to.
  return (ka.sa_flags & SA_RESTORER) == 0 ? static_cast<int>(Fail(EFAULT, "no SA_RESTORER")) : err;
}

// Of 64-bit code and of x32: the handler's arguments, and where it runs.
void EnterHandler(pt_regs* regs, const ksignal& ksig, unsigned long info, unsigned long uc,
                  unsigned long frame) {
  regs->di = static_cast<unsigned long>(ksig.sig);
  regs->ax = 0;  // a handler without a prototype: no vector registers are used
  regs->si = info;
  regs->dx = uc;
  regs->ip = ksig.ka.handler;
  regs->sp = frame;
  regs->cs = __USER_CS;
  regs->ss = __USER_DS;
}

// v4.19 arch/x86/kernel/signal.c: __setup_rt_frame. 0 or -EFAULT.
int __setup_rt_frame(ksignal* ksig, const sigset_t* set, pt_regs* regs) {
  FUNCTION(ksig->sig);
  const user_ptr<rt_sigframe> frame(get_sigframe(ksig->ka, regs, sizeof(rt_sigframe)));
  if (!access_ok(frame, sizeof(rt_sigframe))) {
    return fn.Return<int>(Fail(EFAULT, "there is no place for a signal frame"));
  }
  const user_ptr<ucontext> uc = frame.member(&rt_sigframe::uc);
  const user_ptr<siginfo_t> info = frame.member(&rt_sigframe::info);
  if ((ksig->ka.sa_flags & SA_SIGINFO) != 0 && copy_siginfo_to_user(info, &ksig->info) != 0) {
    return fn.Return(-EFAULT);
  }
  int err = put_frame_head(frame, ksig->ka);
  err |= setup_sigcontext(uc.member(&ucontext::uc_mcontext), regs, set->sig);
  if (copy_to_user(uc.member(&ucontext::uc_sigmask), set, sizeof(*set)) != 0) err = -EFAULT;
  if (err != 0) return fn.Return(-EFAULT);

  EnterHandler(regs, *ksig, info.address(), uc.address(), frame.address());
  return fn.Return(0);
}

// v4.19 arch/x86/kernel/signal.c: x32_setup_rt_frame. 0 or -EFAULT.
int x32_setup_rt_frame(ksignal* ksig, const sigset_t* set, pt_regs* regs) {
  FUNCTION(ksig->sig);
  const user_ptr<rt_sigframe_x32> frame(get_sigframe(ksig->ka, regs, sizeof(rt_sigframe_x32)));
  if (!access_ok(frame, sizeof(rt_sigframe_x32))) {
    return fn.Return<int>(Fail(EFAULT, "there is no place for a signal frame"));
  }
  const user_ptr<ucontext_x32> uc = frame.member(&rt_sigframe_x32::uc);
  const user_ptr<compat_siginfo_t> info = frame.member(&rt_sigframe_x32::info);
  if ((ksig->ka.sa_flags & SA_SIGINFO) != 0 && copy_siginfo_to_user32(info, &ksig->info) != 0) {
    return fn.Return(-EFAULT);
  }
  if ((ksig->ka.sa_flags & SA_RESTORER) == 0) {
    return fn.Return<int>(Fail(EFAULT, "no SA_RESTORER"));
  }
  ucontext_x32 head = {};
  head.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
  head.uc_stack = compat_save_altstack_ex();
  head.uc_sigmask = *set;
  int err = put_user(ksig->ka.sa_restorer, frame.member(&rt_sigframe_x32::pretcode));
  if (copy_to_user(uc, &head, sizeof(head)) != 0) err = -EFAULT;
  err |= setup_sigcontext(uc.member(&ucontext_x32::uc_mcontext), regs, set->sig);
  if (err != 0) return fn.Return(-EFAULT);

  EnterHandler(regs, *ksig, info.address(), uc.address(), frame.address());
  return fn.Return(0);
}

// v4.19 arch/x86/kernel/signal.c: setup_rt_frame. The frame that the handler knows.
int setup_rt_frame(ksignal* ksig, pt_regs* regs) {
  FUNCTION(ksig->sig);
  const sigset_t* set = sigmask_to_save();
  if ((ksig->ka.sa_flags & SA_IA32_ABI) != 0) {
    const bool rt = (ksig->ka.sa_flags & SA_SIGINFO) != 0;
    return fn.Return(rt ? ia32_setup_rt_frame(ksig, set, regs) : ia32_setup_frame(ksig, set, regs));
  }
  if ((ksig->ka.sa_flags & SA_X32_ABI) != 0) return fn.Return(x32_setup_rt_frame(ksig, set, regs));
  return fn.Return(__setup_rt_frame(ksig, set, regs));
}

// ---- The interrupted call ----

// The SYSCALL instruction is done again, with the number in its register.
void DoAgain(pt_regs* regs, unsigned long number) {
  regs->ax = number;
  regs->ip -= kSyscallInsnLength;
}

// A handler comes first: does the call fail with -EINTR, or is it made again behind it?
void restart_behind_handler(const k_sigaction& ka, pt_regs* regs) {
  switch (syscall_get_error(regs)) {
    case -ERESTART_RESTARTBLOCK:
    case -ERESTARTNOHAND:
      regs->ax = static_cast<unsigned long>(-EINTR);
      break;
    case -ERESTARTSYS:
      if ((ka.sa_flags & SA_RESTART) == 0) {
        regs->ax = static_cast<unsigned long>(-EINTR);
        break;
      }
      [[fallthrough]];
    case -ERESTARTNOINTR:
      DoAgain(regs, regs->orig_ax);
      break;
    default:
      break;
  }
}

// No handler runs.
void restart_without_handler(pt_regs* regs) {
  switch (syscall_get_error(regs)) {
    case -ERESTARTNOHAND:
    case -ERESTARTSYS:
    case -ERESTARTNOINTR:
      DoAgain(regs, regs->orig_ax);
      break;
    case -ERESTART_RESTARTBLOCK:
      DoAgain(regs, get_nr_restart_syscall(regs));
      break;
    default:
      break;
  }
}

// v4.19 arch/x86/kernel/signal.c: handle_signal
void handle_signal(ksignal* ksig, pt_regs* regs) {
  FUNCTION(ksig->sig, regs->orig_ax);
  if (syscall_get_nr(regs) >= 0) restart_behind_handler(ksig->ka, regs);
  // A TF that is the tracer's is not part of what was interrupted.
  const bool stepping = test_thread_flag(TIF_SINGLESTEP);
  if (stepping) user_disable_single_step(current);
  const int failed = setup_rt_frame(ksig, regs) < 0 ? 1 : 0;
  if (failed == 0) regs->flags &= ~(X86_EFLAGS_DF | X86_EFLAGS_RF | X86_EFLAGS_TF);
  signal_setup_done(failed, ksig, stepping ? 1 : 0);
}

// ---- rt_sigreturn ----

// v4.19 arch/x86/kernel/signal.c: restore_sigcontext. 0 or -EFAULT.
int restore_sigcontext(pt_regs* regs, user_ptr<const sigcontext_64> sc) {
  FUNCTION(sc);
  current->restart_block.fn = do_no_restart_syscall;  // what was interrupted fails with -EINTR
  sigcontext_64 kept;
  if (copy_from_user(&kept, sc, sizeof(kept)) != 0) return fn.Return(-EFAULT);
  regs->bx = kept.bx;
  regs->cx = kept.cx;
  regs->dx = kept.dx;
  regs->si = kept.si;
  regs->di = kept.di;
  regs->bp = kept.bp;
  regs->ax = kept.ax;
  regs->sp = kept.sp;
  regs->ip = kept.ip;
  regs->r8 = kept.r8;
  regs->r9 = kept.r9;
  regs->r10 = kept.r10;
  regs->r11 = kept.r11;
  regs->r12 = kept.r12;
  regs->r13 = kept.r13;
  regs->r14 = kept.r14;
  regs->r15 = kept.r15;
  regs->cs = kept.cs | 3u;
  regs->ss = kept.ss | 3u;
  regs->flags = (regs->flags & ~FIX_EFLAGS) | (kept.flags & FIX_EFLAGS);
  regs->orig_ax = ~0ul;                             // no system call to be restarted
  set_tsk_thread_flag(current, TIF_NOTIFY_RESUME);  // force_iret
  return fn.Return(0);
}

// The part of rt_sigreturn that may fail. 0 or -EFAULT.
int restore_frame(pt_regs* regs, user_ptr<rt_sigframe> frame) {
  if (!access_ok(frame, sizeof(rt_sigframe))) return -EFAULT;
  const user_ptr<ucontext> uc = frame.member(&rt_sigframe::uc);
  sigset_t set;
  uint64_t uc_flags;
  if (copy_from_user(&set, uc.member(&ucontext::uc_sigmask), sizeof(set)) != 0) return -EFAULT;
  if (get_user(uc_flags, uc.member(&ucontext::uc_flags)) != 0) return -EFAULT;
  set_current_blocked(&set);
  if (restore_sigcontext(regs, uc.member(&ucontext::uc_mcontext)) != 0) return -EFAULT;
  if ((uc_flags & UC_STRICT_RESTORE_SS) == 0) regs->ss = __USER_DS;  // force_valid_ss
  return restore_altstack(uc.member(&ucontext::uc_stack));
}

// The same of x32's.
int restore_frame_x32(pt_regs* regs, user_ptr<rt_sigframe_x32> frame) {
  if (!access_ok(frame, sizeof(rt_sigframe_x32))) return -EFAULT;
  const user_ptr<ucontext_x32> uc = frame.member(&rt_sigframe_x32::uc);
  sigset_t set;
  uint32_t uc_flags;
  if (copy_from_user(&set, uc.member(&ucontext_x32::uc_sigmask), sizeof(set)) != 0) return -EFAULT;
  if (get_user(uc_flags, uc.member(&ucontext_x32::uc_flags)) != 0) return -EFAULT;
  set_current_blocked(&set);
  if (restore_sigcontext(regs, uc.member(&ucontext_x32::uc_mcontext)) != 0) return -EFAULT;
  if ((uc_flags & UC_STRICT_RESTORE_SS) == 0) regs->ss = __USER_DS;
  return compat_restore_altstack(uc.member(&ucontext_x32::uc_stack));
}

}  // namespace

// v4.19 arch/x86/kernel/signal.c: signal_fault
void signal_fault(const pt_regs* regs, uint64_t frame) {
  FUNCTION(Value::Address(regs->ip), Value::Address(frame));
  force_sig(SIGSEGV, current);
}

void do_signal(pt_regs* regs) {
  FUNCTION(regs->orig_ax);
  ksignal ksig;
  if (get_signal(&ksig)) {
    handle_signal(&ksig, regs);
    return;
  }
  if (syscall_get_nr(regs) >= 0) restart_without_handler(regs);
  restore_saved_sigmask();
}

// v4.19 arch/x86/kernel/signal.c: sys_rt_sigreturn. Called by the restorer, when the handler's RET
// has taken the return address off the frame.
SYSCALL_DEFINE0(rt_sigreturn) {
  pt_regs* regs = task_pt_regs(current);
  const user_ptr<rt_sigframe> frame(regs->sp - sizeof(long));
  if (restore_frame(regs, frame) != 0) {
    signal_fault(regs, frame.address());
    return 0;
  }
  return static_cast<long>(regs->ax);
}

// v4.19 arch/x86/kernel/signal.c: sys32_x32_rt_sigreturn
long sys32_x32_rt_sigreturn(const pt_regs* regs);
long sys32_x32_rt_sigreturn(const pt_regs*) {
  FUNCTION();
  pt_regs* regs = task_pt_regs(current);
  const user_ptr<rt_sigframe_x32> frame(regs->sp - sizeof(uint64_t));
  if (restore_frame_x32(regs, frame) != 0) {
    signal_fault(regs, frame.address());
    return fn.Return(0l);
  }
  return fn.Return(static_cast<long>(regs->ax));
}

}  // namespace kpath
