// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/descriptors.h"

#include <poll.h>

#include <algorithm>
#include <iterator>

#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/poll_records.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Call;
using strace::Value;
using strace::ValueKind;

constexpr absl::string_view kMakers[] = {
    "accept",
    "accept4",
    "creat",
    "dup",
    "dup2",
    "dup3",
    "epoll_create",
    "epoll_create1",
    "eventfd",
    "eventfd2",
    "fanotify_init",
    "inotify_init",
    "inotify_init1",
    "io_uring_setup",
    "memfd_create",
    "open",
    "open_by_handle_at",
    "openat",
    "openat2",
    "perf_event_open",
    "pidfd_open",
    "pipe",
    "pipe2",
    "signalfd",
    "signalfd4",
    "socket",
    "socketpair",
    "timerfd_create",
    "userfaultfd",
};

// Calls that kpath has no signature for and whose first argument is a descriptor.
constexpr absl::string_view kFirstIsDescriptor[] = {
    "bind",       "connect",    "fadvise64", "fallocate",       "fchmod",      "fchown",
    "flock",      "fstatfs",    "getdents",  "getdents64",      "getpeername", "getsockname",
    "getsockopt", "ioctl",      "listen",    "recvfrom",        "recvmsg",     "sendmsg",
    "sendto",     "setsockopt", "shutdown",  "sync_file_range",
};

// Calls that a source of recorded bytes cannot answer.
constexpr absl::string_view kNeedFile[] = {
    "fallocate", "fdatasync", "fsync",   "ftruncate", "lseek",   "mmap",
    "pread64",   "preadv",    "preadv2", "pwrite64",  "pwritev", "pwritev2",
};

template <size_t N>
bool IsOneOf(absl::string_view name, const absl::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool Succeeded(const Call& call) {
  return call.returned && call.result.known && call.result.error.empty();
}

bool Mentions(const Value& value, absl::string_view symbol) {
  if (value.kind == ValueKind::kSymbol && value.text == symbol) return true;
  return std::any_of(value.children.begin(), value.children.end(),
                     [symbol](const Value& child) { return Mentions(child, symbol); });
}

bool IsDuplication(const Call& call) {
  return call.name == "fcntl" && call.args.size() > 1 &&
         (Mentions(call.args[1], "F_DUPFD") || Mentions(call.args[1], "F_DUPFD_CLOEXEC"));
}

int64_t NumberOr(const Value& value, int64_t otherwise) {
  return static_cast<int64_t>(strace::Evaluate(value).value_or(otherwise));
}

// [3, 4] of pipe and socketpair; null if there is none.
const Value* ArrayOfDescriptors(const Call& call) {
  if (call.name != "pipe" && call.name != "pipe2" && call.name != "socketpair") return nullptr;
  for (const Value& value : call.args) {
    if (value.kind == ValueKind::kArray) return &value;
  }
  return nullptr;
}

}  // namespace

bool MakesDescriptor(const Call& call) {
  return IsOneOf(call.name, kMakers) || IsDuplication(call);
}

Descriptors::Descriptors(const Plan& plan) {
  AssignTables(plan);
  for (const PlanStep& step : plan.steps) {
    if (step.call == nullptr) continue;
    AddCall(step);
    if (Succeeded(*step.call)) AddResult(step);
  }
}

void Descriptors::AssignTables(const Plan& plan) {
  for (const auto& [pid, process] : plan.processes) table_of_[pid] = pid;
  for (const PlanStep& step : plan.steps) {
    if (step.child == 0) continue;
    const bool shared =
        std::any_of(step.call->args.begin(), step.call->args.end(),
                    [](const Value& value) { return Mentions(value, "CLONE_FILES"); });
    if (shared) table_of_[step.child] = table_of_[step.pid];
  }
}

void Descriptors::AddCall(const PlanStep& step) {
  const Call& call = *step.call;
  if (call.name == "close") closes_recorded_ = true;
  if (FailedWith(call, "EBADF")) return;
  const bool as_file = IsOneOf(call.name, kNeedFile);
  const Signature* signature = FindSignature(call.name);
  for (size_t i = 0; i < call.args.size() && i < Signature::kMaxParameters; ++i) {
    const bool by_name = i == 0 && IsOneOf(call.name, kFirstIsDescriptor);
    const bool by_signature =
        signature != nullptr && signature->parameters[i].kind == ParameterKind::kFd;
    if (!by_name && !by_signature) continue;
    Add(step, NumberOr(call.args[i], -1), step.begin, as_file ? Event::kUsedAsFile : Event::kUsed);
  }
  if (call.name == "io_submit") AddIocbs(step);
  if (signature != nullptr) AddWatched(step, *signature);
}

// Those that poll found not to be open need not have been.
void Descriptors::AddWatched(const PlanStep& step, const Signature& signature) {
  const std::vector<Watched> watched = WatchedBy(*step.call, signature);
  const ShownReady shown = ReadyShown(*step.call, signature, watched);
  for (size_t i = 0; i < watched.size(); ++i) {
    if ((shown.events[i] & POLLNVAL) == 0) Add(step, watched[i].fd, step.begin, Event::kUsed);
  }
}

// Of the iocbs that were taken: the one that stopped the call may be as wrong as it likes.
void Descriptors::AddIocbs(const PlanStep& step) {
  const Call& call = *step.call;
  if (!Succeeded(call) || call.args.size() < 3) return;
  const absl::Span<const Value> iocbs = call.args[2].children;
  const size_t taken = std::min<size_t>(call.result.value.number, iocbs.size());
  for (const Value& iocb : iocbs.subspan(0, taken)) {
    const Value* opcode = strace::FindField(iocb, "aio_lio_opcode");
    const bool poll = opcode != nullptr && opcode->text == "IOCB_CMD_POLL";
    const Value* fildes = strace::FindField(iocb, "aio_fildes");
    const Value* resfd = strace::FindField(iocb, "aio_resfd");
    if (fildes != nullptr) {
      Add(step, NumberOr(*fildes, -1), step.begin, poll ? Event::kUsed : Event::kUsedAsFile);
    }
    if (resfd != nullptr) Add(step, NumberOr(*resfd, -1), step.begin, Event::kUsedAsEventfd);
  }
}

void Descriptors::AddResult(const PlanStep& step) {
  const Call& call = *step.call;
  if (call.name == "close") Add(step, NumberOr(call.args[0], -1), step.end, Event::kClosed);
  if (const Value* array = ArrayOfDescriptors(call)) {
    for (const Value& value : array->children) {
      Add(step, NumberOr(value, -1), step.end, Event::kMade);
    }
  } else if (MakesDescriptor(call)) {
    Add(step, static_cast<int64_t>(call.result.value.number), step.end, Event::kMade);
  }
}

void Descriptors::Add(const PlanStep& step, int64_t fd, PlanTime time, Event event) {
  if (fd < 0 || fd > INT32_MAX) return;
  events_[{table_of_.at(step.pid), static_cast<int>(fd)}].emplace(time, event);
}

const Descriptors::Events* Descriptors::EventsOf(int pid, int fd) const {
  const auto found = events_.find({table_of_.at(pid), fd});
  return found == events_.end() ? nullptr : &found->second;
}

bool Descriptors::IsMadeNext(int pid, int fd, PlanTime time) const {
  const Events* events = EventsOf(pid, fd);
  if (events == nullptr) return false;
  const auto next = events->upper_bound(time);
  return next != events->end() && next->second == Event::kMade;
}

bool Descriptors::IsUsedNext(int pid, int fd, PlanTime time) const {
  const Events* events = EventsOf(pid, fd);
  if (events == nullptr) return false;
  const auto next = events->upper_bound(time);
  return next != events->end() && next->second != Event::kMade;
}

DescriptorKind Descriptors::KindFrom(int pid, int fd, PlanTime time) const {
  const Events* events = EventsOf(pid, fd);
  if (events == nullptr) return DescriptorKind::kOutside;
  DescriptorKind kind = DescriptorKind::kOutside;
  for (auto next = events->lower_bound(time); next != events->end(); ++next) {
    if (next->second == Event::kMade || next->second == Event::kClosed) break;
    if (next->second == Event::kUsedAsEventfd) return DescriptorKind::kEventfd;
    if (next->second == Event::kUsedAsFile) kind = DescriptorKind::kFile;
  }
  return kind;
}

}  // namespace kpath
