// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tools/transcript/replay/replayer.h"

namespace kpath {

std::string ToString(const IllegalResult& illegal, const std::string& file) {
  return absl::StrCat(
      file, ":", illegal.line, ": ", absl::StripTrailingAsciiWhitespace(illegal.call),
      "\n  recorded:  ", illegal.recorded, "\n  simulated: ", illegal.simulated,
      illegal.reason.empty() ? "" : absl::StrCat("\n  reason:    ", illegal.reason), "\n");
}

}  // namespace kpath
