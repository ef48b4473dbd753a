// SPDX-License-Identifier: Apache-2.0
//
// What the tests of this library share.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "tools/transcript/syntax/transcript.h"
#include "tools/transcript/syntax/value.h"

namespace kpath::strace {

// The transcript `text`; ends the test program if it has an error.
Transcript MustParse(absl::string_view text);

// The error of the transcript `text` named "t.strace", "" if it has none.
std::string ErrorOf(absl::string_view text);

// A value as a tree in words, to compare it in one line:
//   {fd=3, events=POLLIN|POLLPRI}   struct(fd=int:3 events=flags(sym:POLLIN sym:POLLPRI))
// Integers are shown as their number with the radix as h (hex) or o (octal), strings as their
// decoded bytes, escaped anew.
std::string Tree(const Value& value);

// Tree() of the only argument of `f(text) = 0`, or its error.
std::string TreeOf(absl::string_view text);

// The contents of a file of the source tree, "tests/transcripts/x.strace"; ends the test program
// if it cannot be read.
std::string ReadSource(const std::string& path);

}  // namespace kpath::strace
