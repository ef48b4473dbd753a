// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/records.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

using strace::Value;
using strace::ValueKind;

struct Field {
  const char* name;  // "it_value.tv_sec": a field in a field; "": the value itself
  uint32_t offset;
  uint32_t bytes;
  bool set = false;    // of signals
  bool judged = true;  // false: it depends on the time, or on the C library
};

constexpr Field kSigaction[] = {{"sa_handler", 0, 8},
                                {"sa_flags", 8, 8},
                                {"sa_restorer", 16, 8, false, false},
                                {"sa_mask", 24, 8, true}};
constexpr Field kSigset[] = {{"", 0, 8, true}};
constexpr Field kRlimit[] = {{"rlim_cur", 0, 8}, {"rlim_max", 8, 8}};
constexpr Field kItimer[] = {{"it_interval.tv_sec", 0, 8},
                             {"it_interval.tv_usec", 8, 8},
                             {"it_value.tv_sec", 16, 8, false, false},
                             {"it_value.tv_usec", 24, 8, false, false}};
constexpr Field kStack[] = {{"ss_sp", 0, 8, false, false}, {"ss_flags", 8, 4}, {"ss_size", 16, 8}};
constexpr Field kTimeval[] = {{"tv_sec", 0, 8}, {"tv_usec", 8, 8}};
constexpr Field kItimerspec[] = {{"it_interval.tv_sec", 0, 8},
                                 {"it_interval.tv_nsec", 8, 8},
                                 {"it_value.tv_sec", 16, 8, false, false},
                                 {"it_value.tv_nsec", 24, 8, false, false}};
constexpr Field kResolution[] = {{"tv_sec", 0, 8}, {"tv_nsec", 8, 8}};
constexpr Field kSiginfo[] = {{"si_signo", 0, 4}, {"si_errno", 4, 4}, {"si_code", 8, 4},
                              {"si_pid", 16, 4},  {"si_uid", 20, 4},  {"si_ptr", 24, 8},
                              {"unused", 120, 8}};
constexpr Field kEpollEvent[] = {{"events", 0, 4}, {"data.u64", 4, 8}};

absl::Span<const Field> FieldsOf(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kSigactionIn:
    case ParameterKind::kSigactionOut:
      return kSigaction;
    case ParameterKind::kSigsetIn:
    case ParameterKind::kSigsetOut:
      return kSigset;
    case ParameterKind::kRlimitIn:
    case ParameterKind::kRlimitOut:
      return kRlimit;
    case ParameterKind::kItimerIn:
    case ParameterKind::kItimerOut:
      return kItimer;
    case ParameterKind::kStackIn:
    case ParameterKind::kStackOut:
      return kStack;
    case ParameterKind::kTimevalIn:
      return kTimeval;
    case ParameterKind::kItimerspecIn:
    case ParameterKind::kItimerspecOut:
      return kItimerspec;
    case ParameterKind::kResolutionOut:
      return kResolution;
    case ParameterKind::kEpollEventIn:
      return kEpollEvent;
    case ParameterKind::kSiginfoIn:
      return kSiginfo;
    default:
      return {};
  }
}

const Value* Find(const Value& value, const Field& field) {
  const Value* at = &value;
  for (absl::string_view name : absl::StrSplit(field.name, '.', absl::SkipEmpty())) {
    if (at->kind != ValueKind::kStruct) return nullptr;
    at = strace::FindField(*at, name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

absl::StatusOr<uint64_t> NumberOf(const Value& value, const Field& field) {
  return field.set ? strace::EvaluateSignalSet(value) : strace::Evaluate(value);
}

// Structs all of whose fields strace prints.
bool IsNeeded(ParameterKind kind) {
  return kind == ParameterKind::kTimevalIn || kind == ParameterKind::kItimerspecIn ||
         kind == ParameterKind::kEpollEventIn;
}

uint64_t FieldIn(absl::string_view bytes, const Field& field) {
  uint64_t number = 0;
  std::memcpy(&number, bytes.data() + field.offset, field.bytes);
  return number;
}

}  // namespace

bool IsRecord(ParameterKind kind) { return !FieldsOf(kind).empty(); }

bool IsRecordIn(ParameterKind kind) {
  return kind == ParameterKind::kSigactionIn || kind == ParameterKind::kSigsetIn ||
         kind == ParameterKind::kRlimitIn || kind == ParameterKind::kItimerIn ||
         kind == ParameterKind::kStackIn || kind == ParameterKind::kTimevalIn ||
         kind == ParameterKind::kItimerspecIn || kind == ParameterKind::kEpollEventIn ||
         kind == ParameterKind::kSiginfoIn;
}

bool IsPrintedRecord(const Value& value) {
  return value.kind == ValueKind::kStruct || value.kind == ValueKind::kArray ||
         value.kind == ValueKind::kBitSet;
}

uint64_t RecordBytes(ParameterKind kind) {
  const Field& last = FieldsOf(kind).back();
  return last.offset + last.bytes;
}

absl::Status CheckRecord(absl::string_view file_name, ParameterKind kind, const Value& value) {
  for (const Field& field : FieldsOf(kind)) {
    const Value* printed = Find(value, field);
    if (printed == nullptr && IsNeeded(kind)) {
      return absl::InvalidArgumentError(absl::StrCat(file_name, ":", value.position.line, ":",
                                                     value.position.column, ": expected the field ",
                                                     field.name));
    }
    if (printed == nullptr || printed->kind == ValueKind::kOmitted) continue;
    const absl::StatusOr<uint64_t> number = NumberOf(*printed, field);
    if (number.ok()) continue;
    return absl::InvalidArgumentError(absl::StrCat(file_name, ":", number.status().message()));
  }
  return absl::OkStatus();
}

std::string EncodeRecord(ParameterKind kind, const Value& value) {
  std::string bytes(RecordBytes(kind), '\0');
  for (const Field& field : FieldsOf(kind)) {
    const Value* printed = Find(value, field);
    if (printed == nullptr) continue;
    const uint64_t number = NumberOf(*printed, field).value_or(0);
    std::memcpy(&bytes[field.offset], &number, field.bytes);
  }
  return bytes;
}

std::string JudgeRecord(ParameterKind kind, const Value& printed, absl::string_view simulated) {
  const std::string recorded = EncodeRecord(kind, printed);
  for (const Field& field : FieldsOf(kind)) {
    if (!field.judged || Find(printed, field) == nullptr) continue;
    const uint64_t was = FieldIn(recorded, field), is = FieldIn(simulated, field);
    if (was == is) continue;
    return absl::StrCat(field.name[0] == '\0' ? "the set" : field.name, " is 0x", absl::Hex(was),
                        " in the recording, 0x", absl::Hex(is), " in the model");
  }
  return "";
}

}  // namespace kpath
