// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/world.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "entry/kernel_mode.h"
#include "sim/kernel/sched.h"
#include "sim/mm/mm.h"
#include "sim/mm/mman.h"
#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"
#include "tools/transcript/replay/ptrace_requests.h"
#include "tools/transcript/replay/staging.h"
#include "tools/transcript/syntax/constants.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Call;
using strace::ValueKind;

// What a file whose data come from outside can answer for itself.
constexpr absl::string_view kOutsideCanDo[] = {"close", "dup",   "dup2",  "dup3",
                                               "read",  "readv", "write", "writev"};

template <size_t N>
bool IsOneOf(absl::string_view name, const absl::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool IsTransfer(const iocb& iocb) {
  return iocb.aio_lio_opcode == IOCB_CMD_PREAD || iocb.aio_lio_opcode == IOCB_CMD_PREADV ||
         iocb.aio_lio_opcode == IOCB_CMD_PWRITE || iocb.aio_lio_opcode == IOCB_CMD_PWRITEV;
}

// The bytes that a call's buffers show, one behind the other.
std::string ShownBytes(const Call& call) {
  const strace::Value* buffer = PrintedArgument(call, 1);
  if (buffer == nullptr) return "";
  if (buffer->kind != ValueKind::kArray) return strace::Bytes(*buffer);
  std::string bytes;
  for (const strace::Value& segment : buffer->children) {
    const strace::Value* base = strace::FindField(segment, "iov_base");
    if (base != nullptr) absl::StrAppend(&bytes, strace::Bytes(*base));
  }
  return bytes;
}

}  // namespace

int64_t NumberOf(const strace::Value* value, int64_t otherwise) {
  if (value == nullptr) return otherwise;
  return static_cast<int64_t>(strace::Evaluate(*value).value_or(otherwise));
}

bool Succeeded(const Call& call) {
  return call.returned && call.result.known && call.result.error.empty();
}

int64_t ResultOf(const Call& call) { return static_cast<int64_t>(call.result.value.number); }

bool World::Prepare(const PlanStep& step) {
  const Call& call = *step.call;
  if (call.name == "brk") PrepareBreak(call);
  if (call.name == "ptrace" && Succeeded(call) && !TraceeHasMemory(call)) return false;
  if (!PreparePaths(call) || !PrepareDescriptors(step) || !PreparePolled(step)) return false;
  if (call.name == "io_submit") PrepareIocbs(step);
  if (Succeeded(call)) PrepareResult(step);
  PrepareTransfer(call);
  return true;
}

bool World::PrepareDescriptors(const PlanStep& step) {
  const Call& call = *step.call;
  const Signature* signature = FindSignature(call.name);
  if (signature == nullptr) return true;
  for (int i = 0; i < Signature::kMaxParameters; ++i) {
    if (signature->parameters[i].kind != ParameterKind::kFd) continue;
    const int fd = static_cast<int>(NumberOf(PrintedArgument(call, i), -1));
    if (fd < 0) continue;
    if (!FailedWith(call, "EBADF")) AssumeDescriptor(step, fd);
    const OpenFile file = FileBehind(fd);
    if (file.kind == FileKind::kOutside && !IsOneOf(call.name, kOutsideCanDo)) {
      const bool duplicates = call.name == "fcntl" && MakesDescriptor(call);
      if (!duplicates) return false;
    }
    if (FailedWith(call, "EAGAIN") && (file.flags & O_NONBLOCK) == 0) SetNonblocking(fd);
    if (IsTooEarly(call, file)) return false;
    if (file.kind != FileKind::kRegular) continue;
    PrepareRead(call, file);
    PrepareSize(call, file);
  }
  return true;
}

// It came before the signal, or the timer's expiry, that the model's would find.
bool World::IsTooEarly(const Call& call, const OpenFile& file) const {
  if (call.name != "read" || !FailedWith(call, "EAGAIN")) return false;
  if (file.kind == FileKind::kTimerfd) return ReadyEvents(file.fd, POLLIN) != 0;
  return racing_eventfds_.count(file.fd) != 0 && EventfdCount(file.fd) != 0;
}

// What a file from outside answers, should the call reach one.
void World::PrepareTransfer(const Call& call) {
  if (call.name == "read" && PrepareSysctl(call)) return;
  int64_t result = call.returned && call.result.known ? ResultOf(call) : INT64_MAX;
  if (!call.result.error.empty()) result = -strace::ErrorNumber(call.result.error).value_or(EIO);
  source_->SetNext(result, ShownBytes(call), CompactsMemory(call));
}

// ---- Sizes ----

// `is_end`: the transcript shows that the file ends there, and not only that it goes so far.
void World::Resize(const OpenFile& file, int64_t size, bool is_end) {
  const auto assumed = assumed_.find(file.inode);
  if (assumed == assumed_.end()) return;
  if (size < assumed->second || (!is_end && size <= file.size)) return;
  ResizeFile(file.fd, size);
  if (is_end) assumed_.erase(assumed);
}

// A read at `offset` brought `got` bytes: if fewer than asked for, the file ended there.
void World::PrepareBytes(const OpenFile& file, int64_t offset, int64_t asked, int64_t got) {
  if (got > 0 || offset == 0) Resize(file, offset + got, got < asked);
  // It ended somewhere before: where, is not known.
  if (got == 0 && asked > 0 && file.size > offset) Resize(file, offset, false);
}

void World::PrepareRead(const Call& call, const OpenFile& file) {
  const bool positioned = absl::StartsWith(call.name, "pread");
  if (!Succeeded(call) || !(positioned || absl::StartsWith(call.name, "read"))) return;
  int64_t asked = NumberOf(PrintedArgument(call, 2));
  if (absl::StrContains(call.name, "readv")) {
    asked = 0;
    for (const strace::Value& segment : PrintedArgument(call, 1)->children) {
      asked += NumberOf(strace::FindField(segment, "iov_len"));
    }
  }
  const int64_t offset = positioned ? NumberOf(PrintedArgument(call, 3)) : file.position;
  PrepareBytes(file, offset, asked, ResultOf(call));
}

void World::PrepareSize(const Call& call, const OpenFile& file) {
  if (!Succeeded(call)) return;
  if (call.name == "lseek" && NumberOf(PrintedArgument(call, 2)) == SEEK_END) {
    Resize(file, ResultOf(call) - NumberOf(PrintedArgument(call, 1)), true);
  } else if (call.name == "fstat" || call.name == "newfstatat") {
    const strace::Value* stat = PrintedArgument(call, call.name == "fstat" ? 1 : 2);
    const strace::Value* size = stat == nullptr ? nullptr : strace::FindField(*stat, "st_size");
    if (size != nullptr) Resize(file, NumberOf(size), true);
  }
}

// ---- AIO ----

void World::PrepareIocbs(const PlanStep& step) {
  const Call& call = *step.call;
  const strace::Value* iocbs = PrintedArgument(call, 2);
  if (!Succeeded(call) || iocbs == nullptr || iocbs->kind != ValueKind::kArray) return;
  const size_t taken = std::min<size_t>(ResultOf(call), iocbs->children.size());
  for (size_t i = 0; i < taken; ++i) PrepareIocb(step, i, iocbs->children[i]);
}

void World::PrepareIocb(const PlanStep& step, size_t index, const strace::Value& iocb) {
  if (iocb.kind != ValueKind::kStruct) return;
  for (const char* field : {"aio_fildes", "aio_resfd"}) {
    const strace::Value* fd = strace::FindField(iocb, field);
    if (fd != nullptr) AssumeDescriptor(step, static_cast<int>(NumberOf(fd, -1)));
  }
  // The file system of the recording can say whether it would have to wait.
  if ((NumberOf(strace::FindField(iocb, "aio_rw_flags")) & RWF_NOWAIT) != 0) {
    EnableNowait(static_cast<int>(NumberOf(strace::FindField(iocb, "aio_fildes"), -1)));
  }
  const auto outcome = outcomes_.find({step.call, index});
  const strace::Value* opcode = strace::FindField(iocb, "aio_lio_opcode");
  const bool reads = opcode != nullptr && absl::StartsWith(opcode->text, "IOCB_CMD_PREAD");
  if (!reads || outcome == outcomes_.end() || outcome->second.res < 0) return;
  const int fd = static_cast<int>(NumberOf(strace::FindField(iocb, "aio_fildes"), -1));
  const OpenFile file = FileBehind(fd);
  if (file.kind != FileKind::kRegular) return;
  int64_t asked = NumberOf(strace::FindField(iocb, "aio_nbytes"));
  const strace::Value* buffer = strace::FindField(iocb, "aio_buf");
  if (buffer != nullptr && buffer->kind == ValueKind::kArray) {
    asked = 0;
    for (const strace::Value& segment : buffer->children) {
      asked += NumberOf(strace::FindField(segment, "iov_len"));
    }
  }
  PrepareBytes(file, NumberOf(strace::FindField(iocb, "aio_offset")), asked, outcome->second.res);
}

bool World::IsCertain(const iocb& iocb) const {
  if (!IsTransfer(iocb) || (iocb.aio_rw_flags & RWF_NOWAIT) != 0) return false;
  const int fd = static_cast<int>(iocb.aio_fildes);
  const OpenFile file = FileBehind(fd);
  return file.kind == FileKind::kRegular && (file.flags & O_DIRECT) == 0 &&
         assumed_descriptors_.count(fd) == 0;
}

bool World::MustWait(const Call& call, const CallFrame& frame, bool requests_in_flight) const {
  if (call.name != "read" || !Succeeded(call)) return false;
  const auto fd = static_cast<int>(frame.arguments[0]);
  const OpenFile file = FileBehind(fd);
  const bool expires = file.kind == FileKind::kTimerfd && (file.flags & O_NONBLOCK) != 0;
  if (expires) return ReadyEvents(fd, POLLIN) == 0;
  if (file.kind != FileKind::kEventfd || !requests_in_flight) return false;
  const bool racing = racing_eventfds_.count(fd) != 0;
  return EventfdCount(fd) < (racing ? CountShown(frame) : 1);
}

// The count that the recording read from an eventfd; 1 if it does not show it.
uint64_t World::CountShown(const CallFrame& frame) {
  uint64_t count = 1;
  if (frame.segments.empty()) return count;
  const std::string bytes = strace::Bytes(*frame.segments[0].printed);
  if (bytes.size() == sizeof(count)) std::memcpy(&count, bytes.data(), sizeof(count));
  return count;
}

// A read of an eventfd that requests in flight signal may come before or after each of them: the
// model's may have found more than the recording's. What is too much stays for the next read.
void World::GiveBackCount(const CallFrame& frame) {
  const auto count = user::Load<uint64_t>(frame.segments[0].address);
  const uint64_t shown = CountShown(frame);
  if (count <= shown) return;
  const uint64_t address = user::StackBytes(sizeof(count));
  user::Store<uint64_t>(address, count - shown);
  user::Syscall(NR_write, frame.arguments[0], address, sizeof(count));
}

// ---- The program break ----

// The first call of a process tells where it was.
void World::PrepareBreak(const Call& call) {
  if (!Succeeded(call) || !breaks_.insert(current->pid).second) return;
  if (current->mm->brk != current->mm->start_brk) return;  // a copy of its parent's
  InKernelMode([&] { SetBrk(current->mm, static_cast<uint64_t>(ResultOf(call)) & PAGE_MASK); });
}

// ---- Descriptors ----

void World::OpenStandardStreams() {
  for (const int fd : {0, 1, 2}) {
    if (!FileBehind(fd).open) InstallOutside(fd, source_);
  }
}

void World::AssumeDescriptor(const PlanStep& step, int fd) {
  if (fd < 0 || FileBehind(fd).open) return;
  assumed_descriptors_.emplace(fd, step.call->begin.line);
  switch (descriptors_.KindFrom(step.pid, fd, step.begin)) {
    case DescriptorKind::kOutside:
      InstallOutside(fd, source_);
      return;
    case DescriptorKind::kEventfd:
      InstallEventfd(fd);
      return;
    case DescriptorKind::kFile:
      break;
  }
  const std::string path = absl::StrCat(kAssumedFiles, "/", ++nameless_);
  MakeParents(AT_FDCWD, path);
  MakeFile(AT_FDCWD, path, false);
  const uint64_t name = user::StackBytes(path.size() + 1);
  user::WriteString(name, path);
  const int64_t made = user::Syscall(NR_openat, AT_FDCWD, name, O_RDWR, 0);
  if (made < 0 || made == fd) return;
  user::Syscall(NR_dup2, made, fd);
  user::Syscall(NR_close, made);
}

// A descriptor is about to be made, and the kernel takes the lowest that is free. Those below it
// were taken, then: by calls that were not recorded, or from the start.
void World::PrepareResult(const PlanStep& step) {
  if (!MakesDescriptor(*step.call)) return;
  const absl::string_view name = step.call->name;
  if (name == "dup2" || name == "dup3" || name == "fcntl") return;
  std::vector<int64_t> made = {ResultOf(*step.call)};
  const strace::Value* pair =
      name == "pipe" || name == "pipe2" ? PrintedArgument(*step.call, 0) : nullptr;
  if (pair != nullptr) {
    if (pair->kind != ValueKind::kArray || pair->children.size() != 2) return;
    made = {NumberOf(&pair->children[0])};
    const int64_t other = NumberOf(&pair->children[1]);
    if (other != made[0] + 1) made.push_back(other);
  }
  for (const int64_t fd : made) {
    FillGap(step, fd);
    const bool left_open =
        !descriptors_.ClosesAreRecorded() && FileBehind(static_cast<int>(fd)).open;
    if (left_open) user::Syscall(NR_close, fd);
  }
}

void World::FillGap(const PlanStep& step, int64_t made) {
  constexpr int64_t kMost = 1024;
  const auto result = static_cast<int>(made);
  const bool result_is_used = descriptors_.IsUsedNext(step.pid, result, step.end);
  for (int fd = 0; fd < std::min(made, kMost); ++fd) {
    if (FileBehind(fd).open || descriptors_.IsMadeNext(step.pid, fd, step.begin)) continue;
    // What goes on under this number though the call is said to have given another one, is what
    // the call made: the result that was recorded cannot be right.
    if (!result_is_used && descriptors_.IsUsedNext(step.pid, fd, step.begin)) continue;
    AssumeDescriptor(step, fd);
  }
}

void World::AdoptDescriptors(const PlanStep& step) {
  const Call& call = *step.call;
  if (!Succeeded(call) || !MakesDescriptor(call)) return;
  if (call.name != "socketpair") {
    const auto fd = static_cast<int>(ResultOf(call));
    if (!FileBehind(fd).open) InstallOutside(fd, source_);
    AdoptSysctl(call, fd);
    return;
  }
  for (const strace::Value& value : call.args) {
    if (value.kind != ValueKind::kArray) continue;
    for (const strace::Value& fd : value.children) {
      const auto number = static_cast<int>(NumberOf(&fd, -1));
      if (number >= 0 && !FileBehind(number).open) InstallOutside(number, source_);
    }
  }
}

// splice, sendfile and their like: the bytes have moved, whatever they were.
void World::FollowTransfer(const Call& call) {
  const bool sends = call.name == "sendfile";
  if (!sends && call.name != "splice" && call.name != "tee") return;
  const auto from = static_cast<int>(NumberOf(PrintedArgument(call, sends ? 1 : 0), -1));
  const auto to = static_cast<int>(NumberOf(PrintedArgument(call, sends                ? 0
                                                                  : call.name == "tee" ? 1
                                                                                       : 2),
                                            -1));
  constexpr int64_t kMost = 1 << 20;
  const int64_t bytes = std::min(ResultOf(call), kMost);
  const uint64_t address = user::StackBytes(64);
  for (int64_t i = 0; i < bytes; ++i) {
    const bool taken = FileBehind(from).kind == FileKind::kPipe && call.name != "tee";
    if (taken) user::Syscall(NR_read, from, address, 1);
    if (FileBehind(to).kind == FileKind::kPipe) user::Syscall(NR_write, to, address, 1);
  }
  for (const int fd : {from, to}) {
    const OpenFile file = FileBehind(fd);
    if (file.kind == FileKind::kPipe) content_.ForgetForGood(file.inode);
  }
}

void World::Follow(const PlanStep& step) {
  const Call& call = *step.call;
  AdoptDescriptors(step);
  FollowPaths(call);
  NoteEpoll(call);
  if (!Succeeded(call)) return;
  FollowTransfer(call);
  const OpenFile first = FileBehind(static_cast<int>(NumberOf(PrintedArgument(call, 0), -1)));
  if (call.name == "fallocate" && first.kind == FileKind::kRegular) {
    const int64_t end = NumberOf(PrintedArgument(call, 2)) + NumberOf(PrintedArgument(call, 3));
    assumed_.erase(first.inode);
    const bool grows = NumberOf(PrintedArgument(call, 1)) == 0 && end > first.size;
    if (grows) user::Syscall(NR_ftruncate, NumberOf(PrintedArgument(call, 0)), end);
  } else if (call.name == "close_range") {
    const int64_t last = std::min<int64_t>(NumberOf(PrintedArgument(call, 1)), 1023);
    for (int64_t fd = NumberOf(PrintedArgument(call, 0)); fd <= last; ++fd) {
      if (FileBehind(static_cast<int>(fd)).open) user::Syscall(NR_close, fd);
    }
  } else if (call.name == "mmap") {
    AssumeMemory(static_cast<uint64_t>(ResultOf(call)),
                 static_cast<uint64_t>(NumberOf(PrintedArgument(call, 1))));
  } else if (first.kind == FileKind::kRegular) {
    content_.Forget(first.inode, 0, kEndOfFile);  // who knows
  }
}

// ---- Content ----

World::Place World::Moved(const CallFrame& frame, int64_t result) {
  const absl::string_view name = frame.call->name;
  const OpenFile file = FileBehind(static_cast<int>(frame.arguments[0]));
  const bool writes = absl::StrContains(name, "write");
  const auto bytes = static_cast<uint64_t>(std::max<int64_t>(result, 0));
  Place place = {file.inode, 0, true};
  switch (file.kind) {
    case FileKind::kRegular:
      place.offset = static_cast<uint64_t>(file.position) - bytes;
      if (name[0] == 'p') place.offset = frame.arguments[3];
      if (name[0] == 'p' && writes && (file.flags & O_APPEND) != 0) {
        place.offset = static_cast<uint64_t>(file.size) - bytes;
      }
      break;
    case FileKind::kPipe: {
      uint64_t& streamed = writes ? streamed_in_[file.inode] : streamed_out_[file.inode];
      place.offset = streamed;
      streamed += bytes;
      break;
    }
    case FileKind::kEventfd:
      place.judged = racing_eventfds_.count(file.fd) == 0;
      if (!place.judged && name == "read" && result == 8) GiveBackCount(frame);
      return place;
    default:
      place.judged = !writes && sysctls_.count(file.fd) != 0;
      place.inode = UINT64_MAX;  // of no file: all of it is certain
      return place;
  }
  if (writes) LearnSegments(frame.segments, place, bytes);
  return place;
}

// `bytes` bytes have been written to `place`: those that the transcript shows are certain.
void World::LearnSegments(const std::vector<Segment>& segments, const Place& place,
                          uint64_t bytes) {
  content_.Forget(place.inode, place.offset, place.offset + bytes);
  if (const auto assumed = assumed_.find(place.inode); assumed != assumed_.end()) {
    assumed->second = std::max(assumed->second, static_cast<int64_t>(place.offset + bytes));
  }
  uint64_t at = place.offset;
  for (const Segment& segment : segments) {
    const uint64_t moved = std::min(segment.bytes, place.offset + bytes - at);
    const uint64_t shown = std::min<uint64_t>(strace::Bytes(*segment.printed).size(), moved);
    content_.Learn(place.inode, at, at + shown);
    at += moved;
  }
}

void World::NoteIocbs(const CallFrame& frame, int64_t accepted) {
  for (int64_t i = 0; i < accepted && i < static_cast<int64_t>(frame.iocbs.size()); ++i) {
    const StagedIocb& staged = frame.iocbs[i];
    if (!staged.certain && (staged.value.aio_flags & IOCB_FLAG_RESFD) != 0) {
      racing_eventfds_.insert(static_cast<int>(staged.value.aio_resfd));
    }
    const bool writes = staged.value.aio_lio_opcode == IOCB_CMD_PWRITE ||
                        staged.value.aio_lio_opcode == IOCB_CMD_PWRITEV;
    if (!writes) continue;
    const OpenFile file = FileBehind(static_cast<int>(staged.value.aio_fildes));
    if (file.kind != FileKind::kRegular) continue;
    const auto outcome = outcomes_.find({frame.call, static_cast<size_t>(i)});
    // Of one whose event is not shown, nobody knows how much it wrote.
    const bool known = outcome != outcomes_.end() && (file.flags & O_APPEND) == 0;
    const int64_t res = known ? outcome->second.res : 0;
    const Place place = {file.inode, static_cast<uint64_t>(staged.value.aio_offset), true};
    uint64_t asked = 0;
    for (const Segment& segment : staged.segments) asked += segment.bytes;
    if (!known) content_.Forget(file.inode, place.offset, place.offset + asked);
    if (res > 0) LearnSegments(staged.segments, place, static_cast<uint64_t>(res));
  }
}

void World::NoteOther(const CallFrame& frame, int64_t result) {
  const absl::string_view name = frame.call->name;
  const auto first = static_cast<int>(frame.arguments[0]);
  NoteEpoll(*frame.call);
  if (name == "ftruncate") {
    content_.Learn(FileBehind(first).inode, frame.arguments[1], kEndOfFile);
    assumed_.erase(FileBehind(first).inode);
  } else if (name == "open" || name == "openat" || name == "creat") {
    const uint64_t flags = name == "creat" ? O_TRUNC : frame.arguments[name == "open" ? 1 : 2];
    const OpenFile file = FileBehind(static_cast<int>(result));
    if ((flags & O_TRUNC) != 0) {
      content_.Learn(file.inode, 0, kEndOfFile);
      assumed_.erase(file.inode);
    } else if (may_have_been_there_.count(frame.call) != 0) {
      content_.Forget(file.inode, 0, kEndOfFile);
      assumed_[file.inode] = 0;
    }
  } else if (name == "mmap") {
    const OpenFile file = FileBehind(static_cast<int>(frame.arguments[4]));
    const bool anonymous = (frame.arguments[3] & MAP_ANONYMOUS) != 0;
    const bool shared = (frame.arguments[3] & MAP_SHARED) != 0;
    if (!anonymous && shared && file.open) content_.ForgetForGood(file.inode);
  }
}

}  // namespace kpath
