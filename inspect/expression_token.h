// SPDX-License-Identifier: Apache-2.0
//
// For the files that make up expression.h: the words of an expression.
//
// Context: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kpath {

struct Token {
  enum class Kind : uint8_t { kNumber, kChar, kName, kVariable, kSign, kEnd };

  Kind kind = Kind::kEnd;
  std::string text;     // as written; of a variable without its $
  uint64_t number = 0;  // of numbers and characters
  bool is_unsigned = false;
  bool is_long = false;
  int column = 1;  // from 1
};

// The last one is of kind kEnd.
absl::StatusOr<std::vector<Token>> SplitExpression(absl::string_view text);

// `column 3: expected …`
absl::Status ExpressionError(int column, absl::string_view what);

}  // namespace kpath
