// SPDX-License-Identifier: Apache-2.0
//
// Which system calls a task may make. v4.19 kernel/seccomp.c, include/uapi/linux/seccomp.h
//
// Strict mode allows read, write, exit and the return from a signal handler. A filter is a program
// of classic BPF (filter.h) that looks at a seccomp_data and returns what is to be done. Filters
// are never taken off; of all that a task has, each is run at each call, and the most severe answer
// counts: kill the process, kill the thread, SIGSYS, an errno, ask the tracer, log, allow.
//
// syscall_trace_enter calls __secure_computing when TIF_SECCOMP is set.
//
// Departs: no audit messages (what is logged is a step), no core dumps; the limit on the length of
// all programs counts the instructions that were handed over, not those that they are translated
// to.
//
// Locks: seccomp and no_new_privs of a task change under its siglock.
//
// Invariants
//   1. TIF_SECCOMP is set exactly while mode is not SECCOMP_MODE_DISABLED.
//   2. A filter's usage counts the tasks whose last filter it is, and the filters behind it.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/process/filter.h"
#include "sim/process/process.h"

namespace kpath {

inline constexpr int SECCOMP_MODE_DISABLED = 0;
inline constexpr int SECCOMP_MODE_STRICT = 1;
inline constexpr int SECCOMP_MODE_FILTER = 2;

inline constexpr unsigned SECCOMP_SET_MODE_STRICT = 0;
inline constexpr unsigned SECCOMP_SET_MODE_FILTER = 1;
inline constexpr unsigned SECCOMP_GET_ACTION_AVAIL = 2;

inline constexpr unsigned SECCOMP_FILTER_FLAG_TSYNC = 1;
inline constexpr unsigned SECCOMP_FILTER_FLAG_LOG = 2;
inline constexpr unsigned SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;

// What a filter returns: an action, and data for it in the low 16 bits.
inline constexpr uint32_t SECCOMP_RET_KILL_PROCESS = 0x80000000;
inline constexpr uint32_t SECCOMP_RET_KILL_THREAD = 0x00000000;
inline constexpr uint32_t SECCOMP_RET_TRAP = 0x00030000;
inline constexpr uint32_t SECCOMP_RET_ERRNO = 0x00050000;
inline constexpr uint32_t SECCOMP_RET_TRACE = 0x7ff00000;
inline constexpr uint32_t SECCOMP_RET_LOG = 0x7ffc0000;
inline constexpr uint32_t SECCOMP_RET_ALLOW = 0x7fff0000;
inline constexpr uint32_t SECCOMP_RET_ACTION_FULL = 0xffff0000;
inline constexpr uint32_t SECCOMP_RET_DATA = 0x0000ffff;

// v4.19 include/uapi/linux/seccomp.h: struct seccomp_data
struct seccomp_data {
  int nr;
  uint32_t arch;
  uint64_t instruction_pointer;
  uint64_t args[6];
};
static_assert(sizeof(seccomp_data) == 64);
// v4.19 include/uapi/linux/audit.h
inline constexpr uint32_t AUDIT_ARCH_X86_64 = 0xc000003e;
inline constexpr uint32_t AUDIT_ARCH_I386 = 0x40000003;

struct seccomp_filter {
  static constexpr const char* kSlabName = "kmalloc-32";

  int usage = 1;
  bool log = false;
  kptr<seccomp_filter> prev;  // the one that was attached before
  std::vector<sock_filter> prog;
};

// v4.19 kernel/seccomp.c: __secure_computing. `sd`: the call that is about to be made. 0: it may
// be; -1: it is not to be made, and its result is in the saved registers. Does not return if the
// task is killed. Context: process, interrupts on; may stop for a tracer.
int __secure_computing(const seccomp_data& sd);
// v4.19 kernel/seccomp.c: populate_seccomp_data, of the current task's saved registers.
seccomp_data populate_seccomp_data();

// v4.19 kernel/fork.c: copy_seccomp. The child may what the parent may. REQUIRES: siglock.
void copy_seccomp(task_struct* p);
// v4.19 kernel/seccomp.c: put_seccomp_filter. Of a task that is freed.
void put_seccomp_filter(task_struct* tsk);

// v4.19 kernel/seccomp.c: prctl_set_seccomp, prctl_get_seccomp. `filter`: user address of a
// sock_fprog.
long prctl_set_seccomp(unsigned long mode, uint64_t filter);
long prctl_get_seccomp();

}  // namespace kpath
