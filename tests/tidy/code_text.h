// SPDX-License-Identifier: Apache-2.0
//
// The code of a C++ source without its comments and literals, so that a check which looks for a
// word finds it in code only.

#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace kpath::tidy {

// Returns `source` with each character of a comment and of a string or character literal replaced
// by a space. Newlines stay, so lines and columns are those of `source`; so do the quotes.
//
//   BlankCommentsAndLiterals("f(\"rand()\");  // rand()") == "f(\"      \");          "
std::string BlankCommentsAndLiterals(absl::string_view source);

}  // namespace kpath::tidy
