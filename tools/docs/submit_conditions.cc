// SPDX-License-Identifier: Apache-2.0
//
// io_submit, and what its requests are completed with.
#include <poll.h>
#include <sys/mman.h>

#include "sim/kernel/capability.h"
#include "tools/docs/condition.h"

namespace kpath {
namespace {

constexpr uint64_t kNothingThere = 0x10000;
constexpr uint64_t kKernelAddress = 0xffffffff81000000;

// io_submit of these iocbs.
DocCall Submit(AioProgram& p, const std::vector<user::iocb>& list, int failing_allocation = -1) {
  p.Setup(8);
  for (size_t i = 0; i < list.size(); ++i) {
    const auto place = p.places + static_cast<int64_t>(i);
    place.Store(list[i]);
    (p.pointers + static_cast<int64_t>(i)).Store(place);
  }
  return {NR_io_submit, {p.ctx, list.size(), p.pointers.address()}, failing_allocation};
}

using Change = std::function<void(AioProgram& p, user::iocb* cb)>;

// io_submit of one read of 512 bytes that `change` has made wrong.
Condition BadRead(const std::string& condition, const Change& change) {
  return {"io_submit", condition, [change](AioProgram& p) {
            user::iocb cb = p.Read(512);
            change(p, &cb);
            return Submit(p, {cb});
          }};
}
Condition BadFsync(const std::string& condition, const Change& change) {
  return {"io_submit", condition, [change](AioProgram& p) {
            user::iocb cb = user::FsyncIocb(p.fd);
            change(p, &cb);
            return Submit(p, {cb});
          }};
}
Condition BadPoll(const std::string& condition, const Change& change) {
  return {"io_submit", condition, [change](AioProgram& p) {
            user::iocb cb = user::PollIocb(static_cast<int>(user::eventfd(0, 0)), POLLIN);
            change(p, &cb);
            return Submit(p, {cb});
          }};
}

uint32_t Eventfd() { return static_cast<uint32_t>(user::eventfd(0, 0)); }
uint32_t Open(int flags) { return static_cast<uint32_t>(user::open("/tmp/file", flags)); }

uint64_t Segments(AioProgram& p, const user::iovec& first) {
  const auto segments = p.arena.New<user::iovec>(9);
  segments.Store(first);
  return segments.address();
}

std::vector<Condition> OfTheCall() {
  return {
      {"io_submit", "`nr` is negative",
       [](AioProgram& p) {
         return DocCall{NR_io_submit, {p.ctx, ~uint64_t{0}, p.pointers.address()}};
       }},
      {"io_submit", "no such context, even with `nr` 0",
       [](AioProgram& p) {
         return DocCall{NR_io_submit, {p.buffer, 0, 0}};
       }},
      {"io_submit", "the list of pointers cannot be read",
       [](AioProgram& p) {
         p.Setup(8);
         return DocCall{NR_io_submit, {p.ctx, 1, kNothingThere}};
       }},
      {"io_submit", "an iocb cannot be read",
       [](AioProgram& p) {
         p.Setup(8);
         p.pointers.Store(user::Pointer<user::iocb>(kNothingThere));
         return DocCall{NR_io_submit, {p.ctx, 1, p.pointers.address()}};
       }},
      BadRead("`aio_reserved2` is not 0", [](auto&, auto* cb) { cb->aio_reserved2 = 1; }),
      BadRead("`aio_nbytes` is negative as a signed number",
              [](auto&, auto* cb) { cb->aio_nbytes = ~uint64_t{0}; }),
      {"io_submit", "no free slot: too many requests are in flight or unread",
       [](AioProgram& p) {
         p.Setup(8);
         p.Submit(p.Reads(200));
         return DocCall{NR_io_submit, {p.ctx, 1, p.pointers.address()}};
       }},
      {"io_submit", "no memory for a request",
       [](AioProgram& p) { return Submit(p, {p.Read(512)}, 0); }},
      BadRead("`aio_resfd` is not open (IOCB_FLAG_RESFD)",
              [](auto&, auto* cb) { *cb = user::WithEventfd(*cb, 9999); }),
      BadRead("`aio_resfd` is not an eventfd (IOCB_FLAG_RESFD)",
              [](auto& p, auto* cb) { *cb = user::WithEventfd(*cb, p.fd); }),
      {"io_submit", "`aio_key` of the iocb cannot be written",
       [](AioProgram& p) {
         p.Setup(8);
         const auto page = static_cast<uint64_t>(
             user::mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
         p.pointers.Store(user::Pointer<user::iocb>(page));
         return DocCall{NR_io_submit, {p.ctx, 1, p.pointers.address()}};
       }},
      BadRead("`aio_lio_opcode` is no operation: 4, IOCB_CMD_NOOP, 9 and above",
              [](auto&, auto* cb) { cb->aio_lio_opcode = user::IOCB_CMD_NOOP; }),
      {"io_submit", "the second of three iocbs is refused: the error is lost",
       [](AioProgram& p) {
         std::vector<user::iocb> list = p.Reads(3);
         list[1].aio_fildes = 9999;
         return Submit(p, list);
       }},
  };
}

std::vector<Condition> OfReadsAndWrites() {
  return {
      BadRead("`aio_fildes` is not open", [](auto&, auto* cb) { cb->aio_fildes = 9999; }),
      BadRead("the realtime class of IOCB_FLAG_IOPRIO without CAP_SYS_ADMIN",
              [](auto&, auto* cb) {
                current->cap_effective &= ~(uint64_t{1} << CAP_SYS_ADMIN);
                cb->aio_flags = user::IOCB_FLAG_IOPRIO;
                cb->aio_reqprio = 1 << 13;
              }),
      BadRead("`aio_reqprio` is no class, or no level of its class (IOCB_FLAG_IOPRIO)",
              [](auto&, auto* cb) {
                cb->aio_flags = user::IOCB_FLAG_IOPRIO;
                cb->aio_reqprio = 2 << 13 | 8;
              }),
      BadRead("`aio_rw_flags` has an unknown bit",
              [](auto&, auto* cb) { cb->aio_rw_flags = 0x4000; }),
      BadRead("RWF_NOWAIT on a file that cannot promise it",
              [](auto&, auto* cb) { cb->aio_rw_flags = 8; }),
      BadRead("a read of a file that is not open for reading",
              [](auto&, auto* cb) { cb->aio_fildes = Open(O_WRONLY); }),
      BadRead("a write to a file that is not open for writing",
              [](auto&, auto* cb) {
                cb->aio_lio_opcode = user::IOCB_CMD_PWRITE;
                cb->aio_fildes = Open(O_RDONLY);
              }),
      BadRead("the file has no read_iter: eventfds, directories",
              [](auto&, auto* cb) { cb->aio_fildes = Eventfd(); }),
      BadRead("the file has no write_iter",
              [](auto&, auto* cb) {
                cb->aio_lio_opcode = user::IOCB_CMD_PWRITE;
                cb->aio_fildes = Eventfd();
              }),
      BadRead("the buffer is beyond the user's addresses",
              [](auto&, auto* cb) { cb->aio_buf = kKernelAddress; }),
      BadRead("more than 1024 segments",
              [](auto& p, auto* cb) { *cb = user::PreadvIocb(p.fd, p.buffer, 1025, 0); }),
      {"io_submit", "no memory for more than 8 segments",
       [](AioProgram& p) { return Submit(p, {user::PreadvIocb(p.fd, Segments(p, {}), 9, 0)}, 1); }},
      BadRead("the list of segments cannot be read",
              [](auto& p, auto* cb) { *cb = user::PreadvIocb(p.fd, kNothingThere, 1, 0); }),
      BadRead("the length of a segment is negative",
              [](auto& p, auto* cb) {
                *cb = user::PreadvIocb(p.fd, Segments(p, {p.buffer, ~uint64_t{0}}), 1, 0);
              }),
      BadRead("a segment is beyond the user's addresses",
              [](auto& p, auto* cb) {
                *cb = user::PreadvIocb(p.fd, Segments(p, {kKernelAddress, 8}), 1, 0);
              }),
      BadRead("`aio_offset` is negative", [](auto&, auto* cb) { cb->aio_offset = -1; }),
      BadRead("`aio_offset` and the size together are beyond the largest position",
              [](auto&, auto* cb) { cb->aio_offset = INT64_MAX; }),
  };
}

std::vector<Condition> OfFsyncAndPoll() {
  return {
      BadFsync("fsync: `aio_buf`, `aio_offset`, `aio_nbytes` or `aio_rw_flags` is not 0",
               [](auto&, auto* cb) { cb->aio_nbytes = 1; }),
      BadFsync("fsync: `aio_fildes` is not open", [](auto&, auto* cb) { cb->aio_fildes = 9999; }),
      BadFsync("fsync: the file has no fsync", [](auto&, auto* cb) { cb->aio_fildes = Eventfd(); }),
      BadPoll("poll: the events, in `aio_buf`, have more than 16 bits",
              [](auto&, auto* cb) { cb->aio_buf = 0x10001; }),
      BadPoll("poll: `aio_offset`, `aio_nbytes` or `aio_rw_flags` is not 0",
              [](auto&, auto* cb) { cb->aio_offset = 1; }),
      BadPoll("poll: `aio_fildes` is not open", [](auto&, auto* cb) { cb->aio_fildes = 9999; }),
      BadPoll("poll: the file has no queue on which it announces that it is ready: regular files",
              [](auto& p, auto* cb) { cb->aio_fildes = static_cast<uint32_t>(p.fd); }),
  };
}

}  // namespace

std::vector<Condition> SubmitConditions() {
  std::vector<Condition> all = OfTheCall();
  for (const auto& more : {OfReadsAndWrites(), OfFsyncAndPoll()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

std::vector<EventCondition> EventConditions() {
  return {
      {"read", "the buffer is in range, but nothing is mapped there",
       [](AioProgram& p) {
         user::iocb cb = p.Read(512);
         cb.aio_buf = kNothingThere;
         return cb;
       }},
      {"read", "at or behind the end of the file", [](AioProgram& p) { return p.Read(512, 4096); }},
      {"read", "an empty pipe with O_NONBLOCK",
       [](AioProgram& p) {
         const auto fds = p.arena.New<int32_t>(2);
         user::pipe2(fds.address(), O_NONBLOCK);
         user::iocb cb = p.Read(512);
         cb.aio_fildes = static_cast<uint32_t>(fds.Load());
         return cb;
       }},
      {"write", "a pipe that nobody reads",
       [](AioProgram& p) {
         user::IgnoreSignal(SIGPIPE);
         const auto fds = p.arena.New<int32_t>(2);
         user::pipe2(fds.address(), 0);
         user::close(fds.Load());
         user::iocb cb = p.Write(512);
         cb.aio_fildes = static_cast<uint32_t>((fds + 1).Load());
         return cb;
       }},
      {"read", "a signal comes while it waits for a pipe, inside io_submit",
       [](AioProgram& p) {
         user::sigaction(SIGALRM, [](const user::Signal&) {});
         const auto fds = p.arena.New<int32_t>(2);
         user::pipe2(fds.address(), 0);
         user::setitimer(2'000, 0);
         user::iocb cb = p.Read(512);
         cb.aio_fildes = static_cast<uint32_t>(fds.Load());
         return cb;
       }},
      {"poll", "cancelled",
       [](AioProgram&) { return user::PollIocb(static_cast<int>(user::eventfd(0, 0)), POLLIN); },
       true},
  };
}

}  // namespace kpath
