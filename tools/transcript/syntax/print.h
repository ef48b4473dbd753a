// SPDX-License-Identifier: Apache-2.0
//
// Writes calls and values as strace does. What ParseTranscript read is written back byte for byte
// as strace printed it, with two exceptions, because nothing depends on them: line ends become
// "\n" (and the last line gets one), and the blanks in places where strace always prints the same
// number of them become that number.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "tools/transcript/syntax/transcript.h"
#include "tools/transcript/syntax/value.h"

namespace kpath::strace {

struct PrintOptions {
  // strace -a: the column (from 0) of the `=` of a result, if the call before it is shorter.
  size_t result_column = 40;
};

// `{fd=3, events=POLLIN}`; with its name if it has one: `events=POLLIN`. A kInteger made by code
// needs no spelling: with an empty `text` it is written from `number`, `radix` and `negative`.
std::string PrintValue(const Value& value);

// `-1 EBADF (Bad file descriptor)`: what stands behind "= ".
std::string PrintResult(const Result& result);

// The whole call on one line, however many pieces it was read from, without a leader:
// `close(3)                                = 0`. A call that did not return ends in
// "<unfinished ...>".
std::string PrintCall(const Call& call, const PrintOptions& options = {});

// The line as strace printed it, without line end. `line` is one of `transcript`.
std::string PrintLine(const Transcript& transcript, const Line& line,
                      const PrintOptions& options = {});

// All lines, each with "\n".
std::string PrintTranscript(const Transcript& transcript, const PrintOptions& options = {});

}  // namespace kpath::strace
