// SPDX-License-Identifier: Apache-2.0
//
// Two texts beside each other, line by line. Inside testing/.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace kpath::testing {

// Lines that both have stand on one line; between the columns `|`: changed, `<`: on the left alone,
// `>`: on the right alone. Equal parts are cut down to a few lines around the differences. Columns
// are as wide as they need to be, up to 60 characters, and what is longer is cut. Empty if the
// texts are equal.
std::string SideBySide(absl::string_view left_title, absl::string_view left,
                       absl::string_view right_title, absl::string_view right);

}  // namespace kpath::testing
