// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace kpath {

// The whole file at `path`. The error is one line: "PATH: cannot read: No such file or directory".
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

}  // namespace kpath
