// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/verdict.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/machine/value.h"
#include "tools/transcript/syntax/constants.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

bool IsError(int64_t result) { return result < 0 && result >= -4095; }

// The bounds of a count, from the arguments as they were passed.
bool LegalCount(int64_t recorded, int64_t simulated, uint64_t asked) {
  if (recorded == simulated) return true;
  // Both moved some data, and no more than asked for: another moment, another amount.
  return recorded > 0 && simulated > 0 && static_cast<uint64_t>(recorded) <= asked;
}

// Where two kernels take different numbers of iocbs, both have taken what they must: all, or as
// many as are sure to fit.
bool LegalSubmit(int64_t recorded, int64_t simulated, int64_t nr, int64_t sure_to_fit) {
  if (recorded == simulated) return true;
  const int64_t least = std::max<int64_t>(1, std::min(nr, sure_to_fit));
  return recorded >= least && recorded <= nr && simulated >= least;
}

bool LegalNumber(const CallFrame& frame, int64_t recorded, int64_t simulated, int64_t sure_to_fit) {
  switch (frame.signature->result) {
    case ResultKind::kExact:
    case ResultKind::kAddress:
      return recorded == simulated;
    case ResultKind::kCount:
      return LegalCount(recorded, simulated, frame.arguments[2]);
    case ResultKind::kSubmitted:
      return LegalSubmit(recorded, simulated, static_cast<int64_t>(frame.arguments[1]),
                         sure_to_fit);
    case ResultKind::kReaped: {
      const int64_t min_nr = static_cast<int64_t>(frame.arguments[1]);
      const int64_t nr = static_cast<int64_t>(frame.arguments[2]);
      const bool timed = frame.arguments[4] != 0;
      return recorded <= nr && (recorded >= min_nr || timed);
    }
    case ResultKind::kNothing:
      return false;
  }
  return false;
}

}  // namespace

std::string PrintResult(ResultKind kind, int64_t result) {
  if (IsError(result)) {
    const int number = static_cast<int>(-result);
    return absl::StrCat("-1 ", ErrnoName(number), " (", strace::ErrorMessage(number), ")");
  }
  if (kind == ResultKind::kAddress) return absl::StrCat("0x", absl::Hex(result));
  return absl::StrCat(result);
}

std::string PrintRecorded(const strace::Result& result) {
  if (!result.known) return result.error.empty() ? "?" : absl::StrCat("? ", result.error);
  std::string text(result.value.text);
  if (!result.error.empty()) absl::StrAppend(&text, " ", result.error, " (", result.message, ")");
  return text;
}

Verdict JudgeResult(const CallFrame& frame, int64_t result, const std::string& reason,
                    int64_t sure_to_fit) {
  Verdict verdict;
  verdict.simulated = PrintResult(frame.signature->result, result);
  if (IsError(result)) verdict.reason = reason;
  const strace::Call& call = *frame.call;
  if (!call.returned || !call.result.known) return verdict;
  if (!call.result.error.empty()) {
    verdict.legal = IsError(result) && ErrnoName(static_cast<int>(-result)) == call.result.error;
  } else {
    verdict.legal =
        !IsError(result) &&
        LegalNumber(frame, static_cast<int64_t>(call.result.value.number), result, sure_to_fit);
  }
  return verdict;
}

// ---- AioLedger ----

int64_t AioLedger::SureToFit(uint64_t ctx) const {
  const auto found = contexts_.find(ctx);
  if (found == contexts_.end()) return 0;
  const Context& context = found->second;
  return context.guaranteed - static_cast<int64_t>(context.in_flight.size() + context.early.size());
}

void AioLedger::Submitted(const CallFrame& frame, int64_t accepted) {
  Context& context = contexts_[frame.arguments[0]];
  for (int64_t i = 0; i < accepted && i < static_cast<int64_t>(frame.iocbs.size()); ++i) {
    const StagedIocb& iocb = frame.iocbs[i];
    context.in_flight.push_back(
        {iocb.address, iocb.value.aio_data, iocb.kept_buffer, iocb.kept_iocb});
  }
}

std::vector<uint64_t> AioLedger::Delivered(uint64_t ctx, const std::vector<io_event>& events) {
  Context& context = contexts_[ctx];
  std::vector<uint64_t> free;
  for (const io_event& event : events) {
    context.early.push_back(event);
    const auto request =
        std::find_if(context.in_flight.begin(), context.in_flight.end(),
                     [&](const Request& r) { return r.iocb == event.obj && r.data == event.data; });
    if (request == context.in_flight.end()) continue;
    if (request->kept_iocb) free.push_back(request->iocb);
    if (request->kept_buffer != 0) free.push_back(request->kept_buffer);
    context.in_flight.erase(request);
  }
  return free;
}

int64_t AioLedger::delivered_early(uint64_t ctx) const {
  const auto found = contexts_.find(ctx);
  return found == contexts_.end() ? 0 : static_cast<int64_t>(found->second.early.size());
}

std::string AioLedger::Shown(uint64_t ctx, const strace::Value& event) {
  Context& context = contexts_[ctx];
  const auto field = [&](absl::string_view name) -> uint64_t {
    const strace::Value* value = strace::FindField(event, name);
    return value == nullptr ? 0 : strace::Evaluate(*value).value_or(0);
  };
  const io_event shown = {field("data"), field("obj"), static_cast<int64_t>(field("res")),
                          static_cast<int64_t>(field("res2"))};
  // Which of several requests with the same data it was, is told by its result or not at all.
  const auto found =
      std::find_if(context.early.begin(), context.early.end(), [&](const io_event& e) {
        return e.data == shown.data && e.res == shown.res && e.res2 == shown.res2;
      });
  if (found != context.early.end()) {
    context.early.erase(found);
    return "";
  }
  std::string wrong = absl::StrCat("event {data=", shown.data, ", res=", shown.res,
                                   ", res2=", shown.res2, "} is not one of those delivered:");
  for (const io_event& e : context.early) {
    absl::StrAppend(&wrong, " {data=", e.data, ", res=", e.res, ", res2=", e.res2, "}");
  }
  return context.early.empty() ? absl::StrCat(wrong, " none") : wrong;
}

}  // namespace kpath
