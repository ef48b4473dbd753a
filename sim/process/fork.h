// SPDX-License-Identifier: Apache-2.0
//
// Making processes and threads. v4.19 kernel/fork.c
//
// A child runs in ring 3 from the instruction behind the system call on, as in Linux; but a C++
// program cannot be copied in the middle, so what stands at that address is asked for
// (ProcessHooks::program_at) and becomes the child's whole program.
//
// Departs: no pid, user, mount or other namespaces (CLONE_NEW*: -EINVAL); no limit on the number of
// tasks; no credentials, IO contexts, semaphores or audit; the thread pointer (CLONE_SETTLS) is not
// kept. clone3 is not there: it came with v5.3.
//
// Context: process.
#pragma once

#include <sched.h>  // CLONE_*, which are the same on every Linux

#include "sim/kernel/user_ptr.h"
#include "sim/process/process.h"

namespace kpath {

// v4.19 kernel/fork.c: _do_fork. `clone_flags`: CLONE_*, and in the low byte the signal that tells
// the parent of the child's end. `stack_start`: the child's stack pointer, 0: the parent's. Returns
// the child's pid, or -EINVAL, -ENOMEM, -EINTR, -ERESTARTNOINTR. With CLONE_VFORK it returns when
// the child has called exec or has ended.
long _do_fork(unsigned long clone_flags, unsigned long stack_start, user_ptr<int> parent_tidptr,
              user_ptr<int> child_tidptr);

// For replaying a recorded run: the next child that the current task makes gets this pid, which
// nobody else has.
void SetNextPid(int pid);

// v4.19 kernel/fork.c: mmput. Takes a user of an address space away; the last one ends its AIO
// contexts and its mappings. May sleep.
void mmput(kptr<mm_struct> mm);

// v4.19 kernel/fork.c: mm_release. The task stops using its user memory (it ends, or calls exec):
// clears the word at clear_child_tid and lets go a parent that waits in vfork.
void mm_release(task_struct* task);

}  // namespace kpath
