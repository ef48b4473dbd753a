// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/evaluate.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/transcript/syntax/constants.h"
#include "tools/transcript/syntax/error.h"
#include "tools/transcript/syntax/print.h"

namespace kpath::strace {
namespace {

constexpr int kWordBits = 64;
// Parts of a status word.
constexpr uint32_t kByte = 0xff;
constexpr uint32_t kStopped = 0x7f;
constexpr uint32_t kContinued = 0xffff;
constexpr uint32_t kCoreDumped = 0x80;

absl::Status ErrorAt(const Value& value, absl::string_view message) {
  return absl::InvalidArgumentError(
      absl::StrCat(value.position.line, ":", value.position.column, ": ", message));
}

absl::Status NotANumber(const Value& value) {
  return ErrorAt(value, absl::StrCat("unexpected ", Quoted(PrintValue(value)),
                                     ", expected a number or the name of one"));
}

// As makedev(3) puts them together.
uint64_t MakeDevice(uint64_t major, uint64_t minor) {
  return (major & 0xfffff000) << 32 | (major & 0xfff) << 8 | (minor & 0xffffff00) << 12 |
         (minor & 0xff);
}

absl::StatusOr<uint64_t> EvaluateCall(const Value& call) {
  uint64_t args[2] = {};
  const size_t count = call.text == "makedev" ? 2 : 1;
  const bool known = count == 2 || call.text == "htons" || call.text == "htonl";
  if (!known || call.children.size() != count) return NotANumber(call);
  for (size_t i = 0; i < count; ++i) {
    const absl::StatusOr<uint64_t> arg = Evaluate(call.children[i]);
    if (!arg.ok()) return arg;
    args[i] = *arg;
  }
  if (call.text == "makedev") return MakeDevice(args[0], args[1]);
  if (call.text == "htons") return __builtin_bswap16(args[0]);
  return __builtin_bswap32(args[0]);
}

absl::StatusOr<uint64_t> Apply(const Value& operation, uint64_t left, uint64_t right) {
  if (operation.kind == ValueKind::kFlags) return left | right;
  if (operation.text == "*") return left * right;
  if (operation.text != "<<") return NotANumber(operation);
  if (right >= kWordBits) return ErrorAt(operation, "shift is too far, expected at most 63");
  return left << right;
}

absl::StatusOr<uint64_t> EvaluateOperation(const Value& operation) {
  absl::StatusOr<uint64_t> total = Evaluate(operation.children[0]);
  for (size_t i = 1; total.ok() && i < operation.children.size(); ++i) {
    const absl::StatusOr<uint64_t> operand = Evaluate(operation.children[i]);
    if (!operand.ok()) return operand;
    total = Apply(operation, *total, *operand);
  }
  return total;
}

// True for `function(s) == N`.
bool IsComparison(const Value& condition, absl::string_view function) {
  return condition.kind == ValueKind::kOperation && condition.text == "==" &&
         condition.children.size() == 2 && condition.children[0].kind == ValueKind::kCall &&
         condition.children[0].text == function;
}

// True for `function(s)`.
bool IsPredicate(const Value& condition, absl::string_view function) {
  return condition.kind == ValueKind::kCall && condition.text == function;
}

}  // namespace

absl::StatusOr<uint64_t> Evaluate(const Value& value) {
  switch (value.kind) {
    case ValueKind::kInteger:
      if (!value.overflow) return value.number;
      return ErrorAt(value, absl::StrCat("number ", Quoted(value.text),
                                         " is too large, expected at most 64 bits"));
    case ValueKind::kNull:
      return 0;
    case ValueKind::kSymbol:
      if (const auto number = FindConstant(value.text)) return *number;
      return ErrorAt(value, absl::StrCat("unknown name ", Quoted(value.text),
                                         ", expected a number or a name that kpath knows"));
    case ValueKind::kFlags:
    case ValueKind::kOperation:
      return EvaluateOperation(value);
    case ValueKind::kCall:
      return EvaluateCall(value);
    default:
      return NotANumber(value);
  }
}

absl::StatusOr<uint64_t> EvaluateSignalSet(const Value& value) {
  if (value.kind != ValueKind::kArray && value.kind != ValueKind::kBitSet) {
    return ErrorAt(value, absl::StrCat("unexpected ", Quoted(PrintValue(value)),
                                       ", expected a set of signals such as [HUP INT]"));
  }
  uint64_t mask = 0;
  for (const Value& signal : value.children) {
    const auto number = BareSignalNumber(signal.text);
    if (signal.kind != ValueKind::kSymbol || !number) {
      return ErrorAt(signal, absl::StrCat("unexpected ", Quoted(PrintValue(signal)),
                                          ", expected the name of a signal without SIG"));
    }
    mask |= uint64_t{1} << (*number - 1);
  }
  return value.complement ? ~mask : mask;
}

absl::StatusOr<uint32_t> EvaluateWaitStatus(const Value& value) {
  const bool bracket = value.kind == ValueKind::kArray || value.kind == ValueKind::kStruct;
  if (bracket && value.children.size() == 1) return EvaluateWaitStatus(value.children[0]);
  if (IsPredicate(value, "WIFCONTINUED")) return kContinued;
  const absl::Status error = ErrorAt(value, absl::StrCat("unexpected ", Quoted(PrintValue(value)),
                                                         ", expected a status such as "
                                                         "WIFEXITED(s) && WEXITSTATUS(s) == 0"));
  if (value.kind != ValueKind::kOperation || value.text != "&&") return error;
  const Value& what = value.children[0];
  const Value& which = value.children[1];
  if (which.kind != ValueKind::kOperation || which.children.size() != 2) return error;
  const absl::StatusOr<uint64_t> number = Evaluate(which.children[1]);
  if (!number.ok()) return number.status();
  if (IsPredicate(what, "WIFEXITED") && IsComparison(which, "WEXITSTATUS"))
    return (*number & kByte) << 8;
  if (IsPredicate(what, "WIFSTOPPED") && IsComparison(which, "WSTOPSIG")) {
    return (*number & kByte) << 8 | kStopped;
  }
  if (!IsPredicate(what, "WIFSIGNALED") || !IsComparison(which, "WTERMSIG")) return error;
  const bool dumped = value.children.size() > 2 && IsPredicate(value.children[2], "WCOREDUMP");
  return (*number & kStopped) | (dumped ? kCoreDumped : 0);
}

}  // namespace kpath::strace
