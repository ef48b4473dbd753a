// SPDX-License-Identifier: Apache-2.0
//
// KPATH_CHECK(condition, message...): an invariant of kpath's own machinery. A failure is a bug of
// kpath, never of the simulated kernel or of the user's input: it prints one line and aborts. It
// stays on in every build. The message's pieces (any absl::AlphaNum) are evaluated on failure only,
// and put together outside of the function that checks, which has no room for them on its stack.
//
//   KPATH_CHECK(cpu < cpus(), "no CPU ", cpu);
#pragma once

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace kpath {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              absl::string_view message);

template <typename... Pieces>
[[noreturn, gnu::cold, gnu::noinline]] void CheckFailedWith(const char* file, int line,
                                                            const char* condition,
                                                            Pieces... pieces) {
  CheckFailed(file, line, condition, absl::StrCat(pieces...));
}

}  // namespace kpath

#define KPATH_CHECK(condition, ...)                                          \
  do {                                                                       \
    if (!(condition)) [[unlikely]] {                                         \
      ::kpath::CheckFailedWith(__FILE__, __LINE__, #condition, __VA_ARGS__); \
    }                                                                        \
  } while (false)
