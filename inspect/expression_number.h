// SPDX-License-Identifier: Apache-2.0
//
// For the files that make up expression.h: arithmetic as C does it.
//
//   CNumber sum;
//   std::string why;
//   Calculate(Operator::kAdd, left, right, &sum, &why);
//
// Context: any.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "inspect/types.h"

namespace kpath {

// A number after C's integer promotions: of 4 or 8 bytes. `bits` are sign-extended if it is signed,
// zero-extended else.
struct CNumber {
  uint64_t bits = 0;
  bool is_long = false;
  bool is_unsigned = false;
};

enum class Operator : uint8_t {
  kMultiply,
  kDivide,
  kRemainder,
  kAdd,
  kSubtract,
  kShiftLeft,
  kShiftRight,
  kLess,
  kGreater,
  kLessEqual,
  kGreaterEqual,
  kEqual,
  kUnequal,
  kAnd,
  kXor,
  kOr,
};
absl::optional<Operator> FindOperator(absl::string_view sign);

// A number, a bool, a pointer or a function as a number. False with a reason in *why: it is none.
bool ToCNumber(const Datum& datum, CNumber* number, std::string* why);
Datum ToDatum(const CNumber& number);
// `bits` as a value of `type`, an integer or a bool.
Datum Convert(const Type& type, uint64_t bits);
// False: a division by zero.
bool Calculate(Operator op, CNumber left, CNumber right, CNumber* result, std::string* why);
CNumber Negate(CNumber number);
CNumber Complement(CNumber number);

}  // namespace kpath
