// SPDX-License-Identifier: Apache-2.0
//
// One read or write on its way through a file. v4.19 include/linux/fs.h: struct kiocb
#pragma once

#include <cstdint>

#include "sim/kernel/slab.h"

namespace kpath {

struct file;

// kiocb::ki_flags
inline constexpr int IOCB_EVENTFD = 1 << 0;
inline constexpr int IOCB_APPEND = 1 << 1;
inline constexpr int IOCB_DIRECT = 1 << 2;
inline constexpr int IOCB_HIPRI = 1 << 3;
inline constexpr int IOCB_DSYNC = 1 << 4;
inline constexpr int IOCB_SYNC = 1 << 5;
inline constexpr int IOCB_WRITE = 1 << 6;
inline constexpr int IOCB_NOWAIT = 1 << 7;

struct kiocb {
  kptr<file> ki_filp;
  int64_t ki_pos = 0;
  // Called once when an operation that returned -EIOCBQUEUED ends. Null: the operation must be
  // synchronous.
  void (*ki_complete)(kiocb* iocb, long ret, long ret2) = nullptr;
  void* private_ = nullptr;  // `private` in Linux
  int ki_flags = 0;          // IOCB_*
  uint16_t ki_hint = 0;
  uint16_t ki_ioprio = 0;
};

inline bool is_sync_kiocb(const kiocb& iocb) { return iocb.ki_complete == nullptr; }

// v4.19 include/linux/fs.h: init_sync_kiocb
void init_sync_kiocb(kiocb* kiocb, kptr<file> filp);
// v4.19 include/linux/fs.h: iocb_flags. The IOCB_* that follow from how the file was opened.
int iocb_flags(kptr<file> file);
// v4.19 include/linux/fs.h: kiocb_set_rw_flags. Adds what the RWF_* in `flags` ask for.
// Returns 0, or -EOPNOTSUPP for an unknown bit, or for RWF_NOWAIT on a file without FMODE_NOWAIT.
int kiocb_set_rw_flags(kiocb* kiocb, int flags);

}  // namespace kpath
