// SPDX-License-Identifier: Apache-2.0
//
// What a step has changed, of what was in sight before or is now.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace kpath::debugger {

// `before` and `after`: "name<TAB>value" lines (FieldsInSight). A line for each name that both have
// with different values, in the order of `after`:
//
//   "  rsp  0xfffffe0000003000 -> 0xfffffe0000002ff8\n"
std::string DescribeChanges(absl::string_view before, absl::string_view after);

}  // namespace kpath::debugger
