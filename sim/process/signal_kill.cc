// SPDX-License-Identifier: Apache-2.0
//
// kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo. v4.19 kernel/signal.c
//
// Departs: rt_sigqueueinfo does not look into what si_code says that it carries.
#include <climits>

#include "sim/kernel/fail.h"
#include "sim/kernel/pid.h"
#include "sim/kernel/rcu.h"
#include "sim/kernel/syscalls.h"
#include "sim/kernel/uaccess.h"
#include "sim/process/signal.h"

namespace kpath {
namespace {

// Who the current task is to those that it sends a signal.
siginfo_t sender_info(int sig, int code) {
  siginfo_t info = {};
  info.si_signo = sig;
  info.si_code = code;
  info.si_pid = __task_pid_nr_ns(current, current->tgid);
  return info;
}

// kill(-1): everybody but init and the caller's own process.
int kill_everybody(int sig, const siginfo_t* info) {
  int retval = 0;
  bool somebody = false;
  for (task_struct* p : AllTasks(*current->machine)) {
    if (!p->sighand || !thread_group_leader(p) || p->pid <= 1 || p->tgid == current->tgid) continue;
    const int err = group_send_sig_info(sig, info, p, PIDTYPE_MAX);
    somebody = true;
    if (err != -EPERM) retval = err;
  }
  return somebody ? retval : Fail(ESRCH, "there is no other process");
}

// v4.19 kernel/signal.c: kill_something_info
int kill_something_info(int sig, const siginfo_t* info, int pid) {
  FUNCTION(sig, pid);
  if (pid > 0) {
    rcu_read_lock();
    const int ret = kill_pid_info(sig, info, find_vpid(pid));
    rcu_read_unlock();
    return fn.Return(ret);
  }
  if (pid == INT_MIN) return fn.Return(Fail(ESRCH, "pid $0 has no negative", pid));
  read_lock(&processes->tasklist_lock);
  int ret;
  if (pid == -1) {
    ret = kill_everybody(sig, info);
  } else {
    ret = __kill_pgrp_info(sig, info, pid != 0 ? -pid : current->signal->pgrp);
  }
  read_unlock(&processes->tasklist_lock);
  return fn.Return(ret);
}

// v4.19 kernel/signal.c: do_tkill
int do_tkill(int tgid, int pid, int sig) {
  FUNCTION(tgid, pid, sig);
  const siginfo_t info = sender_info(sig, SI_TKILL);
  return fn.Return(do_send_specific(tgid, pid, sig, &info));
}

// v4.19 kernel/signal.c: kill_proc_info
int kill_proc_info(int sig, const siginfo_t* info, int pid) {
  FUNCTION(sig, pid);
  rcu_read_lock();
  const int error = kill_pid_info(sig, info, find_vpid(pid));
  rcu_read_unlock();
  return fn.Return(error);
}

// v4.19 kernel/signal.c: do_rt_sigqueueinfo. Nobody may look like the kernel, or like kill(2), to
// others.
int do_rt_sigqueueinfo(int pid, int sig, siginfo_t* info) {
  FUNCTION(pid, sig);
  if ((info->si_code >= 0 || info->si_code == SI_TKILL) && current->pid != pid) {
    return fn.Return(Fail(EPERM, "si_code=$0 to another process", info->si_code));
  }
  info->si_signo = sig;
  return fn.Return(kill_proc_info(sig, info, pid));
}

// v4.19 kernel/signal.c: do_rt_tgsigqueueinfo. The same to one thread.
int do_rt_tgsigqueueinfo(int tgid, int pid, int sig, siginfo_t* info) {
  FUNCTION(tgid, pid, sig);
  if (pid <= 0 || tgid <= 0) {
    return fn.Return(Fail(EINVAL, "tgid=$0 and tid=$1 must be positive", tgid, pid));
  }
  if ((info->si_code >= 0 || info->si_code == SI_TKILL) && current->pid != pid) {
    return fn.Return(Fail(EPERM, "si_code=$0 to another thread", info->si_code));
  }
  info->si_signo = sig;
  return fn.Return(do_send_specific(tgid, pid, sig, info));
}

}  // namespace

// v4.19 kernel/signal.c: sys_kill
SYSCALL_DEFINE2(kill, int, pid, int, sig) {
  const siginfo_t info = sender_info(sig, SI_USER);
  return kill_something_info(sig, &info, pid);
}

// v4.19 kernel/signal.c: sys_tgkill
SYSCALL_DEFINE3(tgkill, int, tgid, int, pid, int, sig) {
  if (pid <= 0 || tgid <= 0) {
    return Fail(EINVAL, "tgid=$0 and tid=$1 must be positive", tgid, pid);
  }
  return do_tkill(tgid, pid, sig);
}

// v4.19 kernel/signal.c: sys_tkill
SYSCALL_DEFINE2(tkill, int, pid, int, sig) {
  if (pid <= 0) return Fail(EINVAL, "tid=$0 must be positive", pid);
  return do_tkill(0, pid, sig);
}

// v4.19 kernel/signal.c: sys_rt_sigqueueinfo
SYSCALL_DEFINE3(rt_sigqueueinfo, int, pid, int, sig, user_ptr<const siginfo_t>, uinfo) {
  siginfo_t info;
  if (copy_from_user(&info, uinfo, sizeof(info)) != 0) return Error(EFAULT);
  return do_rt_sigqueueinfo(pid, sig, &info);
}

// v4.19 kernel/signal.c: sys_rt_tgsigqueueinfo
SYSCALL_DEFINE4(rt_tgsigqueueinfo, int, tgid, int, pid, int, sig, user_ptr<const siginfo_t>,
                uinfo) {
  siginfo_t info;
  if (copy_from_user(&info, uinfo, sizeof(info)) != 0) return Error(EFAULT);
  return do_rt_tgsigqueueinfo(tgid, pid, sig, &info);
}

}  // namespace kpath
