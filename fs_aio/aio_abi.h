// SPDX-License-Identifier: Apache-2.0
//
// What user mode and the kernel agree on about native AIO. v4.19 include/uapi/linux/aio_abi.h, and
// the ring as fs/aio.c lays it out. Little endian.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kpath {

using aio_context_t = uint64_t;
// As programs with 32-bit pointers have it. All that is below is the same for them.
using compat_aio_context_t = uint32_t;

// iocb::aio_lio_opcode
enum : uint16_t {
  IOCB_CMD_PREAD = 0,
  IOCB_CMD_PWRITE = 1,
  IOCB_CMD_FSYNC = 2,
  IOCB_CMD_FDSYNC = 3,
  IOCB_CMD_POLL = 5,
  IOCB_CMD_NOOP = 6,
  IOCB_CMD_PREADV = 7,
  IOCB_CMD_PWRITEV = 8,
};

// iocb::aio_flags
enum : uint32_t { IOCB_FLAG_RESFD = 1 << 0, IOCB_FLAG_IOPRIO = 1 << 1 };

// What iocb::aio_key holds once the kernel has taken the iocb.
inline constexpr uint32_t KIOCB_KEY = 0;

struct iocb {
  uint64_t aio_data;        // handed back in io_event::data
  uint32_t aio_key;         // set to KIOCB_KEY by io_submit
  uint32_t aio_rw_flags;    // RWF_*
  uint16_t aio_lio_opcode;  // IOCB_CMD_*
  int16_t aio_reqprio;      // with IOCB_FLAG_IOPRIO
  uint32_t aio_fildes;
  uint64_t aio_buf;
  uint64_t aio_nbytes;
  int64_t aio_offset;
  uint64_t aio_reserved2;  // must be 0
  uint32_t aio_flags;      // IOCB_FLAG_*
  uint32_t aio_resfd;      // an eventfd, with IOCB_FLAG_RESFD
};
static_assert(sizeof(iocb) == 64);
static_assert(offsetof(iocb, aio_key) == 8 && offsetof(iocb, aio_fildes) == 20 &&
              offsetof(iocb, aio_buf) == 24 && offsetof(iocb, aio_resfd) == 60);

struct io_event {
  uint64_t data;  // iocb::aio_data
  uint64_t obj;   // address of the iocb
  int64_t res;
  int64_t res2;
};
static_assert(sizeof(io_event) == 32);

// What the last argument of io_pgetevents points to: the mask of signals while it waits, and its
// size, 8. The last two members of six arguments, as there is no seventh.
struct __aio_sigset {
  uint64_t sigmask;
  uint64_t sigsetsize;
};
static_assert(sizeof(__aio_sigset) == 16);

inline constexpr uint32_t AIO_RING_MAGIC = 0xa10a10a1;
inline constexpr uint32_t AIO_RING_COMPAT_FEATURES = 1;
inline constexpr uint32_t AIO_RING_INCOMPAT_FEATURES = 0;

// The head of the first ring page; io_events follow. Mapped into the process, which may read it all
// and move `head`; nothing but convention keeps it from writing the rest.
struct aio_ring {
  uint32_t id;    // index in the process's table of contexts
  uint32_t nr;    // number of io_events
  uint32_t head;  // next event to read: written by io_getevents and by user mode
  uint32_t tail;  // next event to be written: written by the kernel
  uint32_t magic;
  uint32_t compat_features;
  uint32_t incompat_features;
  uint32_t header_length;
};
static_assert(sizeof(aio_ring) == 32 && sizeof(aio_ring) % sizeof(io_event) == 0);

}  // namespace kpath
