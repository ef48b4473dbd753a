// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/interpreter.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "fs_aio/aio_abi.h"
#include "syscall_table/numbers_64.h"
#include "tools/diff_host/layout.h"
#include "tools/diff_host/surroundings.h"

namespace kpath::diff_host {
namespace {

// Of a ring.
constexpr uint64_t kPagesLookedAt = 3;

struct Ring {
  uint64_t address = 0;
  uint64_t pages = 0;
  uint64_t mapped = 0;        // how many pages are where they were, from the first
  std::vector<uint8_t> seen;  // its first pages as they were when they were last looked at
  bool alive = false;         // its context has not been destroyed
  bool readable = false;
  bool writable = false;
};

class Interpreter {
 public:
  Interpreter(Executor& executor, Trace* trace, bool settles)
      : executor_(executor), trace_(trace), settles_(settles) {}

  void Run(const Program& program);

 private:
  int64_t Call(uint64_t number, const user::SyscallArguments& arguments) {
    const int64_t result = executor_.Syscall(number, arguments);
    trace_->Add(What::kResult, 0, static_cast<uint64_t>(result));
    return result;
  }
  template <typename T>
  T Load(uint64_t address) {
    T value;
    executor_.Read(address, &value, sizeof(value));
    return value;
  }
  // As much of it as there is memory of the arena.
  void Put(uint64_t address, const void* bytes, uint64_t size);
  uint64_t ValueOf(const Handle& handle) {
    return (handle.slot < 0 ? 0 : Load<uint64_t>(HandleAddress(handle.slot))) + handle.offset;
  }
  // The ring whose handle this is; nullptr: none. With an offset: that of the slot alone.
  Ring* RingOf(const Handle& handle);

  void Do(const Op& op);
  void Setup(const Op& op);
  void Destroy(const Op& op);
  void Submit(const Op& op);
  void Getevents(const Op& op);
  void Store(const Op& op);
  void Consume(const Op& op);
  void Read(const Op& op);
  void ProtectRing(const Op& op);
  void UnmapRing(const Op& op);
  void MoveRing(const Op& op);

  // Keeps a place where a ring was from being given to another one.
  void Bury(uint64_t address, uint64_t pages);
  void BeginSettling();
  // Waits until the workers have done all that was given to them.
  void Settle();
  // Waits until files that a worker has let go are gone: a tick later.
  void WaitForReleases();
  void NoteRings();
  void NoteNewEvents(size_t index);
  void NoteRemainsOfRing(size_t index);
  void NoteHandles();

  Executor& executor_;
  Trace* const trace_;
  const bool settles_;
  bool closed_ = false;  // a descriptor
  std::vector<Ring> rings_;
};

void Interpreter::Put(uint64_t address, const void* bytes, uint64_t size) {
  if (!InArena(address, 0)) return;
  executor_.Write(address, bytes, std::min(size, kHole - address));
}

Ring* Interpreter::RingOf(const Handle& handle) {
  const uint64_t address = ValueOf(Context(handle.slot));
  if (handle.slot < 0 || address == 0) return nullptr;
  for (Ring& ring : rings_) {
    if (ring.alive && ring.address == address) return &ring;
  }
  return nullptr;
}

// ---- Calls ----

void Interpreter::Setup(const Op& op) {
  const int64_t result = Call(NR_io_setup, {op.args[0], op.args[1]});
  if (result != 0 || !InArena(op.args[1], sizeof(uint64_t))) return;
  const uint64_t address = Load<uint64_t>(op.args[1]);
  trace_->Add(What::kHandle, static_cast<uint32_t>(rings_.size()), address);
  const uint64_t pages = (uint64_t{Load<uint32_t>(address + 4)} + 1) / 128;
  rings_.push_back({address, pages, pages, {}, true, true, true});
}

void Interpreter::Destroy(const Op& op) {
  Ring* ring = op.context.offset == 0 ? RingOf(op.context) : nullptr;
  if (Call(NR_io_destroy, {ValueOf(op.context)}) != 0 || ring == nullptr) return;
  ring->alive = false;
  Bury(ring->address, ring->pages);
}

void Interpreter::Submit(const Op& op) {
  std::vector<uint64_t> list;
  for (const Entry& entry : op.entries) {
    list.push_back(entry.address);
    if (!entry.store) continue;
    Put(entry.address, &entry.iocb, sizeof(entry.iocb));
    Put(entry.iocb.aio_buf, entry.vectors.data(), entry.vectors.size() * sizeof(Vector));
  }
  list.push_back(0);  // not what an earlier list left there
  Put(op.args[1], list.data(), list.size() * sizeof(uint64_t));
  Call(NR_io_submit, {ValueOf(op.context), op.args[0], op.args[1]});
  for (size_t i = 0; i < op.entries.size(); ++i) {
    const uint64_t key = op.entries[i].address + offsetof(iocb, aio_key);
    if (!InArena(key, sizeof(uint32_t))) continue;
    trace_->Add(What::kKey, static_cast<uint32_t>(i), Load<uint32_t>(key));
  }
}

void Interpreter::Getevents(const Op& op) {
  const uint64_t timespec[] = {op.args[4], op.args[5]};
  Put(kTimespec, timespec, sizeof(timespec));
  user::SyscallArguments arguments = {ValueOf(op.context), op.args[0], op.args[1],
                                      op.args[2],          op.args[3], 0};
  if (op.kind == OpKind::kPgetevents) {
    const uint64_t sigset[] = {op.args[7], op.args[8]};
    const uint64_t mask = 0;
    Put(kSigset, sigset, sizeof(sigset));
    Put(kMask, &mask, sizeof(mask));
    arguments[5] = op.args[6];
  }
  const int64_t got =
      Call(op.kind == OpKind::kPgetevents ? NR_io_pgetevents : NR_io_getevents, arguments);
  if (got <= 0 || !InArena(op.args[2], static_cast<uint64_t>(got) * sizeof(io_event))) return;
  for (uint32_t i = 0; i < got; ++i) {
    const auto event = Load<io_event>(op.args[2] + i * sizeof(io_event));
    trace_->Add(What::kEventData, i, event.data);
    trace_->Add(What::kEventObj, i, event.obj);
    trace_->Add(What::kEventRes, i, static_cast<uint64_t>(event.res));
    trace_->Add(What::kEventRes2, i, static_cast<uint64_t>(event.res2));
  }
}

void Interpreter::Store(const Op& op) {
  const auto value = static_cast<uint32_t>(op.args[0]);
  if (op.context.slot >= 0) {
    const Ring* ring = RingOf(op.context);
    if (ring == nullptr || !ring->writable) return;
  }
  const uint64_t address = ValueOf(op.context);
  if (op.context.slot < 0 && !InArena(address, sizeof(value))) return;
  executor_.Write(address, &value, sizeof(value));
}

void Interpreter::Consume(const Op& op) {
  Ring* ring = RingOf(op.context);
  if (ring == nullptr || !ring->readable || !ring->writable) return;
  const uint64_t size = ring->pages * 128 - 1;
  const uint64_t head = Load<uint32_t>(ring->address + offsetof(aio_ring, head)) % size;
  const uint64_t tail = Load<uint32_t>(ring->address + offsetof(aio_ring, tail)) % size;
  const uint64_t available = (tail + size - head) % size;
  const uint64_t taken = std::min<uint64_t>(available, op.args[0]);
  const auto moved = static_cast<uint32_t>((head + taken) % size);
  executor_.Write(ring->address + offsetof(aio_ring, head), &moved, sizeof(moved));
  trace_->Add(What::kResult, 0, taken);
}

void Interpreter::Read(const Op& op) {
  Call(NR_read, {op.args[0], op.args[1], op.args[2]});
  if (!InArena(op.args[1], 0)) return;
  std::vector<uint8_t> bytes(std::min(op.args[2], kHole - op.args[1]));
  executor_.Read(op.args[1], bytes.data(), bytes.size());
  trace_->Add(What::kReadDigest, 0, Digest(bytes));
}

// ---- The ring as memory ----

void Interpreter::ProtectRing(const Op& op) {
  Ring* ring = RingOf(op.context);
  if (ring == nullptr) return;
  if (Call(NR_mprotect, {ring->address, ring->pages * kPage, op.args[0]}) != 0) return;
  ring->readable = (op.args[0] & PROT_READ) != 0;
  ring->writable = ring->readable && (op.args[0] & PROT_WRITE) != 0;
}

void Interpreter::UnmapRing(const Op& op) {
  Ring* ring = RingOf(op.context);
  if (ring == nullptr || op.args[0] + op.args[1] > ring->pages || op.args[1] == 0) return;
  const uint64_t begin = ring->address + op.args[0] * kPage;
  if (Call(NR_munmap, {begin, op.args[1] * kPage}) != 0) return;
  ring->mapped = std::min(ring->mapped, op.args[0]);
  if (ring->mapped == 0) ring->readable = ring->writable = false;
  Bury(begin, op.args[1]);
}

void Interpreter::MoveRing(const Op& op) {
  Ring* ring = RingOf(op.context);
  if (ring == nullptr || !ring->readable || ring->mapped < ring->pages) return;
  const uint64_t old_size = ring->pages * kPage, old_address = ring->address;
  const uint64_t place = RingPlace(static_cast<int>(op.args[0] % kSlots));
  const bool taken = std::any_of(rings_.begin(), rings_.end(),
                                 [place](const Ring& other) { return other.address == place; });
  if (taken) return;
  const int64_t result = executor_.Syscall(
      NR_mremap, {old_address, old_size, old_size + op.args[2] * kPage, op.args[1], place});
  const bool stayed = result == static_cast<int64_t>(old_address);
  trace_->Add(What::kResult, 0, stayed ? 0 : static_cast<uint64_t>(result));
  if (result < 0) return;
  ring->address = static_cast<uint64_t>(result);
  executor_.Write(HandleAddress(op.context.slot), &ring->address, sizeof(ring->address));
  if (ring->address != old_address) Bury(old_address, ring->pages);
}

void Interpreter::Bury(uint64_t address, uint64_t pages) {
  const int64_t result = executor_.Syscall(
      NR_mmap, {address, pages * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                static_cast<uint64_t>(-1), 0});
  if (result < 0) trace_->failed = static_cast<uint32_t>(-result);
}

// ---- Between the calls ----

constexpr uint64_t kSettleHandle = kScratch + 0x100;
constexpr uint64_t kSettleList = kScratch + 0x140;
constexpr uint64_t kSettleIocb = kScratch + 0x180;
constexpr uint64_t kSettleEvent = kScratch + 0x200;
constexpr uint64_t kSettleTime = kScratch + 0x240;

void Interpreter::BeginSettling() {
  const uint64_t zero = 0, list = kSettleIocb;
  const user::iocb cb = {.aio_lio_opcode = user::IOCB_CMD_FSYNC, .aio_fildes = kFileWitness};
  executor_.Write(kSettleHandle, &zero, sizeof(zero));
  executor_.Write(kSettleList, &list, sizeof(list));
  executor_.Write(kSettleIocb, &cb, sizeof(cb));
  const int64_t result = executor_.Syscall(NR_io_setup, {1, kSettleHandle});
  if (result < 0) trace_->failed = static_cast<uint32_t>(-result);
}

// A worker does what it is given in the order in which it is given it, so when it has done a
// request of ours, the last one, it has done those of the program, too.
void Interpreter::Settle() {
  const auto handle = Load<uint64_t>(kSettleHandle);
  int64_t result = executor_.Syscall(NR_io_submit, {handle, 1, kSettleList});
  if (result == 1) result = executor_.Syscall(NR_io_getevents, {handle, 1, 1, kSettleEvent, 0});
  if (result < 0) trace_->failed = static_cast<uint32_t>(-result);
}

void Interpreter::WaitForReleases() {
  constexpr uint64_t kTwoTicksOfHz100 = 25'000'000;
  const uint64_t time[] = {0, kTwoTicksOfHz100};
  executor_.Write(kSettleTime, &time, sizeof(time));
  executor_.Syscall(NR_nanosleep, {kSettleTime, 0});
}

void Interpreter::NoteRings() {
  for (size_t i = 0; i < rings_.size(); ++i) {
    Ring& ring = rings_[i];
    if (!ring.alive || !ring.readable) continue;
    const auto header = Load<aio_ring>(ring.address);
    trace_->Add(What::kHead, static_cast<uint32_t>(i), header.head);
    trace_->Add(What::kTail, static_cast<uint32_t>(i), header.tail);
    NoteNewEvents(i);
  }
}

// Whatever the tail says, which user mode may have written: the slots that have changed.
void Interpreter::NoteNewEvents(size_t index) {
  Ring& ring = rings_[index];
  std::vector<uint8_t> bytes(std::min(ring.mapped, kPagesLookedAt) * kPage);
  executor_.Read(ring.address, bytes.data(), bytes.size());
  ring.seen.resize(bytes.size());
  for (size_t at = sizeof(aio_ring); at < bytes.size(); at += sizeof(io_event)) {
    if (std::memcmp(bytes.data() + at, ring.seen.data() + at, sizeof(io_event)) == 0) continue;
    io_event event;
    std::memcpy(&event, bytes.data() + at, sizeof(event));
    const auto slot = static_cast<uint32_t>(at / sizeof(io_event) - 1);
    trace_->Add(What::kNewObj, slot, event.obj, static_cast<uint16_t>(index));
    trace_->Add(What::kNewRes, slot, static_cast<uint64_t>(event.res),
                static_cast<uint16_t>(index));
  }
  ring.seen = std::move(bytes);
}

void Interpreter::NoteRemainsOfRing(size_t index) {
  const Ring& ring = rings_[index];
  if (!ring.alive || !ring.readable) return;
  std::array<uint8_t, kPage> bytes;
  uint32_t slot = 0;
  for (uint64_t page = 0; page < std::min(ring.mapped, kPagesLookedAt); ++page) {
    executor_.Read(ring.address + page * kPage, bytes.data(), kPage);
    const auto* words = reinterpret_cast<const uint32_t*>(bytes.data());
    for (uint32_t word = 0; page == 0 && word < 8; ++word) {
      trace_->Add(What::kRingHeader, static_cast<uint32_t>(index) * 16 + word, words[word]);
    }
    for (size_t at = page == 0 ? 32 : 0; at < kPage; at += sizeof(io_event)) {
      trace_->Add(What::kRingEvent, slot++,
                  Digest(absl::MakeSpan(bytes.data() + at, sizeof(io_event))),
                  static_cast<uint16_t>(index));
    }
  }
}

void Interpreter::NoteHandles() {
  for (int slot = 0; slot < kSlots; ++slot) {
    uint64_t value = Load<uint64_t>(HandleAddress(slot));
    for (size_t i = 0; i < rings_.size(); ++i) {
      if (rings_[i].address == value) value = i + 1;
    }
    trace_->Add(What::kHandleOf, static_cast<uint32_t>(slot), value);
  }
}

void Interpreter::Do(const Op& op) {
  const auto& args = op.args;
  switch (op.kind) {
    case OpKind::kSetup:
      return Setup(op);
    case OpKind::kDestroy:
      return Destroy(op);
    case OpKind::kSubmit:
      return Submit(op);
    case OpKind::kGetevents:
    case OpKind::kPgetevents:
      return Getevents(op);
    case OpKind::kCancel:
      Call(NR_io_cancel, {ValueOf(op.context), args[0], args[1]});
      return;
    case OpKind::kStore:
      return Store(op);
    case OpKind::kConsume:
      return Consume(op);
    case OpKind::kClose:
      Call(NR_close, {args[0]});
      return;
    case OpKind::kRead:
      return Read(op);
    case OpKind::kWrite:
      Call(NR_write, {args[0], args[1], args[2]});
      return;
    case OpKind::kTruncate:
      Call(NR_ftruncate, {args[0], args[1]});
      return;
    case OpKind::kProtect:
      Call(NR_mprotect, {kArena + args[0] * kPage, kPage, args[1]});
      return;
    case OpKind::kProtectRing:
      return ProtectRing(op);
    case OpKind::kUnmapRing:
      return UnmapRing(op);
    case OpKind::kMoveRing:
      return MoveRing(op);
  }
}

void Interpreter::Run(const Program& program) {
  trace_->failed = static_cast<uint32_t>(MakeSurroundings(executor_));
  if (trace_->failed == 0 && settles_) BeginSettling();
  for (const Op& op : program.ops) {
    if (trace_->failed != 0) return;
    op.in_child ? executor_.InChild([&] { Do(op); }) : Do(op);
    if (settles_) Settle();
    // A request in flight may have been the last to hold a file.
    closed_ = closed_ || op.kind == OpKind::kClose;
    if (settles_ && closed_) WaitForReleases();
    NoteRings();
    if (op.kind == OpKind::kSubmit || op.kind == OpKind::kTruncate) {
      NoteFileSizes(executor_, trace_);
    }
    ++trace_->op;
  }
  for (size_t i = 0; i < rings_.size(); ++i) NoteRemainsOfRing(i);
  NoteHandles();
  NoteRemains(executor_, trace_);
  if (trace_->failed == 0) trace_->finished = 1;
}

}  // namespace

void Interpret(const Program& program, Executor& executor, Trace* trace) {
  Interpreter(executor, trace, HasLateCompletions(program)).Run(program);
}

}  // namespace kpath::diff_host
