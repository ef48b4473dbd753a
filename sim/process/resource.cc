// SPDX-License-Identifier: Apache-2.0
//
// The limits of a process: getrlimit, setrlimit, prlimit64. v4.19 kernel/sys.c
//
// Honoured are RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_AS, RLIMIT_DATA, RLIMIT_STACK and
// RLIMIT_SIGPENDING. Departs: the others are kept and told, and limit nothing.
#include "sim/kernel/fail.h"
#include "sim/kernel/pid.h"
#include "sim/kernel/rcu.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/process.h"
#include "sim/vfs/file.h"

namespace kpath {
namespace {

using Limit = struct ::rlimit;

int check_new_limit(unsigned resource, const Limit& new_rlim) {
  if (new_rlim.rlim_cur > new_rlim.rlim_max) {
    return Fail(EINVAL, "the soft limit of $0 is above the hard one of $1", new_rlim.rlim_cur,
                new_rlim.rlim_max);
  }
  if (resource == RLIMIT_NOFILE && new_rlim.rlim_max > kSysctlNrOpen) {
    return Fail(EPERM, "$0 open files are above fs.nr_open=$1", new_rlim.rlim_max, kSysctlNrOpen);
  }
  return 0;
}

// v4.19 kernel/sys.c: do_prlimit. Everybody may raise a hard limit.
int do_prlimit(task_struct* tsk, unsigned resource, const Limit* new_rlim, Limit* old_rlim) {
  FUNCTION(tsk->pid, resource);
  if (resource >= RLIM_NLIMITS) return fn.Return(Fail(EINVAL, "there is no limit $0", resource));
  if (new_rlim != nullptr) {
    if (const int error = check_new_limit(resource, *new_rlim); error != 0) return fn.Return(error);
  }
  read_lock(&processes->tasklist_lock);
  if (!tsk->sighand) {
    read_unlock(&processes->tasklist_lock);
    return fn.Return(Fail(ESRCH, "pid $0 has ended", tsk->pid));
  }
  Limit& rlim = tsk->signal->rlim[resource];
  spinlock_t* task_lock = &lifecycle(tsk->signal->group_leader)->alloc_lock;
  spin_lock(task_lock);
  if (old_rlim != nullptr) *old_rlim = rlim;
  if (new_rlim != nullptr) rlim = *new_rlim;
  spin_unlock(task_lock);
  read_unlock(&processes->tasklist_lock);
  return fn.Return(0);
}

}  // namespace

// v4.19 kernel/sys.c: sys_getrlimit
SYSCALL_DEFINE2(getrlimit, unsigned, resource, user_ptr<Limit>, rlim) {
  Limit value;
  const int ret = do_prlimit(current, resource, nullptr, &value);
  if (ret == 0 && copy_to_user(rlim, &value, sizeof(value)) != 0) return Error(EFAULT);
  return ret;
}

// v4.19 kernel/sys.c: sys_setrlimit
SYSCALL_DEFINE2(setrlimit, unsigned, resource, user_ptr<const Limit>, rlim) {
  Limit new_rlim;
  if (copy_from_user(&new_rlim, rlim, sizeof(new_rlim)) != 0) return Error(EFAULT);
  return do_prlimit(current, resource, &new_rlim, nullptr);
}

// v4.19 kernel/sys.c: sys_prlimit64. The 64-bit layout is that of x86-64's struct rlimit.
SYSCALL_DEFINE4(prlimit64, int, pid, unsigned, resource, user_ptr<const Limit>, new_rlim,
                user_ptr<Limit>, old_rlim) {
  Limit old, fresh;
  if (new_rlim && copy_from_user(&fresh, new_rlim, sizeof(fresh)) != 0) return Error(EFAULT);
  rcu_read_lock();
  task_struct* tsk = pid != 0 ? find_task_by_vpid(pid) : static_cast<task_struct*>(current);
  if (tsk == nullptr) {
    rcu_read_unlock();
    return Fail(ESRCH, "there is no process $0", pid);
  }
  get_task_struct(tsk);
  rcu_read_unlock();
  int ret = do_prlimit(tsk, resource, new_rlim ? &fresh : nullptr, old_rlim ? &old : nullptr);
  if (ret == 0 && old_rlim && copy_to_user(old_rlim, &old, sizeof(old)) != 0) ret = Error(EFAULT);
  put_task_struct(tsk);
  return ret;
}

}  // namespace kpath
