// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/known_differences.h"

#include <linux/fs.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "tools/diff_host/layout.h"

namespace kpath::diff_host {
namespace {

// ---- What the situation is ----

bool IsIn(uint32_t fd, std::initializer_list<int> fds) {
  return std::find(fds.begin(), fds.end(), static_cast<int>(fd)) != fds.end();
}

bool IsRegularFile(uint32_t fd) {
  return IsIn(fd, {kFile, kFileReadOnly, kFileWriteOnly, kFileAppend, kFileSync, kOtherFile,
                   kFileWitness, kOtherFileWitness});
}
bool IsDirectory(uint32_t fd) { return fd <= 2; }
bool IsEventfd(uint32_t fd) { return IsIn(fd, {kEventfd, kEventfd2}); }
bool IsPipe(uint32_t fd) { return IsIn(fd, {kPipeRead, kPipeWrite, kPipe2Read, kPipe2Write}); }

// As fget sees it: what was opened O_PATH is not there.
bool IsOpen(const Situation& s, uint32_t fd) {
  if (fd > kOtherFileWitness || fd == kPathOnly) return false;
  for (uint32_t i = 0; i < s.difference.op; ++i) {
    const Op& op = s.program.ops[i];
    if (op.kind == OpKind::kClose && op.args[0] == fd) return false;
  }
  return true;
}

const Op* OpOf(const Situation& s) {
  return s.difference.op < s.program.ops.size() ? &s.program.ops[s.difference.op] : nullptr;
}

What WhatDiffers(const Situation& s) {
  return s.difference.model.has_value()  ? s.difference.model->what
         : s.difference.host.has_value() ? s.difference.host->what
                                         : What::kResult;
}

// io_submit where one side stopped before the other, or both at the same iocb for another reason.
struct Stop {
  user::iocb iocb;  // at which the model stopped
  uint64_t address = 0;
  int64_t model_error = 0;    // 0: not told, since requests before it were accepted
  int64_t host_error = 0;     // 0: not told
  bool host_went_on = false;  // accepted it, or did not return from it
};

absl::optional<Stop> FindStop(const Situation& s) {
  const Op* op = OpOf(s);
  if (op == nullptr || op->kind != OpKind::kSubmit) return absl::nullopt;
  const absl::optional<int64_t> model = ResultOf(s.model, s.difference.op);
  if (!model.has_value()) return absl::nullopt;
  const int64_t host = ResultOf(s.host, s.difference.op).value_or(INT64_MAX);
  const int64_t accepted = std::max<int64_t>(*model, 0);
  if (accepted >= static_cast<int64_t>(op->entries.size())) return absl::nullopt;
  if (std::max<int64_t>(host, 0) < accepted) return absl::nullopt;  // the host stopped earlier
  Stop stop;
  stop.address = op->entries[static_cast<size_t>(accepted)].address;
  stop.iocb = IocbAt(s.program, s.difference.op, stop.address);
  stop.model_error = std::min<int64_t>(*model, 0);
  stop.host_error = std::min<int64_t>(host, 0);
  stop.host_went_on = host > accepted;
  return stop;
}

// The model refused an iocb, for `error` if that can be told, and the host did not.
absl::optional<user::iocb> RefusedByModelOnly(const Situation& s, int error) {
  const absl::optional<Stop> stop = FindStop(s);
  if (!stop.has_value() || WhatDiffers(s) != What::kResult) return absl::nullopt;
  if (stop->model_error != 0 && stop->model_error != -error) return absl::nullopt;
  const bool refused_later = stop->host_error != 0 && stop->host_error != stop->model_error;
  if (!stop->host_went_on && !refused_later) return absl::nullopt;
  return stop->iocb;
}

// An event that both sides have brought, with different results.
struct Event {
  user::iocb iocb;
  int64_t model_res = 0;
  int64_t host_res = 0;
};

absl::optional<Event> FindEvent(const Situation& s) {
  const Difference& d = s.difference;
  if (!d.model.has_value() || !d.host.has_value() || d.model->what != d.host->what ||
      (d.model->what != What::kNewRes && d.model->what != What::kEventRes)) {
    return absl::nullopt;
  }
  const auto at = std::find(s.model.records.begin(), s.model.records.end(), *d.model);
  if (at == s.model.records.begin() || at == s.model.records.end()) return absl::nullopt;
  const Record& obj = *std::prev(at);  // comes before its result
  return Event{IocbAt(s.program, d.op, obj.value), static_cast<int64_t>(d.model->value),
               static_cast<int64_t>(d.host->value)};
}

bool Reads(const user::iocb& cb) {
  return cb.aio_lio_opcode == user::IOCB_CMD_PREAD || cb.aio_lio_opcode == user::IOCB_CMD_PREADV;
}
bool Writes(const user::iocb& cb) {
  return cb.aio_lio_opcode == user::IOCB_CMD_PWRITE || cb.aio_lio_opcode == user::IOCB_CMD_PWRITEV;
}
bool Vectored(const user::iocb& cb) {
  return cb.aio_lio_opcode == user::IOCB_CMD_PREADV || cb.aio_lio_opcode == user::IOCB_CMD_PWRITEV;
}

bool IsMemory(uint64_t address, uint64_t size) {
  return InArena(address, size) ||
         (address >= kReadOnly && address < kNoAccess && size <= kNoAccess - address);
}

// The request that a pointer of `op` leads to takes its data from memory that is not all there.
bool EndsInFault(const Program& program, uint32_t op, uint64_t address) {
  std::vector<Vector> vectors;
  for (uint32_t i = 0; i <= op; ++i) {
    for (const Entry& entry : program.ops[i].entries) {
      if (!entry.store || entry.address != address) continue;
      vectors = entry.vectors;
      if (!Vectored(entry.iocb)) vectors = {{entry.iocb.aio_buf, entry.iocb.aio_nbytes}};
    }
  }
  return std::any_of(vectors.begin(), vectors.end(),
                     [](const Vector& v) { return !IsMemory(v.base, v.size); });
}

// ---- The differences ----

// What is asked of an iocb first.
bool DescriptorFirst(const Situation& s) {
  const absl::optional<Stop> stop = FindStop(s);
  if (!stop.has_value() || stop->host_went_on || IsOpen(s, stop->iocb.aio_fildes)) return false;
  if (WhatDiffers(s) == What::kResult) return stop->host_error == -EBADF;
  if (WhatDiffers(s) != What::kKey || !s.difference.host.has_value()) return false;
  // Both stopped here; v4.19 has stored the key before.
  const Op& op = s.program.ops[s.difference.op];
  const uint64_t changed = op.entries[s.difference.host->index].address;
  return changed == stop->address && s.difference.model->value == 0;
}

bool PollOfReadyFile(const Situation& s) {
  const absl::optional<user::iocb> cb = RefusedByModelOnly(s, EINVAL);
  return cb.has_value() && FindStop(s)->host_went_on && cb->aio_lio_opcode == user::IOCB_CMD_POLL &&
         (IsRegularFile(cb->aio_fildes) || IsDirectory(cb->aio_fildes)) &&
         (cb->aio_buf & (POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM)) != 0;
}

bool PipeCloseMask(const Situation& s) {
  const Op* op = OpOf(s);
  const absl::optional<Event> event = FindEvent(s);
  if (!event.has_value() || op == nullptr || op->kind != OpKind::kClose) return false;
  constexpr int64_t kAtEnd = POLLERR | POLLHUP;
  return event->iocb.aio_lio_opcode == user::IOCB_CMD_POLL && IsPipe(event->iocb.aio_fildes) &&
         (event->model_res & kAtEnd) == kAtEnd && (event->host_res & ~event->model_res) == 0;
}

bool PipeOneQueue(const Situation& s) {
  const Difference& d = s.difference;
  if (WhatDiffers(s) != What::kTail || !d.model.has_value()) return false;
  // What the model has and the host has not, or not yet.
  for (size_t i = 1; i < s.model.records.size(); ++i) {
    const Record& obj = s.model.records[i - 1];
    const Record& res = s.model.records[i];
    if (res.op != d.op || res.what != What::kNewRes || obj.what != What::kNewObj) continue;
    const user::iocb cb = IocbAt(s.program, d.op, obj.value);
    if (cb.aio_lio_opcode != user::IOCB_CMD_POLL) continue;
    const bool writing_end = IsIn(cb.aio_fildes, {kPipeWrite, kPipe2Write});
    const uint64_t of_other_end = writing_end ? POLLIN | POLLRDNORM : POLLOUT | POLLWRNORM;
    if (IsPipe(cb.aio_fildes) && res.value == of_other_end) return true;
  }
  return false;
}

bool EventfdRead(const Situation& s) {
  absl::optional<user::iocb> cb = RefusedByModelOnly(s, EINVAL);
  if (cb.has_value() && Reads(*cb) && IsEventfd(cb->aio_fildes)) return true;
  cb = RefusedByModelOnly(s, EOPNOTSUPP);
  return cb.has_value() && IsEventfd(cb->aio_fildes) && (cb->aio_rw_flags & RWF_NOWAIT) != 0;
}

bool VectorOfOne(const Situation& s) {
  const absl::optional<user::iocb> cb = RefusedByModelOnly(s, EFAULT);
  return cb.has_value() && Vectored(*cb) && static_cast<uint32_t>(cb->aio_nbytes) == 1;
}

bool VectorCheckOrder(const Situation& s) {
  const absl::optional<Stop> stop = FindStop(s);
  return stop.has_value() && Vectored(stop->iocb) && stop->model_error == -EFAULT &&
         stop->host_error == -EINVAL;
}

// Where the event cannot be seen, as user mode has unmapped its page of the ring, the file shows
// it.
bool UnseenWriteUpToFault(const Situation& s) {
  const Op* op = OpOf(s);
  if (op == nullptr || op->kind != OpKind::kSubmit || WhatDiffers(s) != What::kFileSize) {
    return false;
  }
  return std::any_of(op->entries.begin(), op->entries.end(), [&s](const Entry& entry) {
    const user::iocb cb = IocbAt(s.program, s.difference.op, entry.address);
    const bool seen =
        std::any_of(s.model.records.begin(), s.model.records.end(), [&](const Record& record) {
          return record.op == s.difference.op && record.what == What::kNewObj &&
                 record.value == entry.address;
        });
    return !seen && Writes(cb) && IsRegularFile(cb.aio_fildes) &&
           EndsInFault(s.program, s.difference.op, entry.address);
  });
}

bool WriteUpToFault(const Situation& s) {
  const absl::optional<Event> event = FindEvent(s);
  if (!event.has_value()) return UnseenWriteUpToFault(s);
  return Writes(event->iocb) && IsRegularFile(event->iocb.aio_fildes) &&
         (event->model_res >= 0 || event->model_res == -EFAULT) && event->host_res > 0 &&
         event->host_res > event->model_res;
}

bool EventfdReadInPart(const Situation& s) {
  const Op* op = OpOf(s);
  return op != nullptr && op->kind == OpKind::kRead && IsEventfd(uint32_t(op->args[0])) &&
         WhatDiffers(s) == What::kReadDigest && ResultOf(s.host, s.difference.op) == -EFAULT;
}

// One of the operation's requests writes to the end of a file, wherever that is.
bool Appends(const Situation& s) {
  const Op& op = s.program.ops[s.difference.op];
  return std::any_of(op.entries.begin(), op.entries.end(), [&s](const Entry& entry) {
    const user::iocb cb = IocbAt(s.program, s.difference.op, entry.address);
    return Writes(cb) && (cb.aio_fildes == kFileAppend || (cb.aio_rw_flags & RWF_APPEND) != 0);
  });
}

// A write of this operation failed, for which `shows(where it would have begun)` is true.
template <typename Shows>
bool HasFaultedWrite(const Situation& s, Shows shows) {
  for (size_t i = 1; i < s.host.records.size(); ++i) {
    const Record& obj = s.host.records[i - 1];
    const Record& res = s.host.records[i];
    if (res.op != s.difference.op || res.what != What::kNewRes) continue;
    if (static_cast<int64_t>(res.value) != -EFAULT) continue;
    const user::iocb cb = IocbAt(s.program, s.difference.op, obj.value);
    if (!Writes(cb) || !IsRegularFile(cb.aio_fildes)) continue;
    if (shows(static_cast<uint64_t>(cb.aio_offset))) return true;
  }
  return false;
}

bool FaultedWriteExtends(const Situation& s) {
  const Op* op = OpOf(s);
  if (op == nullptr || op->kind != OpKind::kSubmit) return false;
  // A request of the same operation may read what was added to the file.
  if (const absl::optional<Event> event = FindEvent(s); event.has_value()) {
    const auto read_to = static_cast<uint64_t>(event->iocb.aio_offset + event->host_res);
    return Reads(event->iocb) && IsRegularFile(event->iocb.aio_fildes) && event->model_res >= 0 &&
           event->host_res > event->model_res &&
           HasFaultedWrite(s, [&](uint64_t begin) { return begin >= read_to; });
  }
  if (WhatDiffers(s) != What::kFileSize || !s.difference.host.has_value() ||
      s.difference.host->value <= s.difference.model->value) {
    return false;
  }
  const uint64_t size = s.difference.host->value;
  return HasFaultedWrite(
      s, [&](uint64_t begin) { return size == begin || (size > begin && Appends(s)); });
}

bool PriorityHints(const Situation& s) {
  const absl::optional<user::iocb> cb = RefusedByModelOnly(s, EINVAL);
  if (!cb.has_value() || (cb->aio_flags & user::IOCB_FLAG_IOPRIO) == 0) return false;
  return cb->aio_reqprio >= 0 && cb->aio_reqprio >> 13 <= 2 && (cb->aio_reqprio & 0x1fff) >= 8;
}

bool EventfdWriteSize(const Situation& s) {
  const Op* op = OpOf(s);
  return op != nullptr && op->kind == OpKind::kWrite && IsEventfd(uint32_t(op->args[0])) &&
         op->args[2] > 8 && ResultOf(s.host, s.difference.op) == -EINVAL;
}

// The model refused RWF_* bits among which are no others that v4.19 does not know than `bits`.
bool NewFlags(const Situation& s, uint32_t bits) {
  constexpr uint32_t kKnown = RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND;
  const absl::optional<user::iocb> cb = RefusedByModelOnly(s, EOPNOTSUPP);
  if (!cb.has_value() || (!Reads(*cb) && !Writes(*cb))) return false;
  const uint32_t unknown = static_cast<uint32_t>(cb->aio_rw_flags) & ~kKnown;
  return unknown != 0 && (unknown & ~bits) == 0;
}
bool NoAppend(const Situation& s) { return NewFlags(s, 0x20); }
bool NoSignal(const Situation& s) { return NewFlags(s, 0x100 | 0x20); }

bool NoWait(const Situation& s) {
  const absl::optional<user::iocb> cb = RefusedByModelOnly(s, EOPNOTSUPP);
  return cb.has_value() && (Reads(*cb) || Writes(*cb)) && IsPipe(cb->aio_fildes) &&
         (cb->aio_rw_flags & RWF_NOWAIT) != 0;
}

// clang-format off: a line is a line of the document.
constexpr KnownDifference kKnown[] = {
    {"descriptor-first",
     {5, 1},
     {4, 19, 38},
     "v4.19 looks at aio_resfd, stores aio_key and looks at the opcode before it asks whether "
     "aio_fildes is open; newer kernels ask that first",
     DescriptorFirst},
    {"poll-ready-file",
     {5, 1},
     {4, 19, 38},
     "a poll of a file that never makes anybody wait, as memory files and directories are, is "
     "refused by v4.19 (EINVAL); newer kernels complete it with what is ready",
     PollOfReadyFile},
    {"pipe-close-mask",
     {5, 6},
     {},
     "when the other end of a pipe is closed, v4.19 completes a poll with all that the wake-up"
     " said, asked for or not; newer kernels look at the pipe again",
     PipeCloseMask},
    {"pipe-one-queue",
     {5, 6},
     {},
     "both ends of a pipe share one queue of waiters in v4.19, so that a poll of one end "
     "completes when only the other one is ready for what it asks; newer kernels have a queue "
     "for each end",
     PipeOneQueue},
    {"eventfd-read-in-part",
     {5, 8},
     {},
     "a read of an eventfd to memory of which only the beginning is there writes nothing in "
     "v4.19; newer kernels write that beginning; both fail (EFAULT)",
     EventfdReadInPart},
    {"eventfd-read",
     {5, 8},
     {},
     "an eventfd has no read_iter in v4.19 (EINVAL) and does not take RWF_NOWAIT (EOPNOTSUPP);"
     " newer kernels read it",
     EventfdRead},
    {"vector-check-order",
     {5, 10},
     {},
     "v4.19 checks each iovec's length and range before the next one; newer kernels check all "
     "lengths first (EINVAL instead of EFAULT)",
     VectorCheckOrder},
    {"write-up-to-fault",
     {5, 16},
     {},
     "a write to a file from memory that ends inside of a page of the file is cut before that "
     "page by v4.19 (EFAULT if it is the first); newer kernels write what there is",
     WriteUpToFault},
    {"rwf-nowait", {6, 4}, {}, "RWF_NOWAIT is refused by v4.19 for pipes (EOPNOTSUPP)", NoWait},
    {"vector-of-one",
     {6, 4},
     {},
     "v4.19 refuses an only iovec that reaches beyond the user's addresses (EFAULT); newer "
     "kernels cut its length before they look",
     VectorOfOne},
    {"priority-hints",
     {6, 5},
     {},
     "the upper ten bits of a priority's data must be 0 in v4.19 (EINVAL); newer kernels take "
     "them for hints",
     PriorityHints},
    {"eventfd-write-size",
     {6, 9},
     {},
     "v4.19 takes the first 8 bytes of a longer write to an eventfd; newer kernels refuse it "
     "(EINVAL)",
     EventfdWriteSize},
    {"rwf-noappend", {6, 9}, {}, "RWF_NOAPPEND is not known to v4.19 (EOPNOTSUPP)", NoAppend},
    {"faulted-write-extends",
     {6, 14},
     {},
     "a write behind the end of a file whose memory is not there (EFAULT) leaves the file as "
     "it is in v4.19; newer kernels extend it up to where the write would have begun",
     FaultedWriteExtends},
    {"rwf-nosignal", {6, 18}, {}, "RWF_NOSIGNAL is not known to v4.19 (EOPNOTSUPP)", NoSignal},
};
// clang-format on

}  // namespace

bool HasIt(KernelVersion version, const KnownDifference& known) {
  const bool in_stable = known.stable.major == version.major && known.stable.minor == version.minor;
  return version >= known.since || (in_stable && version >= known.stable);
}

absl::Span<const KnownDifference> KnownDifferences() { return kKnown; }

const KnownDifference* FindKnownDifference(const Situation& situation, KernelVersion version) {
  for (const KnownDifference& known : kKnown) {
    if (HasIt(version, known) && known.explains(situation)) return &known;
  }
  return nullptr;
}

}  // namespace kpath::diff_host
