// SPDX-License-Identifier: Apache-2.0
//
// Numbers of the x86-64 system call interface about files: open flags, modes, fcntl commands.
// v4.19 include/uapi/asm-generic/fcntl.h, include/uapi/linux/{fcntl,stat,fs}.h
//
// Some of them have other values on other machines, so the host's are not used: its headers are
// included first and their macros taken away, which keeps a later inclusion harmless.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>

#undef O_RDONLY
#undef O_WRONLY
#undef O_RDWR
#undef O_ACCMODE
#undef O_CREAT
#undef O_EXCL
#undef O_NOCTTY
#undef O_TRUNC
#undef O_APPEND
#undef O_NONBLOCK
#undef O_DSYNC
#undef O_DIRECT
#undef O_LARGEFILE
#undef O_DIRECTORY
#undef O_NOFOLLOW
#undef O_NOATIME
#undef O_CLOEXEC
#undef O_SYNC
#undef O_PATH
#undef O_TMPFILE
#undef FASYNC
#undef __O_SYNC
#undef __O_TMPFILE
#undef __O_DIRECT
#undef F_DUPFD
#undef F_GETFD
#undef F_SETFD
#undef F_GETFL
#undef F_SETFL
#undef F_DUPFD_CLOEXEC
#undef F_SETPIPE_SZ
#undef F_GETPIPE_SZ
#undef FD_CLOEXEC
#undef AT_FDCWD
#undef AT_SYMLINK_NOFOLLOW
#undef AT_REMOVEDIR
#undef AT_NO_AUTOMOUNT
#undef UIO_MAXIOV
#undef UIO_FASTIOV
#undef AT_EMPTY_PATH
#undef RWF_HIPRI
#undef RWF_DSYNC
#undef RWF_SYNC
#undef RWF_NOWAIT
#undef RWF_APPEND
#undef S_IFMT
#undef S_IFSOCK
#undef S_IFLNK
#undef S_IFREG
#undef S_IFBLK
#undef S_IFDIR
#undef S_IFCHR
#undef S_IFIFO
#undef S_ISUID
#undef S_ISGID
#undef S_ISVTX
#undef S_ISREG
#undef S_ISDIR
#undef S_ISCHR
#undef S_ISBLK
#undef S_ISFIFO
#undef S_ISLNK
#undef SEEK_SET
#undef SEEK_CUR
#undef SEEK_END
#undef SEEK_DATA
#undef SEEK_HOLE

namespace kpath {

using umode_t = uint16_t;

// ---- open ----
inline constexpr unsigned O_RDONLY = 0;
inline constexpr unsigned O_WRONLY = 1;
inline constexpr unsigned O_RDWR = 2;
inline constexpr unsigned O_ACCMODE = 3;
inline constexpr unsigned O_CREAT = 0100;
inline constexpr unsigned O_EXCL = 0200;
inline constexpr unsigned O_NOCTTY = 0400;
inline constexpr unsigned O_TRUNC = 01000;
inline constexpr unsigned O_APPEND = 02000;
inline constexpr unsigned O_NONBLOCK = 04000;
inline constexpr unsigned O_DSYNC = 010000;
inline constexpr unsigned FASYNC = 020000;
inline constexpr unsigned O_DIRECT = 040000;
inline constexpr unsigned O_LARGEFILE = 0100000;
inline constexpr unsigned O_DIRECTORY = 0200000;
inline constexpr unsigned O_NOFOLLOW = 0400000;
inline constexpr unsigned O_NOATIME = 01000000;
inline constexpr unsigned O_CLOEXEC = 02000000;
inline constexpr unsigned __O_SYNC = 04000000;
inline constexpr unsigned O_SYNC = __O_SYNC | O_DSYNC;
inline constexpr unsigned O_PATH = 010000000;
inline constexpr unsigned __O_TMPFILE = 020000000;
inline constexpr unsigned O_TMPFILE = __O_TMPFILE | O_DIRECTORY;
// The flags that open knows; others are dropped.
inline constexpr unsigned VALID_OPEN_FLAGS = O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC |
                                             O_APPEND | O_NONBLOCK | O_SYNC | FASYNC | O_DIRECT |
                                             O_LARGEFILE | O_DIRECTORY | O_NOFOLLOW | O_NOATIME |
                                             O_CLOEXEC | O_PATH | __O_TMPFILE;

inline constexpr int AT_FDCWD = -100;
inline constexpr int AT_SYMLINK_NOFOLLOW = 0x100;
inline constexpr int AT_REMOVEDIR = 0x200;
inline constexpr int AT_NO_AUTOMOUNT = 0x800;
inline constexpr int AT_EMPTY_PATH = 0x1000;

// ---- fcntl ----
inline constexpr unsigned F_DUPFD = 0;
inline constexpr unsigned F_GETFD = 1;
inline constexpr unsigned F_SETFD = 2;
inline constexpr unsigned F_GETFL = 3;
inline constexpr unsigned F_SETFL = 4;
inline constexpr unsigned F_DUPFD_CLOEXEC = 1030;
inline constexpr unsigned F_SETPIPE_SZ = 1031;
inline constexpr unsigned F_GETPIPE_SZ = 1032;
inline constexpr unsigned FD_CLOEXEC = 1;

// ---- preadv2, pwritev2, aio_rw_flags ----
inline constexpr int RWF_HIPRI = 0x01;
inline constexpr int RWF_DSYNC = 0x02;
inline constexpr int RWF_SYNC = 0x04;
inline constexpr int RWF_NOWAIT = 0x08;
inline constexpr int RWF_APPEND = 0x10;
inline constexpr int RWF_SUPPORTED = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND;

// ---- lseek ----
inline constexpr int SEEK_SET = 0;
inline constexpr int SEEK_CUR = 1;
inline constexpr int SEEK_END = 2;
inline constexpr int SEEK_DATA = 3;
inline constexpr int SEEK_HOLE = 4;

// ---- Modes ----
inline constexpr umode_t S_IFMT = 0170000;
inline constexpr umode_t S_IFSOCK = 0140000;
inline constexpr umode_t S_IFLNK = 0120000;
inline constexpr umode_t S_IFREG = 0100000;
inline constexpr umode_t S_IFBLK = 0060000;
inline constexpr umode_t S_IFDIR = 0040000;
inline constexpr umode_t S_IFCHR = 0020000;
inline constexpr umode_t S_IFIFO = 0010000;
inline constexpr umode_t S_ISUID = 04000;
inline constexpr umode_t S_ISGID = 02000;
inline constexpr umode_t S_ISVTX = 01000;
inline constexpr umode_t S_IALLUGO = 07777;
inline constexpr umode_t S_IRWXUGO = 00777;
inline constexpr umode_t S_IXUGO = 00111;

constexpr bool S_ISREG(umode_t mode) { return (mode & S_IFMT) == S_IFREG; }
constexpr bool S_ISDIR(umode_t mode) { return (mode & S_IFMT) == S_IFDIR; }
constexpr bool S_ISCHR(umode_t mode) { return (mode & S_IFMT) == S_IFCHR; }
constexpr bool S_ISBLK(umode_t mode) { return (mode & S_IFMT) == S_IFBLK; }
constexpr bool S_ISFIFO(umode_t mode) { return (mode & S_IFMT) == S_IFIFO; }
constexpr bool S_ISLNK(umode_t mode) { return (mode & S_IFMT) == S_IFLNK; }

}  // namespace kpath
