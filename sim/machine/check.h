// SPDX-License-Identifier: Apache-2.0
//
// KPATH_CHECK(condition, message): an invariant of kpath's own machinery. A failure is a bug of
// kpath, never of the simulated kernel or of the user's input: it prints one line and aborts. It
// stays on in every build. `message` (any absl::AlphaNum) is only evaluated on failure.
#pragma once

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace kpath {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              absl::string_view message);

}  // namespace kpath

#define KPATH_CHECK(condition, message)                                              \
  do {                                                                               \
    if (!(condition)) [[unlikely]] {                                                 \
      ::kpath::CheckFailed(__FILE__, __LINE__, #condition, ::absl::StrCat(message)); \
    }                                                                                \
  } while (false)
