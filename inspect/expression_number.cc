// SPDX-License-Identifier: Apache-2.0
#include "inspect/expression_number.h"

#include "absl/strings/str_cat.h"
#include "inspect/types_of.h"

namespace kpath {
namespace {

constexpr struct {
  absl::string_view sign;
  Operator op;
} kOperators[] = {
    {"*", Operator::kMultiply},    {"/", Operator::kDivide},        {"%", Operator::kRemainder},
    {"+", Operator::kAdd},         {"-", Operator::kSubtract},      {"<<", Operator::kShiftLeft},
    {">>", Operator::kShiftRight}, {"<", Operator::kLess},          {">", Operator::kGreater},
    {"<=", Operator::kLessEqual},  {">=", Operator::kGreaterEqual}, {"==", Operator::kEqual},
    {"!=", Operator::kUnequal},    {"&", Operator::kAnd},           {"^", Operator::kXor},
    {"|", Operator::kOr},
};

// The bits of a number of this type: what does not fit is cut off.
uint64_t Fit(const CNumber& type, uint64_t bits) {
  if (type.is_long) return bits;
  return type.is_unsigned ? static_cast<uint32_t>(bits)
                          : static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(bits)));
}

CNumber Truth(bool truth) { return {truth ? uint64_t{1} : 0, false, false}; }

bool IsLess(const CNumber& a, const CNumber& b) {
  return a.is_unsigned ? a.bits < b.bits
                       : static_cast<int64_t>(a.bits) < static_cast<int64_t>(b.bits);
}

uint64_t Divide(const CNumber& a, const CNumber& b, bool remainder) {
  if (a.is_unsigned) return remainder ? a.bits % b.bits : a.bits / b.bits;
  const auto left = static_cast<int64_t>(a.bits);
  const auto right = static_cast<int64_t>(b.bits);
  // The one quotient that does not fit.
  if (right == -1) return remainder ? 0 : uint64_t{0} - a.bits;
  return static_cast<uint64_t>(remainder ? left % right : left / right);
}

// The type is that of the left side alone.
CNumber Shift(CNumber left, const CNumber& right, bool is_left) {
  const uint64_t width = left.is_long ? 64 : 32;
  if (right.bits >= width) {
    const bool fill = !is_left && !left.is_unsigned && static_cast<int64_t>(left.bits) < 0;
    left.bits = Fit(left, fill ? ~uint64_t{0} : 0);
  } else if (is_left) {
    left.bits = Fit(left, left.bits << right.bits);
  } else {
    left.bits = left.is_unsigned
                    ? left.bits >> right.bits
                    : static_cast<uint64_t>(static_cast<int64_t>(left.bits) >> right.bits);
  }
  return left;
}

// C's usual arithmetic conversions.
void MakeAlike(CNumber* a, CNumber* b) {
  CNumber type;
  type.is_long = a->is_long || b->is_long;
  type.is_unsigned = (a->is_unsigned && a->is_long == type.is_long) ||
                     (b->is_unsigned && b->is_long == type.is_long);
  for (CNumber* one : {a, b}) *one = {Fit(type, one->bits), type.is_long, type.is_unsigned};
}

}  // namespace

absl::optional<Operator> FindOperator(absl::string_view sign) {
  for (const auto& one : kOperators) {
    if (one.sign == sign) return one.op;
  }
  return absl::nullopt;
}

bool ToCNumber(const Datum& datum, CNumber* number, std::string* why) {
  if (datum.is_pointer()) {
    if (datum.bits == 0 && datum.host != nullptr) {
      *why = absl::StrCat("this ", TypeName(datum), " has no address");
      return false;
    }
    *number = {datum.bits, true, true};
    return true;
  }
  if (datum.type->kind == Type::Kind::kFunction) {
    *number = {datum.bits, true, true};
    return true;
  }
  if (!datum.is_number()) {
    *why = absl::StrCat(datum.is_sequence() ? "a list" : AType(datum), " is no number");
    return false;
  }
  const Type& type = *datum.type;
  number->is_long = type.bytes == 8;
  number->is_unsigned = type.bytes >= 4 && !type.is_signed;
  const int unused = 64 - type.bytes * 8;
  const uint64_t high = datum.bits << unused;
  number->bits =
      type.is_signed ? static_cast<uint64_t>(static_cast<int64_t>(high) >> unused) : high >> unused;
  return true;
}

Datum ToDatum(const CNumber& number) {
  return MakeNumber(number.is_long ? (number.is_unsigned ? TypeOf<unsigned long>() : TypeOf<long>())
                                   : (number.is_unsigned ? TypeOf<unsigned>() : TypeOf<int>()),
                    number.bits);
}

Datum Convert(const Type& type, uint64_t bits) {
  if (type.kind == Type::Kind::kBool) return MakeNumber(type, bits != 0 ? 1 : 0);
  const int unused = 64 - type.bytes * 8;
  const uint64_t high = bits << unused;
  return MakeNumber(type, type.is_signed
                              ? static_cast<uint64_t>(static_cast<int64_t>(high) >> unused)
                              : high >> unused);
}

bool Calculate(Operator op, CNumber left, CNumber right, CNumber* result, std::string* why) {
  if (op == Operator::kShiftLeft || op == Operator::kShiftRight) {
    *result = Shift(left, right, op == Operator::kShiftLeft);
    return true;
  }
  MakeAlike(&left, &right);
  *result = left;
  switch (op) {
    case Operator::kMultiply:
      result->bits = Fit(left, left.bits * right.bits);
      return true;
    case Operator::kDivide:
    case Operator::kRemainder:
      if (right.bits == 0) {
        *why = "division by zero";
        return false;
      }
      result->bits = Fit(left, Divide(left, right, op == Operator::kRemainder));
      return true;
    case Operator::kAdd:
      result->bits = Fit(left, left.bits + right.bits);
      return true;
    case Operator::kSubtract:
      result->bits = Fit(left, left.bits - right.bits);
      return true;
    case Operator::kAnd:
      result->bits = left.bits & right.bits;
      return true;
    case Operator::kXor:
      result->bits = Fit(left, left.bits ^ right.bits);
      return true;
    case Operator::kOr:
      result->bits = left.bits | right.bits;
      return true;
    case Operator::kLess:
      *result = Truth(IsLess(left, right));
      return true;
    case Operator::kGreater:
      *result = Truth(IsLess(right, left));
      return true;
    case Operator::kLessEqual:
      *result = Truth(!IsLess(right, left));
      return true;
    case Operator::kGreaterEqual:
      *result = Truth(!IsLess(left, right));
      return true;
    case Operator::kEqual:
      *result = Truth(left.bits == right.bits);
      return true;
    case Operator::kUnequal:
      *result = Truth(left.bits != right.bits);
      return true;
    case Operator::kShiftLeft:
    case Operator::kShiftRight:
      break;
  }
  return true;
}

CNumber Negate(CNumber number) {
  number.bits = Fit(number, uint64_t{0} - number.bits);
  return number;
}

CNumber Complement(CNumber number) {
  number.bits = Fit(number, ~number.bits);
  return number;
}

}  // namespace kpath
