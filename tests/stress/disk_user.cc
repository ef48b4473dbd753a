// SPDX-License-Identifier: Apache-2.0
#include "tests/stress/disk_user.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"

namespace kpath {

void DiskUser::Wrong(std::string text) {
  if (tally_->wrong.size() < 10) {
    tally_->wrong.push_back(absl::StrCat("program ", index_, ": ", std::move(text)));
  }
}

void DiskUser::SetUp(const std::array<std::string, 2>& disks) {
  for (int i = 0; i < 2; ++i) {
    fds_[i] = static_cast<int>(user::open(disks[i], O_RDWR | O_DIRECT));
    if (fds_[i] < 0) Wrong(absl::StrCat("open of ", disks[i], ": ", fds_[i]));
  }
  const uint64_t size = (kSlots * (kMostBlocks + 1) + 16) * kBlockBytes;
  buffers_ = static_cast<uint64_t>(user::mmap(0, size, PROT_READ | PROT_WRITE,
                                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
  uint64_t rest = BufferOf(kSlots);
  const auto take = [&rest](uint64_t bytes) { return (rest += bytes) - bytes; };
  iocbs_ = user::Pointer<user::iocb>(take(kSlots * sizeof(user::iocb)));
  pointers_ = user::Pointer<user::Pointer<user::iocb>>(take(kSlots * 8));
  events_ = user::Pointer<user::io_event>(take(kSlots * sizeof(user::io_event)));
  timeout_ = user::Pointer<user::timespec>(take(sizeof(user::timespec)));
  const user::Pointer<user::io_context_t> handle(take(8));
  if (user::io_setup(kSlots, handle) != 0) Wrong("io_setup");
  ctx_ = handle.Load();
  user::sigaction(SIGALRM, [this](const user::Signal&) { ++signals_; });
  const uint64_t interval = take(4 * sizeof(uint64_t));
  const uint64_t microseconds[4] = {0, 200 + Below(300), 0, 100};
  user::WriteMemory(interval, microseconds, sizeof(microseconds));
  user::Syscall(NR_setitimer, 0 /* ITIMER_REAL */, interval, 0);
}

// What is known of the blocks that it concerns from now on.
void DiskUser::Begin(Request* request) {
  request->busy = true;
  request->epochs.clear();
  ++in_flight_;
  if (request->expected < 0) return;
  request->alone = true;
  for (uint64_t i = 0; i < request->blocks; ++i) {
    Block& block = BlockOf(*request, i);
    request->alone = request->alone && block.writers == 0;
    if (request->write) {
      ++block.writers;
      ++block.epoch;
      block.known = false;
    }
    request->epochs.push_back(block.epoch);
  }
}

user::iocb DiskUser::Prepare(int slot, int disk, uint64_t first, uint64_t blocks) {
  Request& request = requests_[slot];
  request = {};
  request.write = OneIn(2);
  request.disk = disk;
  request.first = first;
  request.blocks = blocks;
  request.expected = static_cast<int64_t>(blocks * kBlockBytes);
  uint64_t buffer = BufferOf(slot);
  uint64_t bytes = blocks * kBlockBytes;
  int64_t offset = OffsetOf(first);
  if (OneIn(50)) {
    request.expected = -EINVAL;
    const uint64_t what = Below(3);
    if (what == 0) buffer += 100;
    if (what == 1) bytes -= 100;
    if (what == 2) offset += 100;
  } else if (disk == 0 && OneIn(30)) {
    request.expected = -EIO;
    offset = static_cast<int64_t>((kBadBlock + Below(kBadBlocks - blocks)) * kBlockBytes);
  }
  if (request.write) {
    request.value = static_cast<uint64_t>(index_) << 48 | next_value_++;
    for (uint64_t at = BufferOf(slot); at < BufferOf(slot) + blocks * kBlockBytes;
         at += kBlockBytes) {
      user::Store<uint64_t>(at, request.value);
      user::Store<uint64_t>(at + kBlockBytes - 8, request.value);
    }
  }
  user::iocb cb = request.write ? user::PwriteIocb(fds_[disk], buffer, bytes, offset)
                                : user::PreadIocb(fds_[disk], buffer, bytes, offset);
  cb.aio_data = static_cast<uint64_t>(slot);
  return cb;
}

void DiskUser::SubmitSome() {
  std::vector<int> slots;
  const auto most = static_cast<size_t>(
      std::min<int64_t>(1 + static_cast<int64_t>(Below(12)), quota_ - submitted_));
  for (int slot = 0; slot < kSlots && slots.size() < most; ++slot) {
    if (!requests_[slot].busy) slots.push_back(slot);
  }
  // Runs of neighbours on one disk, so that there is something to merge.
  const bool neighbours = !OneIn(3);
  int disk = static_cast<int>(Below(2));
  uint64_t next = Below(kBlocksOfOne);
  for (size_t i = 0; i < slots.size(); ++i) {
    const uint64_t blocks = 1 + Below(kMostBlocks);
    if (!neighbours || next + blocks > kBlocksOfOne) {
      disk = static_cast<int>(Below(2));
      next = Below(kBlocksOfOne - kMostBlocks);
    }
    const auto place = iocbs_ + slots[i];
    place.Store(Prepare(slots[i], disk, next, blocks));
    (pointers_ + static_cast<int64_t>(i)).Store(place);
    next += blocks;
  }
  const auto count = static_cast<int64_t>(slots.size());
  const int64_t accepted = user::io_submit(ctx_, count, pointers_);
  if (accepted < 0 && accepted != -EAGAIN) Wrong(absl::StrCat("io_submit: ", accepted));
  for (int64_t i = 0; i < accepted; ++i) Begin(&requests_[slots[static_cast<size_t>(i)]]);
  submitted_ += std::max<int64_t>(accepted, 0);
  tally_->accepted += static_cast<uint64_t>(std::max<int64_t>(accepted, 0));
}

void DiskUser::Finish(Request* request, uint64_t buffer) {
  for (uint64_t i = 0; i < request->blocks; ++i) {
    Block& block = BlockOf(*request, i);
    const bool untouched = request->alone && block.epoch == request->epochs[i];
    if (request->write) {
      --block.writers;
      if (untouched) {
        block.known = true;
        block.value = request->value;
      }
    } else if (untouched && block.known) {
      ++tally_->compared;
      const auto first = user::Load<uint64_t>(buffer + i * kBlockBytes);
      const auto last = user::Load<uint64_t>(buffer + (i + 1) * kBlockBytes - 8);
      if (first == block.value && last == block.value) continue;
      Wrong(absl::StrCat("block ", request->first + i, " of disk ", request->disk, " has ", first,
                         " and ", last, ", not ", block.value));
    }
  }
}

void DiskUser::End(const user::io_event& event) {
  if (event.data >= kSlots || !requests_[event.data].busy) {
    return Wrong(absl::StrCat("an event of nothing in flight, data=", event.data));
  }
  Request& request = requests_[event.data];
  request.busy = false;
  --in_flight_;
  ++tally_->completed;
  const auto result = static_cast<int64_t>(event.res);
  if (result != request.expected) {
    Wrong(absl::StrCat(request.write ? "a write" : "a read", " of ", request.blocks,
                       " blocks from ", request.first, " of disk ", request.disk, ": ", result,
                       ", not ", request.expected));
  }
  tally_->io_errors += result == -EIO;
  tally_->invalid += result == -EINVAL;
  if (request.expected > 0) Finish(&request, BufferOf(static_cast<int>(event.data)));
}

void DiskUser::Reap() {
  const auto min = static_cast<int64_t>(Below(static_cast<uint64_t>(in_flight_) + 1));
  user::Pointer<user::timespec> timeout;
  if (OneIn(3)) {
    timeout = timeout_;
    timeout_.Store({0, static_cast<int64_t>(Below(100'000))});
  }
  const int64_t count = user::io_getevents(ctx_, min, kSlots, events_, timeout);
  if (count == -EINTR) {
    ++tally_->interrupted;
  } else if (count < (timeout.address() == 0 ? std::min<int64_t>(min, 1) : 0)) {
    Wrong(absl::StrCat("io_getevents: ", count));
  }
  for (int64_t i = 0; i < count; ++i) End((events_ + i).Load());
}

void DiskUser::Run(const std::array<std::string, 2>& disks) {
  SetUp(disks);
  while (tally_->wrong.empty() && (submitted_ < quota_ || in_flight_ > 0)) {
    if (submitted_ < quota_ && in_flight_ < kSlots) SubmitSome();
    Reap();
  }
  if (user::io_destroy(ctx_) != 0) Wrong("io_destroy");
  for (const int fd : fds_) user::close(fd);
}

}  // namespace kpath
