// SPDX-License-Identifier: Apache-2.0
//
// The rules of style that a machine can check, each on the text of one file.

#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kpath::tidy {

inline constexpr int kMaxColumns = 100;
inline constexpr int kMaxFunctionLines = 70;
inline constexpr int kMaxFileLines = 500;

// One offence against a rule.
struct Finding {
  std::string path;  // relative to the project's root
  int line = 0;      // from 1
  std::string rule;  // "line_length"; the names are in rules.cc
  std::string what;  // what the offence is about: a function's name, a forbidden word, or ""
  std::string text;  // what is wrong, what was expected
};

// "sim/x.cc:7: [line_length] 104 columns, at most 100 expected"
std::string ToString(const Finding& finding);

// Returns true for a file that the rules are about: C++, Starlark, shell, Python and settings.
// `path` is relative to the project's root.
bool IsSource(absl::string_view path);

// Returns all offences in `text`, the content of the file at `path`, rule by rule.
//
//   for (const Finding& f : CheckSource("sim/x.cc", text)) std::cerr << ToString(f) << '\n';
std::vector<Finding> CheckSource(absl::string_view path, absl::string_view text);

}  // namespace kpath::tidy
