// SPDX-License-Identifier: Apache-2.0
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/transcript/replay/filters.h"
#include "tools/transcript/replay/frame.h"
#include "tools/transcript/replay/poll_records.h"
#include "tools/transcript/replay/records.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Value;
using strace::ValueKind;

// A number wherever one has to be found. Evaluate's message begins with the place.
absl::Status CheckNumber(absl::string_view file_name, const Value& value) {
  if (value.kind == ValueKind::kOmitted) return absl::OkStatus();
  if (value.kind == ValueKind::kPair) return CheckNumber(file_name, value.children.front());
  const absl::StatusOr<uint64_t> number = strace::Evaluate(value);
  if (number.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(file_name, ":", number.status().message()));
}

absl::Status Expected(absl::string_view file_name, const Value& value, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(file_name, ":", value.position.line, ":",
                                                 value.position.column, ": expected ", what));
}

// [{iov_base=0x…, iov_len=…}, …]: of readv, or of a vectored iocb.
absl::Status CheckIovecs(absl::string_view file_name, const Value& value) {
  if (value.kind != ValueKind::kArray) return CheckNumber(file_name, value);
  for (const Value& segment : value.children) {
    if (segment.kind == ValueKind::kOmitted) continue;
    const Value* base = strace::FindField(segment, "iov_base");
    const Value* length = strace::FindField(segment, "iov_len");
    if (base == nullptr || length == nullptr) {
      return Expected(file_name, segment, "{iov_base=…, iov_len=…}");
    }
    absl::Status status = CheckNumber(file_name, *length);
    if (status.ok() && base->kind != ValueKind::kString) status = CheckNumber(file_name, *base);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckIocb(absl::string_view file_name, const Value& value) {
  if (value.kind != ValueKind::kStruct) return CheckNumber(file_name, value);
  for (const Value& field : value.children) {
    if (field.kind == ValueKind::kOmitted || field.kind == ValueKind::kString) continue;
    if (field.kind == ValueKind::kArray) {
      if (absl::Status status = CheckIovecs(file_name, field); !status.ok()) return status;
      continue;
    }
    if (absl::Status status = CheckNumber(file_name, field); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckTimespec(absl::string_view file_name, const Value& value) {
  if (value.kind != ValueKind::kStruct) return CheckNumber(file_name, value);
  for (const char* name : {"tv_sec", "tv_nsec"}) {
    const Value* field = strace::FindField(value, name);
    if (field == nullptr) return Expected(file_name, value, absl::StrCat("the field ", name));
    if (absl::Status status = CheckNumber(file_name, *field); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckIocbs(absl::string_view file_name, const Value& value) {
  if (value.kind != ValueKind::kArray) return CheckNumber(file_name, value);
  for (const Value& element : value.children) {
    if (absl::Status status = CheckIocb(file_name, element); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckArgument(absl::string_view file_name, ParameterKind kind, const Value& value) {
  switch (kind) {
    case ParameterKind::kNumber:
    case ParameterKind::kFd:
    case ParameterKind::kAddress:
      return CheckNumber(file_name, value);
    case ParameterKind::kPath:
    case ParameterKind::kIn:
      if (value.kind == ValueKind::kString) return absl::OkStatus();
      return CheckNumber(file_name, value);
    case ParameterKind::kFilterIn:
      return IsPrintedFilter(value) ? absl::OkStatus() : CheckNumber(file_name, value);
    case ParameterKind::kTimespecIn:
      return CheckTimespec(file_name, value);
    case ParameterKind::kIovIn:
    case ParameterKind::kIovOut:
      return CheckIovecs(file_name, value);
    case ParameterKind::kIocbIn:
      return CheckIocb(file_name, value);
    case ParameterKind::kIocbs:
      return CheckIocbs(file_name, value);
    default:
      if (IsPollRecord(kind)) return CheckPollRecord(file_name, kind, value);
      if (!IsRecordIn(kind)) return absl::OkStatus();
      if (!IsPrintedRecord(value)) return CheckNumber(file_name, value);
      return CheckRecord(file_name, kind, value);
  }
}

// Numbers, where no struct or array is printed. What an address may look like, the replay has asked
// before (IsModelledPtrace).
absl::Status CheckPtrace(absl::string_view file_name, const strace::Call& call) {
  for (size_t i = 0; i < call.args.size(); ++i) {
    const Value& value = call.args[i];
    const bool shown = value.kind == ValueKind::kStruct || value.kind == ValueKind::kArray;
    if (shown || (i == 2 && (value.text == "*" || value.text == "NT_PRSTATUS"))) continue;
    if (absl::Status status = CheckNumber(file_name, value); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckArguments(absl::string_view file_name, const strace::Call& call,
                            const Signature& signature) {
  if (signature.form == CallForm::kClone3) return absl::OkStatus();
  if (signature.form == CallForm::kPtrace) return CheckPtrace(file_name, call);
  if (signature.form == CallForm::kClone) {
    for (const Value& value : call.args) {
      if (value.name != "flags") continue;
      if (absl::Status status = CheckNumber(file_name, value); !status.ok()) return status;
    }
    return absl::OkStatus();
  }
  for (int i = 0; i < Signature::kMaxParameters; ++i) {
    const Value* value = PrintedArgument(call, i);
    if (value == nullptr) break;
    absl::Status status = CheckArgument(file_name, signature.parameters[i].kind, *value);
    if (!status.ok()) return status;
  }
  return CheckReadyShown(file_name, call, signature);
}

}  // namespace kpath
