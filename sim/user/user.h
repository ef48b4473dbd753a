// SPDX-License-Identifier: Apache-2.0
//
// Ring 3: what a program can do, written as C++ code. It knows no kernel function: it loads,
// stores, and executes SYSCALL.
//
//   const user::Code program = user::Program([] {
//     const int64_t fd = user::open("/hello", O_RDWR | O_CREAT, 0600);
//     user::write(fd, "hello");
//     user::exit_group(3);
//   });
//
// A program is a std::function<void()>. What it captures by reference must outlive the machine's
// run. Its local variables are its registers, so to say: they are not in simulated memory, fork
// does not copy them, the kernel cannot write to them. What the kernel reads or writes lies in
// simulated memory (memory.h, arena.h).
//
// A program that is killed does not go on: its C++ stack is unwound when the task is released, so
// destructors of its locals run then and must not make system calls.
#pragma once

#include "sim/user/arena.h"
#include "sim/user/calls.h"
#include "sim/user/compat.h"
#include "sim/user/libaio.h"
#include "sim/user/memory.h"
#include "sim/user/signal.h"
#include "sim/user/syscall.h"
#include "sim/user/text.h"
#include "sim/user/traps.h"
