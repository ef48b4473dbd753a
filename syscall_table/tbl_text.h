// SPDX-License-Identifier: Apache-2.0
//
// What every .tbl file has in common: rows of blank-separated fields, one row per line, '#'
// comments on lines of their own, and errors that name file and line. Used by the parsers of this
// folder.

#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace kpath {

// A broken rule, not yet placed: InvalidArgument with the text "WHAT, expected EXPECTED".
// What the steps of a parser return; the loop over the lines adds the place with AtLine.
absl::Status Wrong(absl::string_view what, absl::string_view expected);

// `status`, which is not OK, with "FILE:LINE: " before its text. `line` counts from 1.
absl::Status AtLine(absl::string_view file_name, int line, const absl::Status& status);

// One line of a .tbl file that is neither blank nor a comment.
struct TblLine {
  int number = 0;          // from 1
  absl::string_view text;  // without blanks at either end; points into the file's text
};

// The rows of `text`, in the order of the file. The views live as long as `text` does.
std::vector<TblLine> TblLines(absl::string_view text);

// Cuts the first field off `*rest`, with the blanks around it, and returns it.
// Returns "" when nothing is left.
//
//   absl::string_view rest = "206 64  io_setup";
//   TakeField(&rest);  // "206", and rest is "64  io_setup"
absl::string_view TakeField(absl::string_view* rest);

// True for a C identifier: letters, digits and '_', not starting with a digit.
bool IsIdentifier(absl::string_view text);

}  // namespace kpath
