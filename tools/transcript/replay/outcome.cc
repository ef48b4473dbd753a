// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/outcome.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/user/memory.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Value;
using strace::ValueKind;

std::string Differs(absl::string_view what, absl::string_view recorded,
                    absl::string_view simulated) {
  if (recorded == simulated) return "";
  return absl::StrCat(what, " is ", recorded, " in the recording, ", simulated, " in the model");
}

std::string JudgeFds(const Value& printed, uint64_t address) {
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

std::string JudgeContext(const Value& printed, uint64_t handle) {
  if (printed.kind != ValueKind::kArray || printed.children.empty()) return "";
  const absl::StatusOr<uint64_t> recorded = strace::Evaluate(printed.children[0]);
  if (!recorded.ok()) return "";
  return Differs("the context", absl::StrCat("0x", absl::Hex(*recorded)),
                 absl::StrCat("0x", absl::Hex(handle)));
}

std::string JudgeStatus(const Value& printed, uint64_t address) {
  if (address == 0 || printed.kind != ValueKind::kArray) return "";
  const absl::StatusOr<uint32_t> recorded = strace::EvaluateWaitStatus(printed);
  if (!recorded.ok()) return "";
  return Differs("the status", absl::StrCat("0x", absl::Hex(*recorded)),
                 absl::StrCat("0x", absl::Hex(user::Load<uint32_t>(address))));
}

std::string JudgeBytes(const Value& printed, uint64_t address, int64_t result) {
  if (printed.kind != ValueKind::kString) return "";
  const std::string recorded = strace::Bytes(printed);
  const size_t shown = std::min<size_t>(recorded.size(), static_cast<size_t>(result));
  const std::string simulated = user::ReadText(address, shown);
  return Differs("what was read", strace::QuoteBytes(recorded.substr(0, shown)),
                 strace::QuoteBytes(simulated));
}

std::string JudgeStat(const Value& printed, uint64_t address) {
  const Value* size = strace::FindField(printed, "st_size");
  if (size == nullptr) return "";
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
  const Value* printed = PrintedArgument(*frame.call, 3);
  if (printed == nullptr || printed->kind != ValueKind::kArray) return "";
  std::string wrong;
  for (const Value& event : printed->children) {
    if (event.kind != ValueKind::kStruct || !wrong.empty()) continue;
    wrong = ledger->Shown(ctx, event);
  }
  return wrong;
}

}  // namespace

std::string JudgeMemory(const CallFrame& frame, int64_t result, bool content_known,
                        AioLedger* ledger, Staging* staging) {
  if (frame.signature->result == ResultKind::kSubmitted) ledger->Submitted(frame, result);
  std::string wrong;
  for (int i = 0; i < Signature::kMaxParameters && wrong.empty(); ++i) {
    const Value* printed = PrintedArgument(*frame.call, i);
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
        if (content_known) wrong = JudgeBytes(*printed, address, result);
        break;
      case ParameterKind::kEvents:
        wrong = JudgeEvents(frame, result, ledger, staging);
        break;
      default:
        break;
    }
  }
  return wrong;
}

}  // namespace kpath
