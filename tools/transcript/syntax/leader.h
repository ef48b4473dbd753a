// SPDX-License-Identifier: Apache-2.0
//
// The columns in front of a call: process, time, number, address.
#pragma once

#include "absl/strings/string_view.h"
#include "tools/transcript/syntax/error.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::strace {

// Reads the leader at the start of `line`, which is line `number` of the file. Sets *size to its
// length, the blanks behind it included. Returns false after an error.
bool ParseLeader(absl::string_view line, uint32_t number, Leader* leader, size_t* size,
                 FirstError* error);

// Reads "12.345678" (at most nine decimals) into nanoseconds. False if it is something else or
// does not fit.
bool ParseSeconds(absl::string_view text, int64_t* nanoseconds);

}  // namespace kpath::strace
