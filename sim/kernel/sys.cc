// SPDX-License-Identifier: Apache-2.0
//
// Who am I. v4.19 kernel/sys.c
#include "sim/kernel/pid.h"
#include "sim/kernel/syscalls.h"

namespace kpath {

// v4.19 kernel/sys.c: sys_getpid
SYSCALL_DEFINE0(getpid) { return __task_pid_nr_ns(current, current->tgid); }

// v4.19 kernel/sys.c: sys_gettid
SYSCALL_DEFINE0(gettid) { return __task_pid_nr_ns(current, current->pid); }

// v4.19 kernel/sys.c: sys_getppid
SYSCALL_DEFINE0(getppid) {
  const task_struct* parent = current->real_parent;
  return parent == nullptr ? 0 : __task_pid_nr_ns(parent, parent->tgid);
}

}  // namespace kpath
