// SPDX-License-Identifier: Apache-2.0
//
// What a task sets for itself. v4.19 kernel/sys.c
#include <sys/prctl.h>

#include "sim/kernel/syscalls.h"
#include "sim/process/seccomp.h"

namespace kpath {

// v4.19 kernel/sys.c: sys_prctl
SYSCALL_DEFINE5(prctl, int, option, unsigned long, arg2, unsigned long, arg3, unsigned long, arg4,
                unsigned long, arg5) {
  switch (option) {
    case PR_GET_SECCOMP:
      return prctl_get_seccomp();
    case PR_SET_SECCOMP:
      return prctl_set_seccomp(arg2, arg3);
    case PR_SET_NO_NEW_PRIVS:
      if (arg2 != 1 || arg3 != 0 || arg4 != 0 || arg5 != 0) {
        return Fail(EINVAL, "PR_SET_NO_NEW_PRIVS takes 1, 0, 0, 0");
      }
      current->no_new_privs = true;
      return 0;
    case PR_GET_NO_NEW_PRIVS:
      if (arg2 != 0 || arg3 != 0 || arg4 != 0 || arg5 != 0) {
        return Fail(EINVAL, "PR_GET_NO_NEW_PRIVS takes 0, 0, 0, 0");
      }
      return current->no_new_privs ? 1 : 0;
    default:
      return Fail(EINVAL, "option $0 is not modelled", option);
  }
}

}  // namespace kpath
