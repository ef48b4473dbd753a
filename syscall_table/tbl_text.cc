// SPDX-License-Identifier: Apache-2.0

#include "syscall_table/tbl_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace kpath {

absl::Status Wrong(absl::string_view what, absl::string_view expected) {
  return absl::InvalidArgumentError(absl::StrCat(what, ", expected ", expected));
}

absl::Status AtLine(absl::string_view file_name, int line, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file_name, ":", line, ": ", status.message()));
}

std::vector<TblLine> TblLines(absl::string_view text) {
  std::vector<TblLine> lines;
  int number = 0;
  for (absl::string_view raw : absl::StrSplit(text, '\n')) {
    ++number;
    absl::string_view line = absl::StripAsciiWhitespace(raw);
    if (line.empty() || line.front() == '#') continue;
    lines.push_back({number, line});
  }
  return lines;
}

absl::string_view TakeField(absl::string_view* rest) {
  absl::string_view text = absl::StripLeadingAsciiWhitespace(*rest);
  const auto end = std::find_if(text.begin(), text.end(), absl::ascii_isspace);
  absl::string_view field = text.substr(0, end - text.begin());
  *rest = absl::StripLeadingAsciiWhitespace(text.substr(field.size()));
  return field;
}

bool IsIdentifier(absl::string_view text) {
  if (text.empty() || absl::ascii_isdigit(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

}  // namespace kpath
