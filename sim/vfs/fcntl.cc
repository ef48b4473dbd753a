// SPDX-License-Identifier: Apache-2.0
//
// v4.19 fs/fcntl.c
#include "sim/vfs/fcntl.h"

#include "sim/kernel/syscalls.h"
#include "sim/vfs/file.h"
#include "sim/vfs/pipe.h"

namespace kpath {
namespace {

// The flags that F_SETFL can change. v4.19 fs/fcntl.c: SETFL_MASK
constexpr unsigned SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;

// v4.19 fs/fcntl.c: setfl. Departs: no FASYNC.
int setfl(kptr<file> filp, unsigned arg) {
  FUNCTION(filp, arg);
  kptr<inode> inode = file_inode(filp);
  const bool clears_append = ((arg ^ filp->f_flags) & O_APPEND) != 0 && (arg & O_APPEND) == 0;
  if (clears_append && (inode->i_flags & S_APPEND) != 0) {
    return fn.Return(Fail(EPERM, "O_APPEND cannot be taken from an append-only file"));
  }
  if (!S_ISFIFO(inode->i_mode) && (arg & O_DIRECT) != 0) {
    const address_space_operations* a_ops = filp->f_mapping->a_ops;
    if (a_ops == nullptr || a_ops->direct_IO == nullptr) {
      return fn.Return(Fail(EINVAL, "the file system has no direct I/O"));
    }
  }
  spin_lock(&filp->f_lock);
  filp->f_flags = (arg & SETFL_MASK) | (filp->f_flags & ~SETFL_MASK);
  spin_unlock(&filp->f_lock);
  return fn.Return(0);
}

// v4.19 fs/fcntl.c: check_fcntl_cmd. What a file opened O_PATH can be asked.
bool check_fcntl_cmd(unsigned cmd) {
  return cmd == F_DUPFD || cmd == F_DUPFD_CLOEXEC || cmd == F_GETFD || cmd == F_SETFD ||
         cmd == F_GETFL;
}

// v4.19 fs/fcntl.c: do_fcntl. Departs: no locks, owners, leases, seals.
long do_fcntl(unsigned fd, unsigned cmd, unsigned long arg, kptr<file> filp) {
  FUNCTION(fd, cmd, arg);
  const auto value = static_cast<unsigned>(arg);
  switch (cmd) {
    case F_DUPFD:
      return fn.Return(f_dupfd(value, filp, 0));
    case F_DUPFD_CLOEXEC:
      return fn.Return(f_dupfd(value, filp, O_CLOEXEC));
    case F_GETFD:
      return fn.Return(get_close_on_exec(fd) ? long{FD_CLOEXEC} : 0L);
    case F_SETFD:
      set_close_on_exec(fd, (arg & FD_CLOEXEC) != 0);
      return fn.Return(0L);
    case F_GETFL:
      return fn.Return(long{filp->f_flags});
    case F_SETFL:
      return fn.Return(setfl(filp, value));
    case F_SETPIPE_SZ:
    case F_GETPIPE_SZ:
      return fn.Return(pipe_fcntl(filp, cmd, arg));
    default:
      return fn.Return(Fail(EINVAL, "fcntl command $0 is not modelled", cmd));
  }
}

}  // namespace

SYSCALL_DEFINE3(fcntl, unsigned, fd, unsigned, cmd, unsigned long, arg) {
  const struct fd f = fdget_raw(fd);
  if (!f.file) return FailBadFd(fd);
  long result;
  if ((f.file->f_mode & FMODE_PATH) != 0 && !check_fcntl_cmd(cmd)) {
    result = FailBadFd(fd);
  } else {
    result = do_fcntl(fd, cmd, arg, f.file);
  }
  fdput(f);
  return result;
}

}  // namespace kpath
