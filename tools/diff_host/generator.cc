// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/generator.h"

#include <sys/mman.h>

#include <algorithm>
#include <climits>
#include <map>

#include "tools/diff_host/generator_values.h"
#include "tools/diff_host/layout.h"

namespace kpath::diff_host {
namespace {

class Generator {
 public:
  explicit Generator(Decisions& decide) : decide_(decide) {}

  Program Make() {
    Program program;
    const uint64_t count = 2 + decide_.Below(13);
    for (uint64_t i = 0; i < count; ++i) {
      program.ops.push_back(contexts_ == 0 && !decide_.OneIn(20) ? Setup() : Any());
    }
    return program;
  }

 private:
  Handle AnyHandle();
  Op Any();
  Op AnyOfOneProcess();
  Op Setup();
  Op Destroy() { return {.kind = OpKind::kDestroy, .context = AnyHandle()}; }
  Op Submit();
  void Resubmit(Entry* entry);
  Op Flood();
  Op Getevents(OpKind kind);
  void SetTimeout(Op* op);
  Op Cancel();
  Op Store();
  Op Consume();
  Op Close();
  Op Read();
  Op Write();
  Op Truncate();
  Op RingMemory();
  uint64_t IocbOrBad();

  Decisions& decide_;
  int contexts_ = 0;  // slots that a context was probably made in: 0 … contexts_ - 1
  int iocbs_ = 0;
  std::map<uint64_t, user::iocb> stored_;  // by address
};

Handle Generator::AnyHandle() {
  if (contexts_ > 0 && !decide_.OneIn(14)) {
    return Context(static_cast<int>(decide_.Below(static_cast<uint64_t>(contexts_))));
  }
  if (contexts_ > 0 && decide_.OneIn(2)) {
    return Context(0, decide_.OneOf<uint64_t>({1, 4, 8, 32, 2048, ~uint64_t{7}}));
  }
  if (decide_.OneIn(3)) return Context(kSlots - 1);
  return {-1, decide_.OneIn(2) ? BadAddress(decide_) : kBuffers};
}

Op Generator::Setup() {
  Op op = {.kind = OpKind::kSetup};
  op.args[0] = decide_.OneOf<uint64_t>({1, 1, 2, 8, 8, 63, 64, 100, 128, 200, 0x100000008});
  if (decide_.OneIn(12)) {
    op.args[0] = decide_.OneOf<uint64_t>({0, 65537, 100000, 4194304, 4194305, INT_MAX, 1ull << 31,
                                          (1ull << 31) + 1, (1ull << 31) + 5000000, UINT_MAX, 500,
                                          1000, 5000});
  }
  // A slot that is taken is refused: it holds a handle that is not 0.
  const bool next = contexts_ < kSlots - 1 && !decide_.OneIn(15);
  const int slot = next ? contexts_ : static_cast<int>(decide_.Below(kSlots - 1));
  op.args[1] = decide_.OneIn(20) ? BadAddress(decide_) : HandleAddress(slot);
  if (next) ++contexts_;
  return op;
}

Op Generator::Submit() {
  if (decide_.OneIn(12)) return Flood();
  Op op = {.kind = OpKind::kSubmit, .context = AnyHandle()};
  const uint64_t count = decide_.OneOf<uint64_t>({1, 1, 1, 2, 2, 3, 4, 6});
  for (uint64_t i = 0; i < count; ++i) {
    op.entries.push_back(RandomEntry(decide_, iocbs_++));
    Entry& entry = op.entries.back();
    // As long as no place for iocbs is used a second time.
    if (iocbs_ < kIocbSlots - 6 && decide_.OneIn(15)) Resubmit(&entry);
    if (decide_.OneIn(30)) {
      entry.address = decide_.OneIn(4)   ? kReadOnlyIocb
                      : decide_.OneIn(3) ? kHole - 32
                                         : BadAddress(decide_);
    }
    if (entry.store) stored_[entry.address] = entry.iocb;
  }
  // When a worker completes is open: before it nothing may come that completes at once.
  std::stable_partition(op.entries.begin(), op.entries.end(),
                        [](const Entry& entry) { return !CompletesLater(entry.iocb); });
  op.args[0] = count;
  op.args[1] = kList;
  if (decide_.OneIn(20)) {
    op.args[0] = decide_.OneOf<uint64_t>(
        {0, count - 1, count + 1, 1ull << 32, ~0ull, 1ull << 63, (1ull << 63) - 1});
  }
  if (decide_.OneIn(25)) {
    op.args[1] = decide_.OneIn(2) ? kHole - 8 * decide_.Below(3) : BadAddress(decide_);
  }
  return op;
}

// An iocb of earlier, as it lies there: the same one may stand twice in a list.
void Generator::Resubmit(Entry* entry) {
  const uint64_t address = IocbAddress(static_cast<int>(decide_.Below(kIocbSlots)));
  const auto found = stored_.find(address);
  if (found == stored_.end()) return;
  *entry = {.address = address, .store = false, .iocb = found->second};
}

// So many requests that the ring has no room for all.
Op Generator::Flood() {
  Op op = {.kind = OpKind::kSubmit, .context = AnyHandle()};
  Entry entry = {.address = IocbAddress(iocbs_++ % kIocbSlots)};
  entry.iocb = user::PreadIocb(kFile, kBuffers, 16, 0);
  entry.iocb.aio_data = decide_.Below(1000);
  stored_[entry.address] = entry.iocb;
  const uint64_t count = decide_.OneOf<uint64_t>({20, 60, 64, 100, 124, 126, 127, 128, 200});
  op.entries.assign(count, entry);
  op.args = {count, kList};
  return op;
}

void Generator::SetTimeout(Op* op) {
  op->args[3] = kTimespec;
  if (decide_.OneIn(10)) op->args[5] = decide_.OneOf<uint64_t>({1, 1000, 100000});
  if (decide_.OneIn(60)) op->args[3] = 0;
  if (decide_.OneIn(25)) op->args[3] = decide_.OneOf({kHole, kHole - 8, kNoAccess, ~uint64_t{0}});
  if (decide_.OneIn(80)) {
    op->args[4] = decide_.OneOf<uint64_t>({0, ~uint64_t{0}, INT64_MAX, uint64_t{1} << 63});
    op->args[5] = decide_.OneIn(2) ? 0 : ~uint64_t{0};
  }
}

Op Generator::Getevents(OpKind kind) {
  Op op = {.kind = kind, .context = AnyHandle()};
  const uint64_t nr = decide_.OneOf<uint64_t>({1, 2, 4, 8, 16, 64, 128, 200});
  op.args[0] = decide_.OneOf<uint64_t>({0, 0, 1, 1, 2, nr});
  op.args[1] = nr;
  op.args[2] = kEvents;
  if (decide_.OneIn(20)) {
    op.args[0] = decide_.OneOf<uint64_t>({~uint64_t{0}, 1ull << 63, INT64_MAX, nr + 1});
  }
  if (decide_.OneIn(20)) {
    op.args[1] = decide_.OneOf<uint64_t>({0, ~uint64_t{0}, 1ull << 63, INT64_MAX, 1ull << 32});
  }
  if (decide_.OneIn(20)) {
    op.args[2] = decide_.OneIn(2) ? kHole - decide_.OneOf({32, 40, 64, 100}) : BadAddress(decide_);
  }
  SetTimeout(&op);
  if (kind == OpKind::kPgetevents) {
    op.args[6] = decide_.OneOf<uint64_t>({0, kSigset, kSigset, kSigset, kHole, kHole - 8});
    op.args[7] = decide_.OneOf<uint64_t>({0, kMask, kMask, kMask, kHole, ~uint64_t{0}});
    op.args[8] = decide_.OneOf<uint64_t>({8, 8, 8, 8, 0, 4, 16});
  }
  return op;
}

uint64_t Generator::IocbOrBad() {
  if (decide_.OneIn(10)) return BadAddress(decide_);
  const int most = std::clamp(iocbs_, 1, kIocbSlots);
  return IocbAddress(static_cast<int>(decide_.Below(static_cast<uint64_t>(most))));
}

Op Generator::Cancel() {
  Op op = {.kind = OpKind::kCancel, .context = AnyHandle()};
  op.args[0] = IocbOrBad();
  op.args[1] = decide_.OneIn(8) ? BadAddress(decide_) : kCancelled;
  return op;
}

// What user mode may write to the ring, or to an iocb that is in flight.
Op Generator::Store() {
  Op op = {.kind = OpKind::kStore, .context = AnyHandle()};
  if (op.context.slot < 0 || decide_.OneIn(4)) {
    op.context = {-1, IocbOrBad() + decide_.OneOf({8, 8, 0})};  // aio_key, mostly
  } else {
    op.context.offset = decide_.OneOf<uint64_t>({8, 8, 8, 12, 12, 12, 0, 4, 16, 28, 32, 48});
  }
  op.args[0] = decide_.OneOf<uint64_t>({0, 0, 1, 2, 5, 62, 126, 127, 128, 300, 0x80000000, ~0u});
  return op;
}

Op Generator::Consume() {
  Op op = {.kind = OpKind::kConsume, .context = AnyHandle()};
  op.context.offset = 0;
  op.args[0] = decide_.OneOf<uint64_t>({1, 2, 3, 10, 1000});
  return op;
}

Op Generator::Close() {
  const int fd = decide_.OneIn(3) ? static_cast<int>(decide_.Below(kDescriptors))
                                  : decide_.OneOf<int>({kPipeRead, kPipeWrite, kEventfd, kFile});
  return {.kind = OpKind::kClose, .args = {static_cast<uint64_t>(fd)}};
}

Op Generator::Read() {
  const int fd = decide_.OneOf<int>({kPipeRead, kEventfd, kEventfd2, kFile});
  const auto size = decide_.OneOf<uint64_t>({8, 8, 1, 100, 4096});
  return {.kind = OpKind::kRead,
          .args = {static_cast<uint64_t>(fd), BufferAddress(decide_, size), size}};
}

Op Generator::Write() {
  const int fd = decide_.OneOf<int>({kPipeWrite, kPipeWrite, kPipe2Write, kEventfd, kEventfd2});
  auto size = decide_.OneOf<uint64_t>({8, 8, 1, 100, 4096});
  // Newer kernels refuse more.
  if ((fd == kEventfd || fd == kEventfd2) && !decide_.OneIn(10)) size = std::min<uint64_t>(size, 8);
  // At kSigset + 8 there is a small number, mostly; elsewhere an eventfd is given huge ones.
  const uint64_t from = decide_.OneIn(4) ? kSigset + 8 : BufferAddress(decide_, size);
  return {.kind = OpKind::kWrite, .args = {static_cast<uint64_t>(fd), from, size}};
}

Op Generator::Truncate() {
  Op op = {.kind = OpKind::kTruncate};
  op.args[0] = static_cast<uint64_t>(FileDescriptor(decide_));
  op.args[1] =
      decide_.OneOf<uint64_t>({0, 1, 100, 4096, 5000, 1 << 20, uint64_t{1} << 62, ~uint64_t{0}});
  return op;
}

Op Generator::RingMemory() {
  Op op = {.kind = OpKind::kProtect};
  switch (decide_.Below(4)) {
    case 0:
      op.args = {decide_.OneOf<uint64_t>({2, 4, 5, 6, 7}), PROT_READ};
      return op;
    case 1:
      op = {.kind = OpKind::kProtectRing, .context = AnyHandle()};
      op.args[0] = decide_.OneOf({PROT_READ, PROT_READ | PROT_WRITE, PROT_NONE});
      break;
    case 2:
      op = {.kind = OpKind::kUnmapRing, .context = AnyHandle()};
      op.args = {decide_.OneOf<uint64_t>({0, 0, 1}), decide_.OneOf<uint64_t>({1, 1, 2})};
      break;
    default:
      op = {.kind = OpKind::kMoveRing, .context = AnyHandle()};
      op.args[0] = decide_.Below(kSlots);
      op.args[1] = decide_.OneOf<uint64_t>({MREMAP_MAYMOVE | MREMAP_FIXED, MREMAP_MAYMOVE, 0});
      op.args[2] = decide_.OneOf<uint64_t>({0, 0, 0, 1});
  }
  op.context.offset = 0;
  return op;
}

Op Generator::Any() {
  const std::map<uint64_t, user::iocb> stored = stored_;
  Op op = AnyOfOneProcess();
  switch (op.kind) {
    case OpKind::kDestroy:
    case OpKind::kSubmit:
    case OpKind::kGetevents:
    case OpKind::kCancel:
    case OpKind::kStore:
    case OpKind::kConsume:
      op.in_child = decide_.OneIn(40);
      if (op.in_child) stored_ = stored;  // the child's memory is not its parent's
      return op;
    default:
      return op;
  }
}

Op Generator::AnyOfOneProcess() {
  const uint64_t at = decide_.Below(100);
  if (at < 40) return Submit();
  if (at < 60) return Getevents(OpKind::kGetevents);
  if (at < 63) return Getevents(OpKind::kPgetevents);
  if (at < 68) return Cancel();
  if (at < 73) return Setup();
  if (at < 77) return Destroy();
  if (at < 81) return Store();
  if (at < 85) return Consume();
  if (at < 88) return Close();
  if (at < 91) return Read();
  if (at < 95) return Write();
  if (at < 97) return Truncate();
  return RingMemory();
}

}  // namespace

Program Generate(Decisions& decide) { return Generator(decide).Make(); }

}  // namespace kpath::diff_host
