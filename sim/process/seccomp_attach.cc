// SPDX-License-Identifier: Apache-2.0
//
// Who may what: modes and filters are set, and inherited. v4.19 kernel/seccomp.c
#include <csignal>

#include "sim/kernel/capability.h"
#include "sim/kernel/pid.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/seccomp.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// v4.19 kernel/seccomp.c: MAX_INSNS_PER_PATH
constexpr size_t MAX_INSNS_PER_PATH = (1 << 18) / sizeof(sock_filter);
constexpr size_t kPenalty = 4;  // instructions, for each filter

// v4.19 kernel/seccomp.c: __put_seccomp_filter
void __put_seccomp_filter(kptr<seccomp_filter> filter) {
  while (filter && --filter->usage == 0) {
    const kptr<seccomp_filter> freeme = filter;
    filter = filter->prev;
    kfree(freeme);
  }
}

void get_seccomp_filter(const task_struct* tsk) {
  if (tsk->seccomp.filter) ++tsk->seccomp.filter->usage;
}

// v4.19 kernel/seccomp.c: seccomp_check_filter, of one instruction. It looks at whole words of a
// seccomp_data and at nothing else.
bool allowed_in_seccomp(const sock_filter& f) {
  switch (BPF_CLASS(f.code)) {
    case BPF_LD:
      if (BPF_MODE(f.code) == BPF_ABS) {
        return BPF_SIZE(f.code) == BPF_W && f.k < sizeof(seccomp_data) && (f.k & 3) == 0;
      }
      return BPF_MODE(f.code) != BPF_IND;
    case BPF_LDX:
      return BPF_MODE(f.code) != BPF_MSH;
    case BPF_ALU:
      return BPF_OP(f.code) != BPF_MOD;
    default:
      return true;
  }
}

// v4.19 kernel/seccomp.c: seccomp_check_filter
int seccomp_check_filter(const std::vector<sock_filter>& filter) {
  FUNCTION(filter.size());
  for (size_t pc = 0; pc < filter.size(); ++pc) {
    if (allowed_in_seccomp(filter[pc])) continue;
    return fn.Return<int>(Fail(EINVAL, "seccomp does not allow instruction $0, code $1 k=$2", pc,
                               Value::Address(filter[pc].code), filter[pc].k));
  }
  return fn.Return(0);
}

// v4.19 net/core/filter.c: bpf_prog_create_from_user
int bpf_prog_create_from_user(std::vector<sock_filter>* prog, const sock_fprog& fprog) {
  FUNCTION(fprog.len);
  const user_ptr<const void> filter(reinterpret_cast<uint64_t>(fprog.filter));
  if (!filter) return fn.Return<int>(Fail(EINVAL, "the filter is NULL"));
  prog->resize(fprog.len);
  if (copy_from_user(prog->data(), filter, fprog.len * sizeof(sock_filter)) != 0) {
    return fn.Return(-EFAULT);
  }
  if (const int error = bpf_check_classic(prog->data(), fprog.len); error != 0) {
    return fn.Return(error);
  }
  return fn.Return(seccomp_check_filter(*prog));
}

// v4.19 kernel/seccomp.c: seccomp_prepare_filter. Not attached yet; an error pointer if refused.
kptr<seccomp_filter> seccomp_prepare_filter(const sock_fprog& fprog) {
  FUNCTION(fprog.len);
  if (fprog.len == 0 || fprog.len > BPF_MAXINSNS) {
    return fn.Return(kptr<seccomp_filter>(
        Fail(EINVAL, "a filter of $0 instructions, not 1 to $1", fprog.len, BPF_MAXINSNS)));
  }
  // A program that gains privileges by an exec must not be confused by a filter.
  if (!current->no_new_privs && !capable(CAP_SYS_ADMIN)) {
    return fn.Return(kptr<seccomp_filter>(
        Fail(EACCES, "a filter needs CAP_SYS_ADMIN, or PR_SET_NO_NEW_PRIVS before")));
  }
  const kptr<seccomp_filter> sfilter = kzalloc<seccomp_filter>(GFP_KERNEL);
  if (!sfilter) {
    return fn.Return(kptr<seccomp_filter>(Fail(ENOMEM, "no memory for a seccomp_filter")));
  }
  const int error = bpf_prog_create_from_user(&sfilter->prog, fprog);
  if (error == 0) return fn.Return(sfilter);
  kfree(sfilter);
  return fn.Return(kptr<seccomp_filter>(Error(-error)));
}

// v4.19 kernel/seccomp.c: seccomp_prepare_user_filter
kptr<seccomp_filter> seccomp_prepare_user_filter(user_ptr<const void> user_filter) {
  FUNCTION(user_filter);
  sock_fprog fprog = {};
  if (copy_from_user(&fprog, user_filter, sizeof(fprog)) != 0) {
    return fn.Return(kptr<seccomp_filter>(Error(EFAULT)));
  }
  return fn.Return(seccomp_prepare_filter(fprog));
}

// v4.19 kernel/seccomp.c: seccomp_may_assign_mode. REQUIRES: siglock.
bool seccomp_may_assign_mode(int mode) {
  return current->seccomp.mode == SECCOMP_MODE_DISABLED || current->seccomp.mode == mode;
}

// v4.19 kernel/seccomp.c: seccomp_assign_mode. REQUIRES: siglock.
void seccomp_assign_mode(task_struct* task, int mode) {
  task->seccomp.mode = mode;
  set_tsk_thread_flag(task, TIF_SECCOMP);
}

// v4.19 kernel/seccomp.c: is_ancestor
bool is_ancestor(kptr<seccomp_filter> parent, kptr<seccomp_filter> child) {
  if (!parent) return true;
  for (; child; child = child->prev) {
    if (child == parent) return true;
  }
  return false;
}

// v4.19 kernel/seccomp.c: seccomp_can_sync_threads. 0, or the pid of a thread that has filters of
// its own.
int seccomp_can_sync_threads() {
  FUNCTION();
  for (const task_struct* thread : current->signal->thread_head) {
    if (thread == current || thread->seccomp.mode == SECCOMP_MODE_DISABLED) continue;
    if (thread->seccomp.mode == SECCOMP_MODE_FILTER &&
        is_ancestor(thread->seccomp.filter, current->seccomp.filter)) {
      continue;
    }
    return fn.Return(thread->pid);
  }
  return fn.Return(0);
}

// v4.19 kernel/seccomp.c: seccomp_sync_threads
void seccomp_sync_threads() {
  FUNCTION();
  for (task_struct* thread : current->signal->thread_head) {
    if (thread == current) continue;
    get_seccomp_filter(current);
    put_seccomp_filter(thread);
    thread->seccomp.filter = current->seccomp.filter;
    if (current->no_new_privs) thread->no_new_privs = true;
    if (thread->seccomp.mode == SECCOMP_MODE_DISABLED) {
      seccomp_assign_mode(thread, SECCOMP_MODE_FILTER);
    }
  }
}

// v4.19 kernel/seccomp.c: seccomp_attach_filter. 0, an error, or a pid as
// seccomp_can_sync_threads. REQUIRES: siglock.
long seccomp_attach_filter(unsigned flags, kptr<seccomp_filter> filter) {
  FUNCTION(flags, filter);
  size_t total_insns = filter->prog.size();
  for (kptr<seccomp_filter> walker = current->seccomp.filter; walker; walker = walker->prev) {
    total_insns += walker->prog.size() + kPenalty;
  }
  if (total_insns > MAX_INSNS_PER_PATH) {
    return fn.Return<long>(
        Fail(ENOMEM, "$0 instructions at each call, at most $1", total_insns, MAX_INSNS_PER_PATH));
  }
  const bool sync = (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0;
  if (sync) {
    if (const int failed = seccomp_can_sync_threads(); failed != 0) return fn.Return<long>(failed);
  }
  if ((flags & SECCOMP_FILTER_FLAG_LOG) != 0) filter->log = true;
  filter->prev = current->seccomp.filter;
  current->seccomp.filter = filter;
  if (sync) seccomp_sync_threads();
  return fn.Return(0l);
}

long FailMode(int mode) {
  return Fail(EINVAL, "mode $0 is set already, $1 cannot be", current->seccomp.mode, mode);
}

// v4.19 kernel/seccomp.c: seccomp_set_mode_strict
long seccomp_set_mode_strict() {
  FUNCTION();
  long ret = 0;
  spin_lock_irq(&current->sighand->siglock);
  if (seccomp_may_assign_mode(SECCOMP_MODE_STRICT)) {
    seccomp_assign_mode(current, SECCOMP_MODE_STRICT);
  } else {
    ret = FailMode(SECCOMP_MODE_STRICT);
  }
  spin_unlock_irq(&current->sighand->siglock);
  return fn.Return(ret);
}

// v4.19 kernel/seccomp.c: seccomp_set_mode_filter
long seccomp_set_mode_filter(unsigned flags, user_ptr<const void> filter) {
  FUNCTION(flags, filter);
  constexpr unsigned kKnown =
      SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  if ((flags & ~kKnown) != 0) {
    return fn.Return<long>(Fail(EINVAL, "unknown flags $0", Value::Address(flags & ~kKnown)));
  }
  kptr<seccomp_filter> prepared = seccomp_prepare_user_filter(filter);
  if (IS_ERR(prepared)) return fn.Return<long>(PTR_ERR(prepared));
  spin_lock_irq(&current->sighand->siglock);
  long ret;
  if (!seccomp_may_assign_mode(SECCOMP_MODE_FILTER)) {
    ret = FailMode(SECCOMP_MODE_FILTER);
  } else if (ret = seccomp_attach_filter(flags, prepared); ret == 0) {
    prepared = nullptr;
    seccomp_assign_mode(current, SECCOMP_MODE_FILTER);
  }
  spin_unlock_irq(&current->sighand->siglock);
  if (prepared) kfree(prepared);
  return fn.Return(ret);
}

// v4.19 kernel/seccomp.c: seccomp_get_action_avail
long seccomp_get_action_avail(user_ptr<const uint32_t> uaction) {
  FUNCTION(uaction);
  uint32_t action;
  if (copy_from_user(&action, uaction, sizeof(action)) != 0) return fn.Return<long>(Error(EFAULT));
  switch (action) {
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ALLOW:
      return fn.Return(0l);
    default:
      return fn.Return<long>(Fail(EOPNOTSUPP, "there is no action $0", Value::Address(action)));
  }
}

// v4.19 kernel/seccomp.c: do_seccomp
long do_seccomp(unsigned op, unsigned flags, user_ptr<const void> uargs) {
  FUNCTION(op, flags, uargs);
  switch (op) {
    case SECCOMP_SET_MODE_STRICT:
      if (flags != 0 || uargs) {
        return fn.Return<long>(Fail(EINVAL, "strict mode takes no flags and no arguments"));
      }
      return fn.Return(seccomp_set_mode_strict());
    case SECCOMP_SET_MODE_FILTER:
      return fn.Return(seccomp_set_mode_filter(flags, uargs));
    case SECCOMP_GET_ACTION_AVAIL:
      if (flags != 0) return fn.Return<long>(Fail(EINVAL, "flags $0 are not 0", flags));
      return fn.Return(seccomp_get_action_avail(uargs.cast<const uint32_t>()));
    default:
      return fn.Return<long>(Fail(EINVAL, "there is no operation $0", op));
  }
}

}  // namespace

void copy_seccomp(task_struct* p) {
  FUNCTION(p->pid);
  get_seccomp_filter(current);
  p->seccomp = current->seccomp;
  if (current->no_new_privs) p->no_new_privs = true;
  if (p->seccomp.mode != SECCOMP_MODE_DISABLED) set_tsk_thread_flag(p, TIF_SECCOMP);
}

void put_seccomp_filter(task_struct* tsk) {
  FUNCTION(tsk->pid);
  __put_seccomp_filter(tsk->seccomp.filter);
  tsk->seccomp.filter = nullptr;
}

long prctl_get_seccomp() { return current->seccomp.mode; }

long prctl_set_seccomp(unsigned long mode, uint64_t filter) {
  FUNCTION(mode, Value::Address(filter));
  switch (mode) {
    case SECCOMP_MODE_STRICT:
      // Whatever the caller says of a filter.
      return fn.Return(do_seccomp(SECCOMP_SET_MODE_STRICT, 0, nullptr));
    case SECCOMP_MODE_FILTER:
      return fn.Return(do_seccomp(SECCOMP_SET_MODE_FILTER, 0, user_ptr<const void>(filter)));
    default:
      return fn.Return<long>(Fail(EINVAL, "there is no mode $0", mode));
  }
}

// v4.19 kernel/seccomp.c: sys_seccomp
SYSCALL_DEFINE3(seccomp, unsigned, op, unsigned, flags, user_ptr<const char>, uargs) {
  return do_seccomp(op, flags, uargs);
}

}  // namespace kpath
