// SPDX-License-Identifier: Apache-2.0
//
// eventfd: a counter behind a descriptor. v4.19 fs/eventfd.c, include/linux/eventfd.h
//
//   kptr<eventfd_ctx> ctx = eventfd_ctx_fdget(fd);   // holds the context, not the file
//   if (IS_ERR(ctx)) return PTR_ERR(ctx);
//   eventfd_signal(ctx, 1);                          // in any context
//   eventfd_ctx_put(ctx);
//
// write adds to the counter and waits while it would reach 2^64 - 1; read takes all of it (or 1,
// with EFD_SEMAPHORE) and waits while it is 0; with O_NONBLOCK both say -EAGAIN instead.
// eventfd_signal never waits: it stops at 2^64 - 1, which poll reports as an error.
//
// Locks: wqh.lock guards count; interrupts are off while it is held.
//
// Invariants
//   1. refs = references of the file (1) and of those who called eventfd_ctx_fdget.
//   2. read and write leave count below 2^64 - 1; only eventfd_signal gets there.
#pragma once

#include "sim/vfs/fs.h"

namespace kpath {

inline constexpr unsigned EFD_SEMAPHORE = 1;
inline constexpr unsigned EFD_CLOEXEC = O_CLOEXEC;
inline constexpr unsigned EFD_NONBLOCK = O_NONBLOCK;

struct eventfd_ctx {
  static constexpr const char* kSlabName = "eventfd_ctx";

  int refs = 1;
  wait_queue_head_t wqh;
  uint64_t count = 0;
  unsigned flags = 0;  // EFD_*
};

extern const file_operations eventfd_fops;

// The context of an eventfd, with a reference. An error pointer: -EBADF, or -EINVAL for another
// file.
kptr<eventfd_ctx> eventfd_ctx_fdget(int fd);
kptr<eventfd_ctx> eventfd_ctx_fileget(kptr<file> file);
void eventfd_ctx_put(kptr<eventfd_ctx> ctx);

// v4.19 fs/eventfd.c: eventfd_signal. Adds n, up to 2^64 - 1; returns what was added. Context: any.
uint64_t eventfd_signal(kptr<eventfd_ctx> ctx, uint64_t n);

}  // namespace kpath
