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

// The bounds of a count, from the arguments as they were passed. Empty: it is legal.
std::string JudgeCount(int64_t recorded, int64_t simulated, uint64_t asked, bool exact) {
  if (recorded == simulated) return "";
  if (exact) {
    return absl::StrCat("of ", asked, " bytes, a regular file takes or gives ", simulated);
  }
  // Both moved some data, and no more than asked for: another moment, another amount.
  if (recorded > 0 && simulated > 0 && static_cast<uint64_t>(recorded) <= asked) return "";
  return absl::StrCat(asked, " bytes were asked for");
}

uint64_t BytesAsked(const CallFrame& frame) {
  uint64_t asked = 0;
  for (const Segment& segment : frame.segments) asked += segment.bytes;
  return asked;
}

// Where two kernels take different numbers of iocbs, both have taken what they must: all, or as
// many as are sure to fit.
std::string JudgeSubmitted(int64_t recorded, int64_t simulated, int64_t nr, int64_t sure_to_fit) {
  if (recorded == simulated) return "";
  const int64_t least = std::max<int64_t>(1, std::min(nr, sure_to_fit));
  if (recorded >= least && recorded <= nr && simulated >= least) return "";
  return absl::StrCat("of ", nr, " iocbs, ", least, " to ", nr,
                      " can be taken, and the model took ", simulated);
}

std::string JudgeReaped(const CallFrame& frame, int64_t recorded, int64_t sure_to_come) {
  const bool timed = frame.arguments[4] != 0;
  const int64_t least = std::max(timed ? 0 : frame.min_nr, std::min(sure_to_come, frame.nr));
  if (recorded >= least && recorded <= frame.nr) return "";
  std::string text =
      absl::StrCat("min_nr=", frame.min_nr, ", nr=", frame.nr, timed ? " and a timeout" : "");
  if (sure_to_come > 0) absl::StrAppend(&text, ", ", sure_to_come, " events are in the ring");
  return absl::StrCat(text, ": ", least, " to ", frame.nr, " can be returned");
}

std::string JudgeNumber(const CallFrame& frame, int64_t recorded, int64_t simulated,
                        const Bounds& bounds) {
  switch (frame.signature->result) {
    case ResultKind::kExact:
    case ResultKind::kAddress:
      return recorded == simulated ? "" : "another result";
    case ResultKind::kCount:
      return JudgeCount(recorded, simulated, BytesAsked(frame), bounds.exact_count);
    case ResultKind::kSubmitted:
      return JudgeSubmitted(recorded, simulated, static_cast<int64_t>(frame.arguments[1]),
                            bounds.sure_to_fit);
    case ResultKind::kReaped:
      return JudgeReaped(frame, recorded, bounds.sure_to_come);
    case ResultKind::kReady:  // readiness.h
    case ResultKind::kTime:   // another clock
      return "";
    case ResultKind::kNothing:
      return "it does not return";
  }
  return "";
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
                    const Bounds& bounds) {
  Verdict verdict;
  verdict.simulated = PrintResult(frame.signature->result, result);
  if (IsError(result)) verdict.reason = reason;
  const strace::Call& call = *frame.call;
  if (!call.returned || !call.result.known) return verdict;
  if (!call.result.error.empty()) {
    verdict.legal = IsError(result) && ErrnoName(static_cast<int>(-result)) == call.result.error;
  } else if (IsError(result)) {
    verdict.legal = false;
  } else {
    const std::string wrong =
        JudgeNumber(frame, static_cast<int64_t>(call.result.value.number), result, bounds);
    verdict.legal = wrong.empty();
    const ResultKind kind = frame.signature->result;
    if (kind != ResultKind::kExact && kind != ResultKind::kAddress) verdict.reason = wrong;
  }
  return verdict;
}

bool IsShortSubmit(const CallFrame& frame, int64_t result) {
  return frame.signature->result == ResultKind::kSubmitted && result > 0 &&
         result < static_cast<int64_t>(frame.arguments[1]);
}

}  // namespace kpath
