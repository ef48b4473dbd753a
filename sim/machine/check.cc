// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/check.h"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace kpath {

void CheckFailed(const char* file, int line, const char* condition, absl::string_view message) {
  const std::string text(message);
  std::fprintf(stderr, "kpath: %s:%d: check failed: %s: %s\n", file, line, condition, text.c_str());
  std::abort();
}

}  // namespace kpath
