// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/outcome.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/user/memory.h"
#include "tools/transcript/replay/ptrace_requests.h"
#include "tools/transcript/replay/records.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::ValueKind;

std::string Differs(absl::string_view what, absl::string_view recorded,
                    absl::string_view simulated) {
  if (recorded == simulated) return "";
  return absl::StrCat(what, " is ", recorded, " in the recording, ", simulated, " in the model");
}

std::string Octal(uint64_t mode) { return absl::StrFormat("0%o", mode); }

std::string JudgeFds(const strace::Value& printed, uint64_t address) {
  if (printed.kind != ValueKind::kArray || printed.children.size() != 2) return "";
  std::string wrong;
  for (int i = 0; i < 2 && wrong.empty(); ++i) {
    const absl::StatusOr<uint64_t> recorded = strace::Evaluate(printed.children[i]);
    if (!recorded.ok()) continue;
    wrong = Differs(absl::StrCat("descriptor ", i), absl::StrCat(*recorded),
                    absl::StrCat(user::Load<int32_t>(address + 4 * i)));
  }
  return wrong;
}

std::string JudgeContext(const strace::Value& printed, uint64_t handle) {
  if (printed.kind != ValueKind::kArray || printed.children.empty()) return "";
  const absl::StatusOr<uint64_t> recorded = strace::Evaluate(printed.children[0]);
  if (!recorded.ok()) return "";
  return Differs("the context", absl::StrCat("0x", absl::Hex(*recorded)),
                 absl::StrCat("0x", absl::Hex(handle)));
}

std::string JudgeStatus(const strace::Value& printed, uint64_t address) {
  if (address == 0 || printed.kind != ValueKind::kArray) return "";
  const absl::StatusOr<uint32_t> recorded = strace::EvaluateWaitStatus(printed);
  if (!recorded.ok()) return "";
  return Differs("the status", absl::StrCat("0x", absl::Hex(*recorded)),
                 absl::StrCat("0x", absl::Hex(user::Load<uint32_t>(address))));
}

// Holds the bytes of one buffer against those that are shown of it.
std::string JudgeBytes(const Segment& segment, uint64_t moved, const World::Place& place,
                       const KnownContent& content) {
  if (segment.printed->kind != ValueKind::kString) return "";
  const std::string shown = strace::Bytes(*segment.printed);
  if (shown.size() > moved) {
    return absl::StrCat("the recording shows ", shown.size(), " bytes, ", moved, " were moved");
  }
  const std::string simulated = user::ReadText(segment.address, shown.size());
  for (size_t i = 0; i < shown.size(); ++i) {
    if (shown[i] == simulated[i] || !content.IsKnown(place.inode, place.offset + i)) continue;
    return absl::StrCat(
        Differs("what was read", strace::QuoteBytes(shown), strace::QuoteBytes(simulated)),
        "; the first difference is at byte ", i);
  }
  return "";
}

std::string JudgeSegments(const CallFrame& frame, int64_t result, World::Place place,
                          const KnownContent& content) {
  auto left = static_cast<uint64_t>(result);
  for (const Segment& segment : frame.segments) {
    const uint64_t moved = std::min(segment.bytes, left);
    std::string wrong = JudgeBytes(segment, moved, place, content);
    if (!wrong.empty()) return wrong;
    place.offset += moved;
    left -= moved;
  }
  return "";
}

std::string JudgeStat(const strace::Value& printed, uint64_t address) {
  const auto mode = user::Load<uint32_t>(address + 24);
  if (const strace::Value* field = strace::FindField(printed, "st_mode")) {
    const absl::StatusOr<uint64_t> recorded = strace::Evaluate(*field);
    const uint64_t type = recorded.ok() ? *recorded & S_IFMT : mode & S_IFMT;
    if (type == S_IFBLK) return "";
    if (type != (mode & S_IFMT)) {
      return absl::StrCat("the file is of another type in the model, st_mode ",
                          Octal(mode & S_IFMT), " instead of ", Octal(type));
    }
  }
  const strace::Value* size = strace::FindField(printed, "st_size");
  if (size == nullptr || !S_ISREG(mode)) return "";
  const absl::StatusOr<uint64_t> recorded = strace::Evaluate(*size);
  if (!recorded.ok()) return "";
  return Differs("st_size", absl::StrCat(*recorded),
                 absl::StrCat(user::Load<int64_t>(address + 48)));
}

std::string JudgeEvents(const CallFrame& frame, int64_t result, AioLedger* ledger,
                        Staging* staging) {
  const uint64_t ctx = frame.arguments[0];
  std::vector<io_event> events(static_cast<size_t>(result));
  user::ReadMemory(frame.arguments[3], events.data(), events.size() * sizeof(io_event));
  for (uint64_t place : ledger->Delivered(ctx, events)) staging->GiveBack(place);
  const strace::Call& call = *frame.call;
  const strace::Value* printed = PrintedArgument(call, 3);
  if (!call.returned || printed == nullptr || printed->kind != ValueKind::kArray) return "";
  const std::vector<io_event> shown = EventsShown(call);
  const bool whole = !printed->abbreviated && call.result.known && call.result.error.empty();
  if (whole && shown.size() != call.result.value.number) {
    return absl::StrCat("the result is ", call.result.value.number, ", ", shown.size(),
                        " events are shown");
  }
  const std::vector<io_event> in_ring = EventsInRing(ctx);
  for (const io_event& event : shown) {
    std::string wrong = ledger->Shown(ctx, event, in_ring);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

// The resolution of the coarse clocks is HZ, which every machine has its own of.
bool IsOfCoarseClock(const CallFrame& frame) {
  return frame.call->name == "clock_getres" && (frame.arguments[0] == CLOCK_REALTIME_COARSE ||
                                                frame.arguments[0] == CLOCK_MONOTONIC_COARSE);
}

std::string JudgeRecordAt(ParameterKind kind, const strace::Value& printed, uint64_t address) {
  if (address == 0 || !IsRecord(kind) || IsRecordIn(kind) || !IsPrintedRecord(printed)) return "";
  return JudgeRecord(kind, printed, user::ReadText(address, RecordBytes(kind)));
}

}  // namespace

std::vector<io_event> EventsShown(const strace::Call& call) {
  std::vector<io_event> events;
  const strace::Value* printed = PrintedArgument(call, 3);
  if (printed == nullptr || printed->kind != ValueKind::kArray) return events;
  for (const strace::Value& event : printed->children) {
    if (event.kind == ValueKind::kStruct) events.push_back(EventOf(event));
  }
  return events;
}

std::vector<io_event> EventsInRing(uint64_t ctx) {
  std::vector<io_event> events;
  if (!IsMapped(ctx)) return events;
  const auto ring = user::Load<aio_ring>(ctx);
  if (ring.magic != AIO_RING_MAGIC || ring.nr == 0) return events;
  for (uint32_t i = ring.head % ring.nr; i != ring.tail % ring.nr; i = (i + 1) % ring.nr) {
    events.push_back(user::Load<io_event>(ctx + sizeof(aio_ring) + i * sizeof(io_event)));
  }
  return events;
}

int64_t SlotsOfRing(uint64_t ctx) {
  if (!IsMapped(ctx)) return 0;
  const auto ring = user::Load<aio_ring>(ctx);
  return ring.magic == AIO_RING_MAGIC ? static_cast<int64_t>(ring.nr) - 1 : 0;
}

void TakeEvents(uint64_t ctx) {
  const auto ring = user::Load<aio_ring>(ctx);
  user::Store<uint32_t>(ctx + offsetof(aio_ring, head), ring.tail);
}

std::string JudgeMemory(const CallFrame& frame, int64_t result, const World::Place& place,
                        const KnownContent& content, AioLedger* ledger, Staging* staging) {
  if (frame.signature->result == ResultKind::kSubmitted) ledger->Submitted(frame, result);
  if (frame.signature->form == CallForm::kPtrace) return JudgePtrace(frame);
  std::string wrong;
  for (int i = 0; i < Signature::kMaxParameters && wrong.empty(); ++i) {
    const strace::Value* printed = PrintedArgument(*frame.call, i);
    const uint64_t address = frame.arguments[i];
    if (printed == nullptr) break;
    switch (frame.signature->parameters[i].kind) {
      case ParameterKind::kFdPairOut:
        wrong = JudgeFds(*printed, address);
        break;
      case ParameterKind::kContextOut: {
        const uint64_t handle = user::Load<uint64_t>(address);
        ledger->Created(handle, static_cast<int64_t>(frame.arguments[0]));
        wrong = JudgeContext(*printed, handle);
        break;
      }
      case ParameterKind::kStatusOut:
        wrong = JudgeStatus(*printed, address);
        break;
      case ParameterKind::kStatOut:
        wrong = JudgeStat(*printed, address);
        break;
      case ParameterKind::kOut:
      case ParameterKind::kIovOut:
        if (place.judged) wrong = JudgeSegments(frame, result, place, content);
        break;
      case ParameterKind::kEvents:
        wrong = JudgeEvents(frame, result, ledger, staging);
        break;
      default:
        if (IsOfCoarseClock(frame)) break;
        wrong = JudgeRecordAt(frame.signature->parameters[i].kind, *printed, address);
        break;
    }
  }
  return wrong;
}

}  // namespace kpath
