// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/poll_records.h"

#include <poll.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tools/transcript/replay/frame.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Call;
using strace::Value;
using strace::ValueKind;

// The sets of select: where each stands among the arguments, and how the result names it.
struct SelectSet {
  size_t argument;
  absl::string_view name;
  uint32_t events;
};
constexpr SelectSet kSelectSets[] = {
    {1, "in", POLLIN}, {2, "out", POLLOUT}, {3, "except", POLLPRI}};

uint64_t NumberOf(const Value* value, uint64_t otherwise) {
  return value == nullptr ? otherwise : strace::Evaluate(*value).value_or(otherwise);
}

uint64_t FieldOf(const Value& value, absl::string_view name, uint64_t otherwise) {
  return NumberOf(strace::FindField(value, name), otherwise);
}

bool IsList(const Value* value) {
  return value != nullptr &&
         (value->kind == ValueKind::kArray || value->kind == ValueKind::kBitSet);
}

// The events of epoll_wait: data is printed as {u32=…, u64=…}.
const Value* DataOf(const Value& event) {
  const Value* data = strace::FindField(event, "data");
  return data == nullptr ? nullptr : strace::FindField(*data, "u64");
}

// The array behind poll's result: ([{fd=4, revents=POLLOUT}], left {…}). Null: there is none.
const Value* PollResult(const Call& call) {
  for (const Value& remark : call.result.remarks) {
    for (const Value& part : remark.children) {
      if (part.kind == ValueKind::kArray) return &part;
    }
  }
  return nullptr;
}

// The set behind select's result: (in [3], out [4]). Null: it is not shown.
const Value* SelectResult(const Call& call, absl::string_view name) {
  for (const Value& remark : call.result.remarks) {
    for (const Value& part : remark.children) {
      if (part.kind != ValueKind::kWords || part.children.size() != 2) continue;
      if (part.children[0].text == name && IsList(&part.children[1])) return &part.children[1];
    }
  }
  return nullptr;
}

// Marks the next entry of `watched`, from *at on, that is `wanted`. False: there is none.
bool Mark(const std::vector<Watched>& watched, const Watched& wanted, bool any_events, size_t* at,
          ShownReady* shown) {
  for (; *at < watched.size(); ++*at) {
    const Watched& entry = watched[*at];
    if (entry.fd != wanted.fd || (!any_events && entry.events != wanted.events)) continue;
    shown->events[(*at)++] = wanted.events;
    ++shown->count;
    return true;
  }
  if (shown->wrong.empty()) {
    shown->wrong = absl::StrCat("fd ", wanted.fd, " is shown as ready and was not asked for");
  }
  return false;
}

void ReadPollResult(const Value& array, const std::vector<Watched>& watched, ShownReady* shown) {
  size_t at = 0;
  for (const Value& entry : array.children) {
    const auto fd = static_cast<int>(FieldOf(entry, "fd", 0));
    const auto events = static_cast<uint32_t>(FieldOf(entry, "revents", 0));
    if (!Mark(watched, {fd, events}, true, &at, shown)) return;
  }
}

void ReadSelectResult(const Call& call, const std::vector<Watched>& watched, ShownReady* shown) {
  for (const SelectSet& set : kSelectSets) {
    const Value* ready = SelectResult(call, set.name);
    if (ready == nullptr) continue;
    shown->detailed = true;
    size_t at = 0;
    for (const Value& fd : ready->children) {
      if (!Mark(watched, {static_cast<int>(NumberOf(&fd, 0)), set.events}, false, &at, shown)) {
        return;
      }
    }
  }
}

absl::Status Expected(absl::string_view file_name, const Value& value, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(file_name, ":", value.position.line, ":",
                                                 value.position.column, ": expected ", what));
}

absl::Status CheckNumber(absl::string_view file_name, const Value& value) {
  if (value.kind == ValueKind::kOmitted) return absl::OkStatus();
  const absl::StatusOr<uint64_t> number = strace::Evaluate(value);
  if (number.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(file_name, ":", number.status().message()));
}

// Each element of an array: a struct with the fields `needed`, all of whose fields are numbers.
absl::Status CheckStructs(absl::string_view file_name, const Value& array,
                          std::initializer_list<const char*> needed, absl::string_view what) {
  for (const Value& element : array.children) {
    if (element.kind == ValueKind::kOmitted) continue;
    if (element.kind != ValueKind::kStruct) return Expected(file_name, element, what);
    for (const char* name : needed) {
      const Value* field = strace::FindField(element, name);
      if (field == nullptr) return Expected(file_name, element, what);
      if (absl::Status status = CheckNumber(file_name, *field); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPollfds(absl::string_view file_name, const Value& array) {
  absl::Status status = CheckStructs(file_name, array, {"fd"}, "{fd=…, events=…}");
  for (const Value& element : array.children) {
    const Value* events = strace::FindField(element, "events");
    if (status.ok() && events != nullptr) status = CheckNumber(file_name, *events);
  }
  return status;
}

absl::Status CheckDescriptors(absl::string_view file_name, const Value& set) {
  constexpr uint64_t kMost = 1 << 20;
  for (const Value& fd : set.children) {
    if (fd.kind == ValueKind::kOmitted) continue;
    if (absl::Status status = CheckNumber(file_name, fd); !status.ok()) return status;
    if (NumberOf(&fd, 0) > kMost) return Expected(file_name, fd, "a descriptor");
  }
  return absl::OkStatus();
}

absl::Status CheckEvents(absl::string_view file_name, const Value& array) {
  constexpr absl::string_view kForm = "{events=…, data={u32=…, u64=…}}";
  absl::Status status = CheckStructs(file_name, array, {"events"}, kForm);
  for (const Value& event : array.children) {
    if (!status.ok() || event.kind == ValueKind::kOmitted) continue;
    const Value* data = DataOf(event);
    status = data == nullptr ? Expected(file_name, event, kForm) : CheckNumber(file_name, *data);
  }
  return status;
}

absl::Status CheckSigsetArgument(absl::string_view file_name, const Value& value) {
  const Value* mask = strace::FindField(value, "sigmask");
  const Value* size = strace::FindField(value, "sigsetsize");
  if (mask == nullptr || size == nullptr) {
    return Expected(file_name, value, "{sigmask=…, sigsetsize=…}");
  }
  if (absl::Status status = CheckNumber(file_name, *size); !status.ok()) return status;
  if (!IsList(mask)) return CheckNumber(file_name, *mask);
  const absl::StatusOr<uint64_t> set = strace::EvaluateSignalSet(*mask);
  if (set.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(file_name, ":", set.status().message()));
}

}  // namespace

bool IsPoll(const Signature& signature) {
  return signature.parameters[0].kind == ParameterKind::kPollfds;
}

bool IsSelect(const Signature& signature) {
  return signature.parameters[1].kind == ParameterKind::kFdSet;
}

bool IsEpollWait(const Signature& signature) {
  return signature.parameters[1].kind == ParameterKind::kEpollEventsOut;
}

std::vector<Watched> WatchedBy(const Call& call, const Signature& signature) {
  std::vector<Watched> watched;
  const Value* array = PrintedArgument(call, 0);
  if (IsPoll(signature) && IsList(array)) {
    for (const Value& entry : array->children) {
      if (entry.kind != ValueKind::kStruct) continue;
      watched.push_back({static_cast<int>(FieldOf(entry, "fd", 0)),
                         static_cast<uint32_t>(FieldOf(entry, "events", 0))});
    }
  }
  if (!IsSelect(signature)) return watched;
  for (const SelectSet& set : kSelectSets) {
    const Value* fds = PrintedArgument(call, set.argument);
    if (!IsList(fds)) continue;
    for (const Value& fd : fds->children) {
      watched.push_back({static_cast<int>(NumberOf(&fd, 0)), set.events});
    }
  }
  return watched;
}

bool ShowsAllWatched(const Call& call, const Signature& signature) {
  const Value* array = PrintedArgument(call, 0);
  if (IsPoll(signature)) return !IsList(array) || !array->abbreviated;
  if (!IsSelect(signature)) return true;
  return std::none_of(std::begin(kSelectSets), std::end(kSelectSets), [&](const SelectSet& set) {
    const Value* fds = PrintedArgument(call, set.argument);
    return IsList(fds) && fds->abbreviated;
  });
}

ShownReady ReadyShown(const Call& call, const Signature& signature,
                      const std::vector<Watched>& watched) {
  ShownReady shown;
  shown.events.resize(watched.size());
  const bool some = call.returned && call.result.known && call.result.error.empty() &&
                    call.result.value.number != 0;
  shown.detailed = !some;
  if (!some) return shown;
  if (IsSelect(signature)) ReadSelectResult(call, watched, &shown);
  const Value* array = IsPoll(signature) ? PollResult(call) : nullptr;
  if (array == nullptr) return shown;
  shown.detailed = !array->abbreviated;
  ReadPollResult(*array, watched, &shown);
  return shown;
}

EpollEvent EpollEventOf(const Value& value) {
  return {static_cast<uint32_t>(FieldOf(value, "events", 0)), NumberOf(DataOf(value), 0)};
}

std::vector<EpollEvent> EpollEventsShown(const Call& call) {
  std::vector<EpollEvent> events;
  const Value* array = PrintedArgument(call, 1);
  if (array == nullptr || array->kind != ValueKind::kArray) return events;
  for (const Value& event : array->children) {
    if (event.kind == ValueKind::kStruct) events.push_back(EpollEventOf(event));
  }
  return events;
}

std::string PollEventsText(uint32_t events) {
  constexpr struct {
    uint32_t bit;
    const char* name;
  } kNames[] = {{POLLIN, "POLLIN"},    {POLLPRI, "POLLPRI"}, {POLLOUT, "POLLOUT"},
                {POLLERR, "POLLERR"},  {POLLHUP, "POLLHUP"}, {POLLNVAL, "POLLNVAL"},
                {0x40, "POLLRDNORM"},  {0x80, "POLLRDBAND"}, {0x100, "POLLWRNORM"},
                {0x200, "POLLWRBAND"}, {0x400, "POLLMSG"},   {0x2000, "POLLRDHUP"}};
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if ((events & bit) != 0) absl::StrAppend(&text, text.empty() ? "" : "|", name);
    events &= ~bit;
  }
  if (events != 0) absl::StrAppend(&text, text.empty() ? "" : "|", "0x", absl::Hex(events));
  return text;
}

// ---- Bytes ----

std::string EncodePollfds(const Value& value) {
  std::string bytes;
  for (const Value& entry : value.children) {
    if (entry.kind != ValueKind::kStruct) continue;
    ::pollfd shown = {};
    shown.fd = static_cast<int>(FieldOf(entry, "fd", 0));
    shown.events = static_cast<short>(FieldOf(entry, "events", 0));
    bytes.append(reinterpret_cast<const char*>(&shown), sizeof(shown));
  }
  return bytes;
}

uint64_t FdSetBytes(int64_t descriptors) {
  constexpr int64_t kLeast = 128, kMost = 1 << 17, kWord = 8;
  const int64_t bytes = (descriptors + 63) / 64 * kWord;
  return static_cast<uint64_t>(std::clamp(bytes, kLeast, kMost));
}

std::string EncodeFdSet(const Value& value, int64_t descriptors) {
  std::string bytes(FdSetBytes(descriptors), '\0');
  for (const Value& element : value.children) {
    const uint64_t fd = NumberOf(&element, UINT64_MAX);
    if (fd / 8 < bytes.size()) bytes[fd / 8] = static_cast<char>(bytes[fd / 8] | 1 << fd % 8);
  }
  return bytes;
}

// ---- Checks ----

bool IsPollRecord(ParameterKind kind) {
  return kind == ParameterKind::kPollfds || kind == ParameterKind::kFdSet ||
         kind == ParameterKind::kSigsetArgument || kind == ParameterKind::kEpollEventsOut;
}

absl::Status CheckPollRecord(absl::string_view file_name, ParameterKind kind, const Value& value) {
  if (kind == ParameterKind::kSigsetArgument && value.kind == ValueKind::kStruct) {
    return CheckSigsetArgument(file_name, value);
  }
  if (!IsList(&value)) return CheckNumber(file_name, value);
  switch (kind) {
    case ParameterKind::kPollfds:
      return CheckPollfds(file_name, value);
    case ParameterKind::kFdSet:
      return CheckDescriptors(file_name, value);
    case ParameterKind::kEpollEventsOut:
      return CheckEvents(file_name, value);
    default:
      return Expected(file_name, value, "{sigmask=…, sigsetsize=…}");
  }
}

absl::Status CheckReadyShown(absl::string_view file_name, const Call& call,
                             const Signature& signature) {
  if (IsSelect(signature)) {
    for (const SelectSet& set : kSelectSets) {
      const Value* ready = SelectResult(call, set.name);
      if (ready == nullptr) continue;
      if (absl::Status status = CheckDescriptors(file_name, *ready); !status.ok()) return status;
    }
  }
  const Value* array = IsPoll(signature) ? PollResult(call) : nullptr;
  if (array == nullptr) return absl::OkStatus();
  return CheckStructs(file_name, *array, {"fd", "revents"}, "{fd=…, revents=…}");
}

}  // namespace kpath
