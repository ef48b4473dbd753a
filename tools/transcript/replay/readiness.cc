// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/readiness.h"

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/user/memory.h"
#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"
#include "tools/transcript/replay/waits.h"

namespace kpath {
namespace {

using strace::Call;

// Calls that may make a descriptor ready, or not ready, for others.
constexpr absl::string_view kActs[] = {
    "close",    "dup2",  "dup3",       "epoll_ctl", "epoll_pwait", "epoll_wait",
    "execve",   "exit",  "exit_group", "io_submit", "preadv2",     "pwritev2",
    "read",     "readv", "sendfile",   "splice",    "tee",         "timerfd_settime",
    "vmsplice", "write", "writev"};

// What select's three sets ask for. v4.19 fs/select.c: POLLIN_SET, POLLOUT_SET, POLLEX_SET
constexpr uint32_t kInSet = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR;
constexpr uint32_t kOutSet = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR;

bool Acts(const PlanStep& step) {
  return step.call != nullptr &&
         std::find(std::begin(kActs), std::end(kActs), step.call->name) != std::end(kActs);
}

bool IsOfThisKind(const PlanStep& step) {
  if (step.call == nullptr) return false;
  const Signature* signature = FindSignature(step.call->name);
  return signature != nullptr && signature->result == ResultKind::kReady;
}

// {seconds, parts of a second} at `address`, of which `parts` are a second; null: for ever.
bool IsLong(uint64_t address, int64_t parts) {
  constexpr int64_t kLong = 10;  // a tenth of a second
  if (address == 0) return true;
  return user::Load<int64_t>(address) > 0 || user::Load<int64_t>(address + 8) >= parts / kLong;
}

bool IsLong(uint64_t milliseconds) {
  const auto timeout = static_cast<int>(milliseconds);
  return timeout < 0 || timeout >= 100;
}

// True if the call waits for ever, or for so long that what the recording shows will come.
bool WaitsLong(const CallFrame& frame) {
  const absl::string_view name = frame.call->name;
  if (name == "poll") return IsLong(frame.arguments[2]);
  if (name == "ppoll") return IsLong(frame.arguments[2], NSEC_PER_SEC);
  if (name == "select") return IsLong(frame.arguments[4], 1'000'000);
  if (name == "pselect6") return IsLong(frame.arguments[4], NSEC_PER_SEC);
  return IsLong(frame.arguments[3]);
}

// What is ready now, without the call.
uint32_t ReadyNow(const CallFrame& frame, const Watched& watched) {
  if (watched.fd < 0) return 0;
  if (!IsSelect(*frame.signature)) return ReadyEvents(watched.fd, watched.events);
  const uint32_t mask = watched.events == POLLIN    ? kInSet
                        : watched.events == POLLOUT ? kOutSet
                                                    : POLLPRI;
  return (ReadyEvents(watched.fd, mask) & mask) != 0 ? watched.events : 0;
}

// What the call has found.
std::vector<uint32_t> ReadyInModel(const CallFrame& frame, const std::vector<Watched>& watched,
                                   int64_t result) {
  std::vector<uint32_t> ready;
  if (result == 0) ready.resize(watched.size());
  if (result == 0) return ready;
  for (const Watched& entry : watched) {
    uint32_t events = 0;
    if (!IsSelect(*frame.signature)) {
      const uint64_t array = frame.arguments[0];
      events = static_cast<uint16_t>(
          user::Load<::pollfd>(array + ready.size() * sizeof(::pollfd)).revents);
    } else {
      const int set = entry.events == POLLIN ? 1 : entry.events == POLLOUT ? 2 : 3;
      const auto byte = user::Load<uint8_t>(frame.arguments[set] + entry.fd / 8);
      events = (byte >> entry.fd % 8 & 1) != 0 ? entry.events : 0;
    }
    ready.push_back(events);
  }
  return ready;
}

uint64_t SetOf(const CallFrame& frame) {
  return FileBehind(static_cast<int>(frame.arguments[0])).id;
}

std::vector<EpollEvent> EventsAt(uint64_t address, int64_t count) {
  std::vector<EpollEvent> events;
  for (; count > 0; --count, address += sizeof(epoll_event)) {
    const auto event = user::Load<::epoll_event>(address);
    events.push_back({event.events, event.data.u64});
  }
  return events;
}

// Takes what is ready now out of the set that the call waited for.
std::vector<EpollEvent> TakeMore(const CallFrame& frame) {
  constexpr int kMost = 16;
  const uint64_t address = user::StackBytes(kMost * sizeof(epoll_event));
  return EventsAt(address, user::Syscall(NR_epoll_wait, frame.arguments[0], address, kMost, 0));
}

std::string Text(const EpollEvent& event) {
  return absl::StrCat("the event {events=0x", absl::Hex(event.events), ", data=", event.data, "}");
}

std::string Differs(absl::string_view what, bool in_model) {
  return absl::StrCat(what, in_model ? " in the model, in the recording it is not"
                                     : " in the recording, in the model it is not");
}

}  // namespace

Readiness::Readiness(const Plan& plan, World* world)
    : world_(*world), alone_(plan.processes.size() < 2) {
  NoteOverlaps(plan);
}

// Steps are in the order in which they begin.
void Readiness::NoteOverlaps(const Plan& plan) {
  std::map<int, PlanTime> acts_until;  // by pid
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const PlanStep& step = plan.steps[i];
    if (IsOfThisKind(step)) {
      bool act = std::any_of(acts_until.begin(), acts_until.end(), [&](const auto& other) {
        return other.first != step.pid && other.second > step.begin;
      });
      for (size_t j = i + 1; !act && j < plan.steps.size() && plan.steps[j].begin < step.end; ++j) {
        act = plan.steps[j].pid != step.pid && Acts(plan.steps[j]);
      }
      others_act_[step.call] = act;
    }
    if (Acts(step)) acts_until[step.pid] = step.end;
  }
}

bool Readiness::OthersAct(const CallFrame& frame) const {
  const auto found = others_act_.find(frame.call);
  return found != others_act_.end() && found->second;
}

bool Readiness::IsRacing(const CallFrame& frame, int fd) const {
  return OthersAct(frame) || world_.IsRacing(fd);
}

bool Readiness::IsRacing(const CallFrame& frame, const EpollEvent& event) const {
  const std::vector<int> fds = world_.epolls().DescriptorsOf(SetOf(frame), event.data);
  return std::any_of(fds.begin(), fds.end(), [&](int fd) { return IsRacing(frame, fd); });
}

bool Readiness::MayChange(const CallFrame& frame, bool requests_in_flight) const {
  if (requests_in_flight || !alone_) return true;
  if (IsEpollWait(*frame.signature)) return world_.IsRacing(static_cast<int>(frame.arguments[0]));
  const std::vector<Watched> watched = WatchedBy(*frame.call, *frame.signature);
  return std::any_of(watched.begin(), watched.end(),
                     [&](const Watched& entry) { return world_.IsRacing(entry.fd); });
}

// ---- Before the call ----

void Readiness::Begins(const CallFrame& frame) {
  if (IsEpollWait(*frame.signature)) waiting_[frame.call] = SetOf(frame);
}

bool Readiness::MayBegin(const CallFrame& frame, bool requests_in_flight) const {
  if (!MayChange(frame, requests_in_flight)) return true;
  return IsEpollWait(*frame.signature) ? IsShownReadyInSet(frame) : IsShownReady(frame);
}

bool Readiness::IsShownReady(const CallFrame& frame) const {
  const std::vector<Watched> watched = WatchedBy(*frame.call, *frame.signature);
  const ShownReady shown = ReadyShown(*frame.call, *frame.signature, watched);
  if (shown.count == 0) return true;
  bool any = false, all = true;
  for (size_t i = 0; i < watched.size(); ++i) {
    const uint32_t now = ReadyNow(frame, watched[i]);
    any = any || now != 0;
    all = all && (shown.events[i] & ~now) == 0;
  }
  return all || (!any && shown.count == 1 && WaitsLong(frame));
}

bool Readiness::IsShownReadyInSet(const CallFrame& frame) const {
  const uint64_t set = SetOf(frame);
  const std::vector<EpollEvent> shown = EpollEventsShown(*frame.call);
  if (shown.empty()) return true;
  const bool any = ReadyEvents(static_cast<int>(frame.arguments[0]), POLLIN) != 0;
  if (!any) return shown.size() == 1 && WaitsLong(frame);
  return std::all_of(shown.begin(), shown.end(), [&](const EpollEvent& event) {
    const std::vector<int> fds = world_.epolls().DescriptorsOf(set, event.data);
    if (fds.empty()) return true;  // it will never be
    return std::any_of(fds.begin(), fds.end(), [&](int fd) {
      return (event.events & ~ReadyEvents(fd, event.events)) == 0;
    });
  });
}

// ---- After the call ----

std::string Readiness::Judge(const CallFrame& frame, int64_t result) {
  const Call& call = *frame.call;
  if (frame.signature->result != ResultKind::kReady || !call.returned) return "";
  return IsEpollWait(*frame.signature) ? JudgeEpoll(frame, result) : JudgePolled(frame, result);
}

std::string Readiness::JudgePolled(const CallFrame& frame, int64_t result) const {
  const std::vector<Watched> watched = WatchedBy(*frame.call, *frame.signature);
  const ShownReady shown = ReadyShown(*frame.call, *frame.signature, watched);
  if (!shown.wrong.empty()) return shown.wrong;
  const int64_t recorded = frame.call->result.known ? ResultOf(*frame.call) : 0;
  if (!shown.detailed) {
    const bool racing = std::any_of(watched.begin(), watched.end(), [&](const Watched& entry) {
      return IsRacing(frame, entry.fd);
    });
    return racing || recorded == result ? "" : absl::StrCat(result, " are ready in the model");
  }
  if (frame.call->result.known && recorded != shown.count && recorded > 0) {
    return absl::StrCat("the result is ", recorded, ", ", shown.count, " are shown as ready");
  }
  const std::vector<uint32_t> model = ReadyInModel(frame, watched, result);
  bool another_first = false;
  for (size_t i = 0; i < watched.size(); ++i) {
    const uint32_t extra = model[i] & ~shown.events[i];
    if (extra == 0) continue;
    another_first = true;
    if (IsRacing(frame, watched[i].fd)) continue;
    return Differs(absl::StrCat("fd ", watched[i].fd, " is ready for ", PollEventsText(extra)),
                   true);
  }
  for (size_t i = 0; i < watched.size(); ++i) {
    const uint32_t missing = shown.events[i] & ~model[i];
    if (missing == 0) continue;
    const bool later = another_first || IsRacing(frame, watched[i].fd);
    const auto is_ready = [&] { return (missing & ~ReadyNow(frame, watched[i])) == 0; };
    if (later && WaitUntil(is_ready)) continue;
    return Differs(absl::StrCat("fd ", watched[i].fd, " is ready for ", PollEventsText(missing)),
                   false);
  }
  return "";
}

// True if another thread waits for such an event and came back with it earlier in the recording.
bool Readiness::IsClaimed(const CallFrame& frame, const EpollEvent& event) const {
  const uint64_t set = SetOf(frame);
  return std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& other) {
    if (other.first == frame.call || other.second != set || !other.first->returned) return false;
    if (other.first->end.line > frame.call->end.line) return false;
    const std::vector<EpollEvent> shown = EpollEventsShown(*other.first);
    return std::any_of(shown.begin(), shown.end(),
                       [&](const EpollEvent& wanted) { return wanted.data == event.data; });
  });
}

// Takes the shown event out of those that were given. An event of a descriptor that races may have
// become one of more.
bool Readiness::TakeShown(const CallFrame& frame, const EpollEvent& shown,
                          std::vector<EpollEvent>* given) const {
  if (IsClaimed(frame, shown)) return false;
  auto found = std::find(given->begin(), given->end(), shown);
  if (found == given->end() && IsRacing(frame, shown)) {
    found = std::find_if(given->begin(), given->end(), [&](const EpollEvent& event) {
      return event.data == shown.data && (shown.events & ~event.events) == 0;
    });
  }
  if (found == given->end()) return false;
  given->erase(found);
  return true;
}

// Those that the set does not keep by itself: asked for again, they come again if they are true.
void Readiness::GiveBack(const CallFrame& frame, const std::vector<EpollEvent>& events) const {
  const uint64_t set = SetOf(frame);
  for (const EpollEvent& event : events) {
    if (!world_.epolls().IsGivenOnce(set, event.data)) continue;
    for (const auto& [fd, item] : world_.epolls().items(set)) {
      if (item.data != event.data) continue;
      ::epoll_event again = {};
      again.events = item.events;
      again.data.u64 = item.data;
      const uint64_t address = user::StackBytes(sizeof(again));
      user::Store<::epoll_event>(address, again);
      user::Syscall(NR_epoll_ctl, frame.arguments[0], EPOLL_CTL_MOD, fd, address);
    }
  }
}

std::string Readiness::JudgeEpoll(const CallFrame& frame, int64_t result) const {
  const Call& call = *frame.call;
  std::vector<EpollEvent> given = EventsAt(frame.arguments[1], result), missing;
  const bool known = call.result.known && call.result.error.empty();
  const strace::Value* printed = PrintedArgument(call, 1);
  const bool whole =
      printed != nullptr && printed->kind == strace::ValueKind::kArray && !printed->abbreviated;
  const std::vector<EpollEvent> shown = EpollEventsShown(call);
  if (known && whole && ResultOf(call) != static_cast<int64_t>(shown.size())) {
    return absl::StrCat("the result is ", ResultOf(call), ", ", shown.size(), " events are shown");
  }
  if (known && !whole) return ResultOf(call) == result ? "" : "another number of events";
  for (const EpollEvent& event : shown) {
    if (!TakeShown(frame, event, &given)) missing.push_back(event);
  }
  const bool racing = OthersAct(frame) || world_.IsRacing(static_cast<int>(frame.arguments[0]));
  if (!racing && !missing.empty()) return Differs(absl::StrCat(Text(missing[0]), " is"), false);
  for (const EpollEvent& event : given) {
    if (!IsRacing(frame, event)) return Differs(absl::StrCat(Text(event), " is"), true);
  }
  GiveBack(frame, given);
  for (const EpollEvent& event : missing) {
    const auto comes = [&] {
      std::vector<EpollEvent> more = TakeMore(frame);
      const bool came = TakeShown(frame, event, &more);
      GiveBack(frame, more);
      return came;
    };
    if (!WaitUntil(comes)) return Differs(absl::StrCat(Text(event), " is"), false);
  }
  return "";
}

}  // namespace kpath
