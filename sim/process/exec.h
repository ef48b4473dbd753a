// SPDX-License-Identifier: Apache-2.0
//
// Another program in the same process. v4.19 fs/exec.c, fs/binfmt_elf.c
//
//   linux_binprm bprm{.comm = "cat", .start_ip = user::LoadCode(machine, program)};
//   if (const int error = exec_binprm(bprm); error != 0) …
//
// Departs: there is no execve system call and no file of a program is read: who calls this says
// what the program is. Arguments and environment are not put on the stack. Only the leader of a
// thread group may call it (Linux lets any thread, which then becomes the leader).
//
// Context: process; may sleep.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "sim/process/process.h"

namespace kpath {

// Where the stack of a program ends if nobody says otherwise, and how large it is at first: what
// setup_arg_pages makes of it. It grows down by page faults.
inline constexpr uint64_t kStackTop = 0x7ffffffff000;
inline constexpr uint64_t kFirstStackBytes = 132 * 1024;

// What is to be run. v4.19 include/linux/binfmts.h: struct linux_binprm
struct linux_binprm {
  std::string comm;  // the name of the process from now on, cut to 15 characters
  // Where the program starts. 0: the process goes on where it is, which is what a replayed run
  // wants.
  uint64_t start_ip = 0;
  // The end of the stack area, page aligned. The stack pointer starts 256 bytes below it.
  uint64_t stack_top = kStackTop;
  // Called in the new, current address space, when it has a stack: maps what the program is found
  // with. 0, or a negative errno: the process is killed, since there is no way back. May be empty.
  std::function<int()> map = {};
};

// v4.19 fs/exec.c: exec_binprm, for the loader of such programs. The current process gets a fresh
// address space; its other threads are killed; descriptors marked close-on-exec are closed; a
// parent that waits in vfork goes on. Returns 0, and user mode continues at start_ip; or, with
// nothing changed, -ENOMEM, -EAGAIN (the process is ending already), -EINVAL (not the leader).
int exec_binprm(const linux_binprm& bprm);

// Makes the task call exec_binprm on its next way to user mode, before ring 3 sees anything of it:
// for an exec that was not recorded as a system call. May be called from outside of the machine.
void RequestExec(task_struct* task, linux_binprm bprm);

}  // namespace kpath
