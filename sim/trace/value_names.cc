// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/value_names.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kpath {
namespace {

// Whether the name is `before`, a parenthesis, something, and that parenthesis' end.
bool IsWrapped(absl::string_view name, absl::string_view before) {
  return absl::StartsWith(name, before) && absl::EndsWith(name, ")");
}

absl::string_view Unwrapped(absl::string_view name) {
  for (const absl::string_view before : {"Value::Address(", "Value::Result("}) {
    if (IsWrapped(name, before)) return name.substr(before.size(), name.size() - before.size() - 1);
  }
  const size_t inside = name.find(">(");
  if (IsWrapped(name, "static_cast<") && inside != absl::string_view::npos) {
    return name.substr(inside + 2, name.size() - inside - 3);
  }
  return name;
}

}  // namespace

std::vector<absl::string_view> ValueNames(absl::string_view written) {
  std::vector<absl::string_view> names;
  if (absl::StripAsciiWhitespace(written).empty()) return names;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= written.size(); ++i) {
    const char c = i < written.size() ? written[i] : ',';
    if (c == '(' || c == '[' || c == '{') ++depth;
    if (c == ')' || c == ']' || c == '}') --depth;
    if (c != ',' || depth != 0) continue;
    names.push_back(Unwrapped(absl::StripAsciiWhitespace(written.substr(begin, i - begin))));
    begin = i + 1;
  }
  return names;
}

std::string NamedValues(absl::string_view written, absl::Span<const Value> values) {
  const std::vector<absl::string_view> names = ValueNames(written);
  std::string text;
  for (size_t i = 0; i < values.size(); ++i) {
    const absl::string_view name = i < names.size() ? names[i] : absl::string_view();
    absl::StrAppend(&text, i == 0 ? "" : ", ", name, name.empty() ? "" : "=", values[i].ToString());
  }
  return text;
}

}  // namespace kpath
