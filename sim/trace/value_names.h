// SPDX-License-Identifier: Apache-2.0
//
// The names of the values that a probe shows, from how FUNCTION or STEP was given them.
//
//   ValueNames("ctx_id, Value::Address(iocbpp), static_cast<int>(fd)") is {"ctx_id", "iocbpp",
//   "fd"}
//
// Context: any.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"

namespace kpath {

// Splits at the commas between the values, and takes what only says how a value is shown, or of
// which type it is, off its name. The names are parts of `written`.
std::vector<absl::string_view> ValueNames(absl::string_view written);

}  // namespace kpath
