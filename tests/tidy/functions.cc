// SPDX-License-Identifier: Apache-2.0

#include "tests/tidy/functions.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace kpath::tidy {
namespace {

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == ':' || c == '~';
}

// `head` without what stands in parentheses: "void f(int a = 1) const" gives "void f() const".
std::string WithoutParameters(absl::string_view head) {
  std::string outside;
  int depth = 0;
  for (char c : head) {
    if (c == ')') --depth;
    if (depth == 0) outside += c;
    if (c == '(') ++depth;
  }
  return outside;
}

bool HasWord(absl::string_view text, absl::string_view word) {
  for (absl::string_view part : absl::StrSplit(text, absl::ByAnyChar(" \n\t<>"))) {
    if (part == word) return true;
  }
  return false;
}

// `head` without a leading `template <...>`.
absl::string_view WithoutTemplate(absl::string_view head) {
  if (!absl::StartsWith(head, "template")) return head;
  int depth = 0;
  for (size_t at = head.find('<'); at < head.size(); ++at) {
    if (head[at] == '<') ++depth;
    if (head[at] == '>' && --depth == 0) return head.substr(at + 1);
  }
  return head;
}

// What is left of `head` to tell what it begins.
std::string Outline(absl::string_view head) {
  return std::string(absl::StripAsciiWhitespace(
      WithoutParameters(WithoutTemplate(absl::StripAsciiWhitespace(head)))));
}

// True when `head`, the text between the last statement and a `{`, begins a function's body.
bool IsFunctionHead(absl::string_view head) {
  const std::string outside = Outline(head);
  if (!absl::StrContains(outside, ')')) return false;
  if (absl::StrContains(outside, "operator")) return true;
  for (absl::string_view word : {"class", "struct", "union", "enum", "namespace"}) {
    // `struct timespec f() {` is one, `class CAPABILITY("x") Mutex {` is not.
    if (HasWord(outside, word) && !absl::EndsWith(outside, ")")) return false;
  }
  return !absl::StrContains(outside, '=');
}

std::string NameIn(absl::string_view head) {
  const size_t end = head.find('(');
  size_t begin = std::min(end, head.find("operator"));
  while (begin > 0 && IsNameCharacter(head[begin - 1])) --begin;
  return std::string(head.substr(begin, end - begin));
}

// Reads code character by character, and knows the braces it is in.
class FunctionFinder {
 public:
  explicit FunctionFinder(absl::string_view code) : code_(code) {}

  std::vector<Function> Run() {
    bool in_directive = false;
    for (at_ = 0; at_ < code_.size(); ++at_) {
      if (code_[at_] == '#' && IsFirstInLine()) in_directive = true;
      if (!in_directive) Take(code_[at_]);
      if (code_[at_] != '\n') continue;
      ++line_;
      if (in_directive && code_[at_ - 1] != '\\') in_directive = false;
    }
    return functions_;
  }

 private:
  bool IsFirstInLine() const {
    const size_t line_start = code_.substr(0, at_).rfind('\n') + 1;
    const absl::string_view before = code_.substr(line_start, at_ - line_start);
    return absl::StripAsciiWhitespace(before).empty();
  }

  void Take(char c) {
    if (c == '{') return Open();
    if (c == '}') return Close();
    if (body_depth_ > 0) return;  // Inside a function only its end matters.
    if (c == '(') ++parentheses_;
    if (c == ')') --parentheses_;
    if (c == ';' && parentheses_ == 0) return head_.clear();
    // A label such as `public:` is no part of the head below it.
    if (c == ':' && absl::EndsWith(head_, "public")) return head_.clear();
    if (c == ':' && absl::EndsWith(head_, "protected")) return head_.clear();
    if (c == ':' && absl::EndsWith(head_, "private")) return head_.clear();
    if (head_.empty()) {
      if (absl::ascii_isspace(static_cast<unsigned char>(c))) return;
      head_line_ = line_;
    }
    head_ += c;
  }

  void Open() {
    if (body_depth_ > 0) {
      ++body_depth_;
    } else if (initializer_depth_ > 0 || IsInitializer()) {
      ++initializer_depth_;
    } else if (IsFunctionHead(head_)) {
      body_depth_ = 1;
    } else {
      head_.clear();  // a namespace, a class
    }
  }

  // True for the brace of `member_{1}`, `= {...}`, `= [] {...}` and `f({...})`.
  bool IsInitializer() const {
    if (parentheses_ > 0) return true;
    if (head_.empty()) return false;
    const std::string outline = Outline(head_);
    if (absl::StrContains(outline, '=') && !absl::StrContains(outline, "operator")) return true;
    return IsNameCharacter(head_.back()) || head_.back() == '>' || head_.back() == ']';
  }

  void Close() {
    if (initializer_depth_ > 0) {
      --initializer_depth_;
      return;
    }
    if (body_depth_ > 0 && --body_depth_ > 0) return;
    if (!head_.empty() && IsFunctionHead(head_)) {
      functions_.push_back({NameIn(head_), head_line_, line_ - head_line_ + 1});
    }
    head_.clear();
  }

  absl::string_view code_;
  size_t at_ = 0;
  int line_ = 1;
  std::string head_;  // the code since the last end of a statement or of a body
  int head_line_ = 1;
  int parentheses_ = 0;
  int initializer_depth_ = 0;
  int body_depth_ = 0;  // braces open since a function's body began
  std::vector<Function> functions_;
};

}  // namespace

std::vector<Function> FindFunctions(absl::string_view code) { return FunctionFinder(code).Run(); }

}  // namespace kpath::tidy
