// SPDX-License-Identifier: Apache-2.0
//
// From values to numbers. An error is an InvalidArgumentError of one line that begins with the
// value's position, "7:21: unknown name \"O_FOO\", expected ...": put the file's name before it.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "tools/transcript/syntax/value.h"

namespace kpath::strace {

// The number that a value stands for: an integer, NULL (0), a name that constants.h knows, flags
// (or-ed), products and shifts, makedev(), htons(), htonl(). Negative numbers come as two's
// complement; use static_cast<int64_t>. Descriptions (3</path>) and comments do not matter.
absl::StatusOr<uint64_t> Evaluate(const Value& value);

// The mask of a set of signals, [HUP INT] or ~[RTMIN RT_1]: bit N - 1 for signal N.
absl::StatusOr<uint64_t> EvaluateSignalSet(const Value& value);

// The status word that wait4 stored, from [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], which may also
// be given without its brackets.
absl::StatusOr<uint32_t> EvaluateWaitStatus(const Value& value);

}  // namespace kpath::strace
