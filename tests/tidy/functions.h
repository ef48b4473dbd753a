// SPDX-License-Identifier: Apache-2.0
//
// Where the functions of a C++ source begin and end, by an approximate count of braces.

#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kpath::tidy {

// One function definition. A lambda, or a function of a local class, is a part of the function
// around it.
struct Function {
  std::string name;    // the last name before its parameters: "Machine::Run", "TEST"
  int first_line = 0;  // of its head, from 1
  int lines = 0;       // from the head to the closing brace, both included
};

// Returns the functions defined in `code`, in order. `code` comes from BlankCommentsAndLiterals().
std::vector<Function> FindFunctions(absl::string_view code);

}  // namespace kpath::tidy
