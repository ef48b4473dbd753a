// SPDX-License-Identifier: Apache-2.0

#include "tests/tidy/code_text.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace kpath::tidy {
namespace {

// Reads `source` from left to right and writes its code to an equally long text.
class Blanker {
 public:
  explicit Blanker(absl::string_view source) : source_(source), code_(source) {}

  std::string Run() {
    while (at_ < source_.size()) Step();
    return code_;
  }

 private:
  void Step() {
    if (StartsWith("//")) return BlankUntil(FindFrom("\n", at_));
    if (StartsWith("/*")) return BlankUntil(EndOf("*/", at_ + 2));
    if (StartsWith("R\"") && !IsInsideWord()) return BlankRawString();
    if (source_[at_] == '"') return BlankQuoted('"');
    if (source_[at_] == '\'' && !IsInsideWord()) return BlankQuoted('\'');
    ++at_;
  }

  bool StartsWith(absl::string_view text) const { return source_.substr(at_, text.size()) == text; }

  // True when a letter or digit stands before: the ' in 1'000, the R in FOR"".
  bool IsInsideWord() const {
    if (at_ == 0) return false;
    const unsigned char before = static_cast<unsigned char>(source_[at_ - 1]);
    return std::isalnum(before) || before == '_';
  }

  size_t FindFrom(absl::string_view text, size_t from) const {
    return std::min(source_.find(text, from), source_.size());
  }

  size_t EndOf(absl::string_view text, size_t from) const {
    return std::min(FindFrom(text, from) + text.size(), source_.size());
  }

  void BlankUntil(size_t end) {
    for (; at_ < end; ++at_) {
      if (source_[at_] != '\n') code_[at_] = ' ';
    }
  }

  // Blanks the inside of a literal that ends with an unescaped `quote`, or with the line.
  void BlankQuoted(char quote) {
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote && source_[end] != '\n') {
      end += source_[end] == '\\' ? 2 : 1;
    }
    ++at_;
    BlankUntil(std::min(end, source_.size()));
    if (at_ < source_.size()) ++at_;
  }

  // Blanks the inside of R"delimiter(...)delimiter".
  void BlankRawString() {
    const size_t open = FindFrom("(", at_);
    const absl::string_view delimiter = source_.substr(at_ + 2, open - (at_ + 2));
    const size_t end = FindFrom(absl::StrCat(")", delimiter, "\""), open);
    at_ += 2;
    BlankUntil(end);
    at_ = std::min(end + delimiter.size() + 2, source_.size());
  }

  absl::string_view source_;
  std::string code_;
  size_t at_ = 0;
};

}  // namespace

std::string BlankCommentsAndLiterals(absl::string_view source) { return Blanker(source).Run(); }

}  // namespace kpath::tidy
