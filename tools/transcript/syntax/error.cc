// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/error.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace kpath::strace {
namespace {

constexpr size_t kLongest = 32;  // bytes of the text that a message shows

}  // namespace

std::string Quoted(absl::string_view text) {
  const bool cut = text.size() > kLongest;
  return absl::StrCat("\"", absl::CHexEscape(text.substr(0, kLongest)), cut ? "...\"" : "\"");
}

}  // namespace kpath::strace
