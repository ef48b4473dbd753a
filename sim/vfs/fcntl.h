// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the x86-64 system call interface about files: open flags, modes, fcntl commands.
// v4.19 include/uapi/asm-generic/fcntl.h, include/uapi/linux/{fcntl,stat,fs}.h
//
// They come from the host's headers. A few open flags have other values on other machines; those
// are redefined here, after the host's headers have been included once and for all.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>

#undef O_DIRECT
#undef O_LARGEFILE
#undef O_DIRECTORY
#undef O_NOFOLLOW
#undef O_TMPFILE
#undef __O_TMPFILE
#undef UIO_MAXIOV

namespace kpath {

using umode_t = uint16_t;

inline constexpr int O_DIRECT = 040000;
inline constexpr int O_LARGEFILE = 0100000;
inline constexpr int O_DIRECTORY = 0200000;
inline constexpr int O_NOFOLLOW = 0400000;
inline constexpr int __O_TMPFILE = 020000000;
inline constexpr int O_TMPFILE = __O_TMPFILE | O_DIRECTORY;
// O_SYNC is this bit and O_DSYNC.
inline constexpr int KERNEL_O_SYNC = 04000000;  // __O_SYNC in Linux

// The same everywhere; stated once, so that a recording means the same on every host.
static_assert(O_CREAT == 0100 && O_EXCL == 0200 && O_TRUNC == 01000 && O_APPEND == 02000);
static_assert(O_NONBLOCK == 04000 && O_DSYNC == 010000 && O_CLOEXEC == 02000000);
static_assert(O_SYNC == (KERNEL_O_SYNC | O_DSYNC) && O_PATH == 010000000);

// The flags that open knows; others are dropped. v4.19 include/linux/fcntl.h
inline constexpr int VALID_OPEN_FLAGS = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC |
                                        O_APPEND | O_NONBLOCK | O_SYNC | O_ASYNC | O_DIRECT |
                                        O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |
                                        O_CLOEXEC | O_PATH | __O_TMPFILE;

// ---- preadv2, pwritev2, aio_rw_flags ----
inline constexpr int RWF_SUPPORTED = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND;

// ---- Modes ----
inline constexpr umode_t S_IALLUGO = 07777;
inline constexpr umode_t S_IRWXUGO = 00777;
inline constexpr umode_t S_IXUGO = 00111;

}  // namespace kpath
