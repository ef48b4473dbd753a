// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/generator_values.h"

#include <linux/fs.h>
#include <poll.h>

#include <climits>

#include "tools/diff_host/layout.h"

namespace kpath::diff_host {
namespace {

constexpr uint64_t kKernelAddress = 0xffff888000100000;
constexpr uint64_t kUserEnd = 0x7ffffffff000;
// Nothing is mapped here; the stack is above or elsewhere.
constexpr uint64_t kNearUserEnd = kUserEnd - 0x10000000;

uint32_t RwFlags(Decisions& decide) {
  if (!decide.OneIn(12)) return 0;
  return decide.OneOf<uint32_t>({RWF_HIPRI, RWF_DSYNC, RWF_SYNC, RWF_NOWAIT, RWF_APPEND,
                                 RWF_APPEND | RWF_DSYNC, 0x20, 0x40, 0x80, 0x100, 0x4000,
                                 RWF_HIPRI | 0x80000000, ~0u});
}

// Priority class and data in one number; class 0 to 3 are known.
int16_t Priority(Decisions& decide) {
  const int priority_class = decide.OneOf({0, 1, 2, 2, 3, 4, 7});
  const int data = decide.OneOf({0, 0, 4, 7, 8, 100, 8191});
  return static_cast<int16_t>(priority_class << 13 | data);
}

void AddFlags(Decisions& decide, user::iocb* cb) {
  if (decide.OneIn(8)) {
    cb->aio_flags |= user::IOCB_FLAG_RESFD;
    cb->aio_resfd =
        static_cast<uint32_t>(decide.OneIn(6) ? decide.OneOf({kNeverOpen, -1, int{kFile}, INT_MAX})
                                              : decide.OneOf({int{kEventfd}, int{kEventfd2}}));
  }
  if (decide.OneIn(40)) {
    cb->aio_flags |= user::IOCB_FLAG_IOPRIO;
    cb->aio_reqprio = Priority(decide);
  }
  if (decide.OneIn(60)) cb->aio_flags |= decide.OneOf({4u, 0x80000000u});
  if (decide.OneIn(60)) cb->aio_reserved2 = decide.OneOf<uint64_t>({1, ~uint64_t{0}});
  cb->aio_key = decide.OneOf({0u, 0u, 7u, ~0u});
  cb->aio_data = decide.Below(1000);
}

// v4.19 stops for good when an eventfd is signalled by what it wakes.
void AvoidEventfdLoops(user::iocb* cb) {
  if (cb->aio_lio_opcode != user::IOCB_CMD_POLL) return;
  if ((cb->aio_flags & user::IOCB_FLAG_RESFD) == 0) return;
  if (cb->aio_fildes == kEventfd || cb->aio_resfd == kEventfd2) {
    cb->aio_flags &= ~user::IOCB_FLAG_RESFD;
  }
}

user::iocb PollIocb(Decisions& decide) {
  user::iocb cb;
  cb.aio_fildes = static_cast<uint32_t>(StreamDescriptor(decide));
  cb.aio_buf = decide.OneOf<uint64_t>({POLLIN, POLLIN, POLLOUT, POLLIN | POLLOUT, 0, POLLPRI,
                                       POLLHUP, POLLRDNORM | POLLWRNORM, 0x0100, 0xffff, 0x10001});
  if (decide.OneIn(20)) cb.aio_nbytes = 1;
  if (decide.OneIn(20)) cb.aio_offset = 1;
  return cb;
}

user::iocb FsyncIocb(Decisions& decide) {
  user::iocb cb;
  cb.aio_fildes = static_cast<uint32_t>(FileDescriptor(decide));
  if (decide.OneIn(12)) cb.aio_buf = kBuffers;
  if (decide.OneIn(12)) cb.aio_nbytes = 1;
  if (decide.OneIn(12)) cb.aio_offset = 1;
  return cb;
}

user::iocb TransferIocb(Decisions& decide) {
  user::iocb cb;
  int fd = decide.OneIn(8) ? StreamDescriptor(decide) : FileDescriptor(decide);
  // Newer kernels read eventfds.
  if ((fd == kEventfd || fd == kEventfd2) && !decide.OneIn(8)) fd = kPipeRead;
  cb.aio_fildes = static_cast<uint32_t>(fd);
  cb.aio_nbytes = BufferSize(decide);
  cb.aio_buf = BufferAddress(decide, cb.aio_nbytes);
  cb.aio_offset = FileOffset(decide, cb.aio_nbytes);
  return cb;
}

}  // namespace

uint64_t BadAddress(Decisions& decide) {
  return decide.OneOf<uint64_t>({0, kHole, kHole + 8, kSecondHole, kNoAccess, kNoAccess + 64,
                                 kReadOnly, kReadOnly + kPage - 8, kKernelAddress, ~uint64_t{0},
                                 ~uint64_t{0} - 7, kNearUserEnd, kUserEnd, uint64_t{1} << 63,
                                 kHole - 4, kHole - 1, 1});
}

uint64_t BufferSize(Decisions& decide) {
  if (decide.OneIn(14)) {
    return decide.OneOf<uint64_t>({8292, 16384, 20000, 0x7ffff000, 0x80000000, 1ull << 32,
                                   1ull << 62, (1ull << 63) - 1, 1ull << 63, ~0ull});
  }
  return decide.OneOf<uint64_t>({0, 1, 7, 8, 100, 512, 512, 512, 1000, 4095, 4096, 4097, 5000});
}

uint64_t BufferAddress(Decisions& decide, uint64_t size) {
  if (decide.OneIn(14)) return BadAddress(decide);
  if (decide.OneIn(20)) return kHole - decide.OneOf<uint64_t>({1, 8, 100, 512, 4096, 4100, 8192});
  const uint64_t most = kBufferPages * kPage;
  const uint64_t room = size < most ? most - size : 0;
  const uint64_t at = decide.OneOf<uint64_t>({0, 1, 8, 512, 4000, 4096, 8192, decide.Below(12000)});
  return kBuffers + (at < room ? at : room);
}

int64_t FileOffset(Decisions& decide, uint64_t size) {
  if (decide.OneIn(14)) {
    // `size` may be any number: what it wraps around to is as good as another offset.
    const auto end_at_most = static_cast<int64_t>(uint64_t{INT64_MAX} - size);
    return decide.OneOf<int64_t>({-1, INT64_MIN, INT64_MAX, INT64_MAX - 4096, end_at_most,
                                  int64_t{1} << 31, int64_t{1} << 40, int64_t{1} << 62, 1 << 20});
  }
  const auto end = static_cast<int64_t>(kFileSize);
  return decide.OneOf<int64_t>(
      {0, 0, 0, 1, 100, 511, 4000, 4095, 4096, 8000, end - 1, end, end + 1, 12288, 20000});
}

int FileDescriptor(Decisions& decide) {
  if (decide.OneIn(50)) return decide.OneOf({kNeverOpen, -1, INT_MAX, INT_MIN, 1 << 20});
  if (decide.OneIn(20)) return static_cast<int>(decide.Below(kDescriptors));
  return decide.OneOf<int>({kFile, kFile, kFile, kFileReadOnly, kFileWriteOnly, kFileAppend,
                            kFileSync, kOtherFile, kOtherFile});
}

int StreamDescriptor(Decisions& decide) {
  if (decide.OneIn(15)) return FileDescriptor(decide);
  // The pipe that blocks: seldom, as nothing is seen of a program after a call that never returns.
  if (decide.OneIn(40)) return decide.OneOf<int>({kPipe2Read, kPipe2Write});
  return decide.OneOf<int>({kPipeRead, kPipeRead, kPipeWrite, kEventfd, kEventfd2});
}

user::iocb PlainIocb(Decisions& decide, uint16_t opcode) {
  user::iocb cb;
  switch (opcode) {
    case user::IOCB_CMD_POLL:
      cb = PollIocb(decide);
      break;
    case user::IOCB_CMD_FSYNC:
    case user::IOCB_CMD_FDSYNC:
      cb = FsyncIocb(decide);
      break;
    default:
      cb = TransferIocb(decide);
  }
  cb.aio_lio_opcode = opcode;
  cb.aio_rw_flags = static_cast<int32_t>(RwFlags(decide));
  AddFlags(decide, &cb);
  AvoidEventfdLoops(&cb);
  return cb;
}

Entry RandomEntry(Decisions& decide, int slot) {
  using namespace user;
  const auto opcode =
      decide.OneOf<uint16_t>({IOCB_CMD_PREAD, IOCB_CMD_PREAD, IOCB_CMD_PREAD, IOCB_CMD_PREAD,
                              IOCB_CMD_PWRITE, IOCB_CMD_PWRITE, IOCB_CMD_PWRITE, IOCB_CMD_POLL,
                              IOCB_CMD_POLL, IOCB_CMD_FSYNC, IOCB_CMD_PREADV, IOCB_CMD_PWRITEV});
  Entry entry;
  entry.address = IocbAddress(slot % kIocbSlots);
  entry.iocb = PlainIocb(decide, opcode);
  if (opcode == IOCB_CMD_FSYNC && decide.OneIn(3)) entry.iocb.aio_lio_opcode = IOCB_CMD_FDSYNC;
  if (decide.OneIn(40)) {
    entry.iocb.aio_lio_opcode = decide.OneOf<uint16_t>({4, IOCB_CMD_NOOP, 9, 255, 0xffff});
    return entry;
  }
  if (opcode != IOCB_CMD_PREADV && opcode != IOCB_CMD_PWRITEV) return entry;
  const uint64_t count = decide.OneOf<uint64_t>({0, 1, 1, 2, 2, 3, 9, 16});
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t size = BufferSize(decide);
    entry.vectors.push_back({BufferAddress(decide, size), size});
  }
  entry.iocb.aio_buf = kVectors + 256 * static_cast<uint64_t>(slot % 16);
  entry.iocb.aio_nbytes = count;
  if (decide.OneIn(12)) {
    entry.iocb.aio_nbytes = decide.OneOf<uint64_t>(
        {count + 1, 1024, 1025, 1ull << 32, (1ull << 32) + 1, 1ull << 63, 0x80000000});
  }
  if (decide.OneIn(15)) entry.iocb.aio_buf = BadAddress(decide);
  return entry;
}

}  // namespace kpath::diff_host
