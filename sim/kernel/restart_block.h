// SPDX-License-Identifier: Apache-2.0
//
// How a system call goes on that a signal without a handler has interrupted, where it cannot simply
// be made again: a sleep of which a part is over. v4.19 include/linux/restart_block.h
//
//   restart_block* restart = &current->restart_block;
//   restart->fn = hrtimer_nanosleep_restart;          // what the call is to go on with
//   restart->nanosleep.expires = …;
//   return Fail(ERESTART_RESTARTBLOCK, …);            // user mode then calls restart_syscall
//
// Context: the task's own.
#pragma once

#include <cstdint>

namespace kpath {

struct restart_block;

// v4.19 kernel/signal.c: do_no_restart_syscall. There is nothing to go on with: -EINTR.
long do_no_restart_syscall(restart_block* restart);

// v4.19 include/linux/restart_block.h: enum timespec_type. Of what size rmtp's object is.
enum timespec_type : uint8_t { TT_NONE, TT_NATIVE, TT_COMPAT };

// v4.19 include/linux/restart_block.h: struct restart_block. Linux has a union of the parts.
struct restart_block {
  long (*fn)(restart_block* restart) = do_no_restart_syscall;

  struct {
    int clockid = 0;
    timespec_type type = TT_NONE;
    uint64_t rmtp = 0;     // user address: where to store what is left; if type is not TT_NONE
    uint64_t expires = 0;  // nanoseconds of that clock
  } nanosleep;

  struct {
    uint64_t ufds = 0;  // user address of the array
    int nfds = 0;
    bool has_timeout = false;
    unsigned long tv_sec = 0;  // when it ends, on CLOCK_MONOTONIC
    unsigned long tv_nsec = 0;
  } poll;
};

}  // namespace kpath
