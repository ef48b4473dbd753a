// SPDX-License-Identifier: Apache-2.0
//
// The names of the values that a probe shows, from how FUNCTION or STEP was given them.
//
//   ValueNames("ctx_id, Value::Address(iocbpp), static_cast<int>(fd)") is {"ctx_id", "iocbpp",
//   "fd"}
//
// Context: any.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sim/machine/value.h"

namespace kpath {

// Splits at the commas between the values, and takes what only says how a value is shown, or of
// which type it is, off its name. The names are parts of `written`.
std::vector<absl::string_view> ValueNames(absl::string_view written);

// `nr=209, regs=0x…`: the names as FUNCTION or STEP were given them, and the values.
std::string NamedValues(absl::string_view written, absl::Span<const Value> values);

}  // namespace kpath
