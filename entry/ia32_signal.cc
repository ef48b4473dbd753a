// SPDX-License-Identifier: Apache-2.0
#include "entry/ia32_signal.h"

#include <cstring>

#include "entry/common_32.h"
#include "entry/signal.h"
#include "sim/kernel/uaccess.h"

namespace kpath {

long sys32_sigreturn(const pt_regs* regs);
long sys32_rt_sigreturn(const pt_regs* regs);

namespace {

// v4.19 arch/x86/ia32/ia32_signal.c: ia32_setup_sigcontext, what is in it
sigcontext_32 ia32_setup_sigcontext(const pt_regs* regs, uint32_t mask) {
  const auto low = [](uint64_t value) { return static_cast<uint32_t>(value); };
  sigcontext_32 sc = {};
  sc.di = low(regs->di);
  sc.si = low(regs->si);
  sc.bp = low(regs->bp);
  sc.sp = low(regs->sp);
  sc.bx = low(regs->bx);
  sc.dx = low(regs->dx);
  sc.cx = low(regs->cx);
  sc.ax = low(regs->ax);
  sc.trapno = low(current->thread.trap_nr);
  sc.err = low(current->thread.error_code);
  sc.ip = low(regs->ip);
  sc.cs = static_cast<uint16_t>(regs->cs);
  sc.flags = low(regs->flags);
  sc.sp_at_signal = low(regs->sp);
  sc.ss = static_cast<uint16_t>(regs->ss);
  sc.oldmask = mask;
  sc.cr2 = low(current->thread.cr2);
  return sc;
}

// v4.19 arch/x86/ia32/ia32_signal.c: get_sigframe. 32-bit code has no red zone.
uint64_t get_sigframe(const k_sigaction& ka, const pt_regs* regs, size_t frame_size) {
  FUNCTION(Value::Address(regs->sp), frame_size);
  uint64_t sp = regs->sp;
  if ((ka.sa_flags & SA_ONSTACK) != 0) {
    if (sas_ss_flags(sp) == 0) sp = current->sas_ss_sp + current->sas_ss_size;  // sigsp
  } else if (regs->ss != __USER_DS && (ka.sa_flags & SA_RESTORER) == 0 && ka.sa_restorer != 0) {
    sp = ka.sa_restorer;  // a stack of its own, as old programs asked for one
  }
  sp -= frame_size;
  // The ABI of i386 wants esp + 4 to be a multiple of 16 at a function's first instruction.
  return fn.Return(((sp + 4) & ~uint64_t{15}) - 4);
}

uint32_t restorer_of(const k_sigaction& ka, uint64_t in_vdso) {
  return static_cast<uint32_t>((ka.sa_flags & SA_RESTORER) != 0 ? ka.sa_restorer : in_vdso);
}

void go_to_handler(const k_sigaction& ka, uint64_t frame, pt_regs* regs) {
  regs->sp = frame;
  regs->ip = ka.handler;
  regs->cs = __USER32_CS;
  regs->ss = __USER_DS;
}

// The bytes that a debugger knows a frame by: POP %eax; MOV $nr, %eax; INT $0x80.
void set_retcode(uint8_t* retcode, bool pop, uint8_t number) {
  const uint8_t code[] = {0x58, 0xb8, number, 0, 0, 0, 0xcd, 0x80};
  std::memcpy(retcode, pop ? code : code + 1, pop ? 8 : 7);
}

// v4.19 arch/x86/ia32/ia32_signal.c: ia32_restore_sigcontext. 0 or -EFAULT.
int ia32_restore_sigcontext(pt_regs* regs, user_ptr<const sigcontext_32> usc) {
  FUNCTION(usc);
  current->restart_block.fn = do_no_restart_syscall;
  sigcontext_32 sc;
  if (copy_from_user(&sc, usc, sizeof(sc)) != 0) return fn.Return(-EFAULT);
  regs->di = sc.di;
  regs->si = sc.si;
  regs->bp = sc.bp;
  regs->sp = sc.sp;
  regs->bx = sc.bx;
  regs->dx = sc.dx;
  regs->cx = sc.cx;
  regs->ip = sc.ip;
  regs->ax = sc.ax;
  regs->cs = sc.cs | 3u;
  regs->ss = sc.ss | 3u;
  regs->flags = (regs->flags & ~FIX_EFLAGS) | (sc.flags & FIX_EFLAGS);
  regs->orig_ax = ~0ul;
  set_tsk_thread_flag(current, TIF_NOTIFY_RESUME);  // force_iret
  return fn.Return(0);
}

// What may fail of the two calls. 0 or -EFAULT.
int restore_frame(pt_regs* regs, user_ptr<const sigframe_ia32> frame) {
  if (!access_ok(frame, sizeof(sigframe_ia32))) return -EFAULT;
  uint32_t low, high;
  const user_ptr<const sigcontext_32> sc(frame.member(&sigframe_ia32::sc));
  if (get_user(low, sc.member(&sigcontext_32::oldmask)) != 0) return -EFAULT;
  if (get_user(high, frame.member(&sigframe_ia32::extramask)) != 0) return -EFAULT;
  sigset_t set = {low | uint64_t{high} << 32};
  set_current_blocked(&set);
  return ia32_restore_sigcontext(regs, sc);
}

int restore_rt_frame(pt_regs* regs, user_ptr<const rt_sigframe_ia32> frame) {
  if (!access_ok(frame, sizeof(rt_sigframe_ia32))) return -EFAULT;
  const user_ptr<const ucontext_ia32> uc(frame.member(&rt_sigframe_ia32::uc));
  sigset_t set;
  if (copy_from_user(&set, uc.member(&ucontext_ia32::uc_sigmask), sizeof(set)) != 0) return -EFAULT;
  set_current_blocked(&set);
  if (ia32_restore_sigcontext(regs, uc.member(&ucontext_ia32::uc_mcontext)) != 0) return -EFAULT;
  return compat_restore_altstack(uc.member(&ucontext_ia32::uc_stack));
}

}  // namespace

int ia32_setup_frame(const ksignal* ksig, const sigset_t* set, pt_regs* regs) {
  FUNCTION(ksig->sig);
  const user_ptr<sigframe_ia32> at(get_sigframe(ksig->ka, regs, sizeof(sigframe_ia32)));
  if (!access_ok(at, sizeof(sigframe_ia32))) {
    return fn.Return<int>(Fail(EFAULT, "there is no place for a signal frame"));
  }
  sigframe_ia32 frame = {};
  frame.pretcode = restorer_of(ksig->ka, vdso_image_32->sym___kernel_sigreturn);
  frame.sig = ksig->sig;
  frame.sc = ia32_setup_sigcontext(regs, static_cast<uint32_t>(set->sig));
  frame.extramask = static_cast<uint32_t>(set->sig >> 32);
  set_retcode(frame.retcode, true, 119);
  if (copy_to_user(at, &frame, sizeof(frame)) != 0) return fn.Return(-EFAULT);
  go_to_handler(ksig->ka, at.address(), regs);
  // -mregparm: the arguments are in registers, too.
  regs->ax = static_cast<unsigned long>(ksig->sig);
  regs->dx = 0;
  regs->cx = 0;
  return fn.Return(0);
}

int ia32_setup_rt_frame(const ksignal* ksig, const sigset_t* set, pt_regs* regs) {
  FUNCTION(ksig->sig);
  const user_ptr<rt_sigframe_ia32> at(get_sigframe(ksig->ka, regs, sizeof(rt_sigframe_ia32)));
  if (!access_ok(at, sizeof(rt_sigframe_ia32))) {
    return fn.Return<int>(Fail(EFAULT, "there is no place for a signal frame"));
  }
  const user_ptr<compat_siginfo_t> info = at.member(&rt_sigframe_ia32::info);
  const user_ptr<ucontext_ia32> uc = at.member(&rt_sigframe_ia32::uc);
  rt_sigframe_ia32 frame = {};
  frame.pretcode = restorer_of(ksig->ka, vdso_image_32->sym___kernel_rt_sigreturn);
  frame.sig = ksig->sig;
  frame.pinfo = static_cast<uint32_t>(info.address());
  frame.puc = static_cast<uint32_t>(uc.address());
  frame.uc.uc_stack = compat_save_altstack_ex();
  frame.uc.uc_mcontext = ia32_setup_sigcontext(regs, static_cast<uint32_t>(set->sig));
  std::memcpy(frame.uc.uc_sigmask, set, sizeof(*set));
  set_retcode(frame.retcode, false, 173);
  if (copy_to_user(at, &frame, sizeof(frame)) != 0) return fn.Return(-EFAULT);
  if (copy_siginfo_to_user32(info, &ksig->info) != 0) return fn.Return(-EFAULT);
  go_to_handler(ksig->ka, at.address(), regs);
  regs->ax = static_cast<unsigned long>(ksig->sig);
  regs->dx = info.address();
  regs->cx = uc.address();
  return fn.Return(0);
}

// v4.19 arch/x86/ia32/ia32_signal.c: sys32_sigreturn. The restorer has taken the return address and
// the signal's number off the stack.
long sys32_sigreturn(const pt_regs*) {
  FUNCTION();
  pt_regs* regs = task_pt_regs(current);
  const uint64_t frame = regs->sp - 8;
  if (restore_frame(regs, user_ptr<const sigframe_ia32>(frame)) != 0) {
    signal_fault(regs, frame);
    return fn.Return(0l);
  }
  return fn.Return(static_cast<long>(regs->ax));
}

// v4.19 arch/x86/ia32/ia32_signal.c: sys32_rt_sigreturn. The return address is off the stack.
long sys32_rt_sigreturn(const pt_regs*) {
  FUNCTION();
  pt_regs* regs = task_pt_regs(current);
  const uint64_t frame = regs->sp - 4;
  if (restore_rt_frame(regs, user_ptr<const rt_sigframe_ia32>(frame)) != 0) {
    signal_fault(regs, frame);
    return fn.Return(0l);
  }
  return fn.Return(static_cast<long>(regs->ax));
}

}  // namespace kpath
