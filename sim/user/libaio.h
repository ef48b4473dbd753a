// SPDX-License-Identifier: Apache-2.0
//
// Native AIO as programs use it: the functions of libaio under their names, with its return values
// (a negative errno on failure), on structures that lie in the program's own memory.
//
//   user::Arena arena;
//   auto ctx = arena.New<user::io_context_t>();
//   if (user::io_setup(8, ctx) != 0) user::exit_group(1);
//   auto cb = arena.Put(user::PreadIocb(fd, buffer, 512, 0));
//   user::io_submit(ctx.Load(), 1, arena.Put(cb));
//   auto events = arena.New<user::io_event>();
//   user::io_getevents(ctx.Load(), 1, 1, events, {});
//
// The layouts are those of <linux/aio_abi.h>, written here again because programs know nothing of
// the kernel model.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"

namespace kpath::user {

// The address of the ring; 0 before io_setup.
using io_context_t = uint64_t;

enum IocbCommand : uint16_t {
  IOCB_CMD_PREAD = 0,
  IOCB_CMD_PWRITE = 1,
  IOCB_CMD_FSYNC = 2,
  IOCB_CMD_FDSYNC = 3,
  IOCB_CMD_POLL = 5,
  IOCB_CMD_NOOP = 6,
  IOCB_CMD_PREADV = 7,
  IOCB_CMD_PWRITEV = 8,
};

inline constexpr uint32_t IOCB_FLAG_RESFD = 1;
inline constexpr uint32_t IOCB_FLAG_IOPRIO = 2;

struct iocb {
  uint64_t aio_data = 0;
  uint32_t aio_key = 0;
  int32_t aio_rw_flags = 0;
  uint16_t aio_lio_opcode = 0;
  int16_t aio_reqprio = 0;
  uint32_t aio_fildes = 0;
  uint64_t aio_buf = 0;
  uint64_t aio_nbytes = 0;
  int64_t aio_offset = 0;
  uint64_t aio_reserved2 = 0;
  uint32_t aio_flags = 0;
  uint32_t aio_resfd = 0;
};
static_assert(sizeof(iocb) == 64);

struct io_event {
  uint64_t data = 0;
  uint64_t obj = 0;
  int64_t res = 0;
  int64_t res2 = 0;
};
static_assert(sizeof(io_event) == 32);

// The head of the ring, which lies at the context's address; io_events follow it.
struct aio_ring {
  uint32_t id = 0;
  uint32_t nr = 0;    // how many events the ring holds
  uint32_t head = 0;  // the next one to be read
  uint32_t tail = 0;  // where the kernel will put the next one
  uint32_t magic = 0;
  uint32_t compat_features = 0;
  uint32_t incompat_features = 0;
  uint32_t header_length = 0;
};
static_assert(sizeof(aio_ring) == 32);
inline constexpr uint32_t AIO_RING_MAGIC = 0xa10a10a1;

struct timespec {
  int64_t tv_sec = 0;
  int64_t tv_nsec = 0;
};

// A segment of IOCB_CMD_PREADV and IOCB_CMD_PWRITEV.
struct iovec {
  uint64_t iov_base = 0;
  uint64_t iov_len = 0;
};

// What io_prep_pread and io_prep_pwrite fill an iocb with.
inline iocb PreadIocb(int fd, uint64_t buffer, uint64_t size, int64_t offset) {
  return {.aio_lio_opcode = IOCB_CMD_PREAD,
          .aio_fildes = static_cast<uint32_t>(fd),
          .aio_buf = buffer,
          .aio_nbytes = size,
          .aio_offset = offset};
}
inline iocb PwriteIocb(int fd, uint64_t buffer, uint64_t size, int64_t offset) {
  iocb cb = PreadIocb(fd, buffer, size, offset);
  cb.aio_lio_opcode = IOCB_CMD_PWRITE;
  return cb;
}

// What io_prep_preadv and io_prep_pwritev do: `segments` iovecs at `iov`.
inline iocb PreadvIocb(int fd, uint64_t iov, uint64_t segments, int64_t offset) {
  iocb cb = PreadIocb(fd, iov, segments, offset);
  cb.aio_lio_opcode = IOCB_CMD_PREADV;
  return cb;
}
inline iocb PwritevIocb(int fd, uint64_t iov, uint64_t segments, int64_t offset) {
  iocb cb = PreadIocb(fd, iov, segments, offset);
  cb.aio_lio_opcode = IOCB_CMD_PWRITEV;
  return cb;
}
// io_prep_fsync, io_prep_fdsync.
inline iocb FsyncIocb(int fd) {
  return {.aio_lio_opcode = IOCB_CMD_FSYNC, .aio_fildes = static_cast<uint32_t>(fd)};
}
inline iocb FdsyncIocb(int fd) {
  return {.aio_lio_opcode = IOCB_CMD_FDSYNC, .aio_fildes = static_cast<uint32_t>(fd)};
}
// io_prep_poll: `events` are those of poll(2), POLLIN and so on.
inline iocb PollIocb(int fd, uint16_t events) {
  return {
      .aio_lio_opcode = IOCB_CMD_POLL, .aio_fildes = static_cast<uint32_t>(fd), .aio_buf = events};
}
// io_set_eventfd: the eventfd that is told of the event.
inline iocb WithEventfd(iocb cb, int eventfd) {
  cb.aio_flags |= IOCB_FLAG_RESFD;
  cb.aio_resfd = static_cast<uint32_t>(eventfd);
  return cb;
}

inline int64_t io_setup(int maxevents, Pointer<io_context_t> ctxp) {
  return Syscall(NR_io_setup, maxevents, ctxp.address());
}
inline int64_t io_destroy(io_context_t ctx) { return Syscall(NR_io_destroy, ctx); }
// `ios` points to `nr` pointers to iocbs. Returns how many were accepted.
inline int64_t io_submit(io_context_t ctx, int64_t nr, Pointer<Pointer<iocb>> ios) {
  return Syscall(NR_io_submit, ctx, nr, ios.address());
}
// `timeout` null: wait for ever. Returns how many events were stored.
// This is the system call; what libaio has under the name is libaio_io_getevents.
inline int64_t io_getevents(io_context_t ctx, int64_t min_nr, int64_t nr, Pointer<io_event> events,
                            Pointer<timespec> timeout) {
  return Syscall(NR_io_getevents, ctx, min_nr, nr, events.address(), timeout.address());
}
// io_getevents of libaio: with a timeout of zero and an empty ring there is nothing that the kernel
// could add, and no system call is made.
inline int64_t libaio_io_getevents(io_context_t ctx, int64_t min_nr, int64_t nr,
                                   Pointer<io_event> events, Pointer<timespec> timeout) {
  if (ctx != 0 && Pointer<aio_ring>(ctx).Load().magic == AIO_RING_MAGIC && timeout.address() != 0) {
    const timespec time = timeout.Load();
    const aio_ring ring = Pointer<aio_ring>(ctx).Load();
    if (time.tv_sec == 0 && time.tv_nsec == 0 && ring.head == ring.tail) return 0;
  }
  return io_getevents(ctx, min_nr, nr, events, timeout);
}
// Takes up to `nr` events out of the ring without a system call, as fio does with userspace_reap:
// copies them and moves `head`. Returns how many; -1: what is there is no ring that this code
// knows.
inline int64_t ReapRing(io_context_t ctx, int64_t nr, Pointer<io_event> events) {
  const Pointer<aio_ring> at(ctx);
  aio_ring ring = at.Load();
  if (ring.magic != AIO_RING_MAGIC || ring.incompat_features != 0) return -1;
  int64_t count = 0;
  for (; count < nr && ring.head != ring.tail; ++count) {
    const Pointer<io_event> slots(ctx + ring.header_length);
    (events + count).Store((slots + ring.head).Load());
    ring.head = (ring.head + 1) % ring.nr;
    Store<uint32_t>(ctx + offsetof(aio_ring, head), ring.head);
  }
  return count;
}
// io_getevents while another mask of signals is in force: 8 bytes at `sigmask`; 0: the one there
// is.
inline int64_t io_pgetevents(io_context_t ctx, int64_t min_nr, int64_t nr, Pointer<io_event> events,
                             Pointer<timespec> timeout, uint64_t sigmask) {
  constexpr uint64_t kSigsetSize = 8;
  const uint64_t usig = StackBytes(16);
  Store<uint64_t>(usig, sigmask);
  Store<uint64_t>(usig + 8, kSigsetSize);
  return Syscall(NR_io_pgetevents, ctx, min_nr, nr, events.address(), timeout.address(), usig);
}
inline int64_t io_cancel(io_context_t ctx, Pointer<iocb> cb, Pointer<io_event> event) {
  return Syscall(NR_io_cancel, ctx, cb.address(), event.address());
}

}  // namespace kpath::user
