// SPDX-License-Identifier: Apache-2.0
#include "inspect/expression_token.h"

#include <cctype>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kpath {
namespace {

// Longest first.
constexpr absl::string_view kSigns[] = {
    "->", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "+", "-", "*", "/", "%", "&", "|",
    "^",  "~",  "!",  "<",  ">",  "?",  ":",  "(",  ")",  "[", "]", ".", "@", ",", "="};

bool IsNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsNamePart(char c) { return IsNameStart(c) || std::isdigit(static_cast<unsigned char>(c)); }

size_t NameLength(absl::string_view text) {
  size_t length = 0;
  while (length < text.size() && IsNamePart(text[length])) ++length;
  return length;
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

// 12, 0x1f, 017, with u and l behind it. False: it is none, or too large.
bool ReadNumber(absl::string_view word, Token* token) {
  uint64_t base = 10;
  if (absl::StartsWithIgnoreCase(word, "0x")) {
    base = 16;
    word.remove_prefix(2);
  } else if (word.size() > 1 && word[0] == '0') {
    base = 8;
    word.remove_prefix(1);
  }
  size_t digits = 0;
  for (; digits < word.size() && DigitOf(word[digits]) < 16; ++digits) {
    const auto digit = static_cast<uint64_t>(DigitOf(word[digits]));
    if (digit >= base) return false;
    if (token->number > (~uint64_t{0} - digit) / base) return false;
    token->number = token->number * base + digit;
  }
  if (digits == 0 && base == 16) return false;
  for (const char c : word.substr(digits)) {
    if (c == 'u' || c == 'U') {
      token->is_unsigned = true;
    } else if (c == 'l' || c == 'L') {
      token->is_long = true;
    } else {
      return false;
    }
  }
  const bool is_decimal = base == 10;
  if (token->number > INT32_MAX) {
    if (is_decimal || token->number > UINT32_MAX) token->is_long = true;
    if (!is_decimal && token->number <= UINT32_MAX && !token->is_long) token->is_unsigned = true;
  }
  if (token->number > INT64_MAX) token->is_unsigned = true;
  return true;
}

// 'c' or '\n'. Returns its length, or 0.
size_t ReadChar(absl::string_view text, Token* token) {
  if (text.size() >= 3 && text[1] != '\\' && text[1] != '\'' && text[2] == '\'') {
    token->number = static_cast<uint64_t>(text[1]);
    return 3;
  }
  if (text.size() < 4 || text[1] != '\\' || text[3] != '\'') return 0;
  constexpr absl::string_view kLetters = "ntr0\\'";
  constexpr absl::string_view kValues("\n\t\r\0\\'", 6);
  const size_t at = kLetters.find(text[2]);
  if (at == absl::string_view::npos) return 0;
  token->number = static_cast<uint64_t>(kValues[at]);
  return 4;
}

// Reads one token at the front of `text`. Returns its length, or 0 with what is wrong in *error.
size_t ReadToken(absl::string_view text, Token* token, std::string* error) {
  const char c = text[0];
  if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
    token->kind = Token::Kind::kNumber;
    const size_t length = NameLength(text);
    token->text = std::string(text.substr(0, length));
    if (ReadNumber(token->text, token)) return length;
    *error = absl::StrCat("\"", token->text, "\" is no number of 64 bits");
    return 0;
  }
  if (IsNameStart(c)) {
    token->kind = Token::Kind::kName;
    token->text = std::string(text.substr(0, NameLength(text)));
    return token->text.size();
  }
  if (c == '$') {
    token->kind = Token::Kind::kVariable;
    const size_t length = absl::StartsWith(text, "$$") ? 1 : NameLength(text.substr(1));
    token->text = std::string(text.substr(1, length));
    return length + 1;
  }
  if (c == '\'') {
    token->kind = Token::Kind::kChar;
    const size_t length = ReadChar(text, token);
    if (length == 0) *error = "a character is written 'c' or '\\n'";
    return length;
  }
  for (const absl::string_view sign : kSigns) {
    if (!absl::StartsWith(text, sign)) continue;
    token->kind = Token::Kind::kSign;
    token->text = std::string(sign);
    return sign.size();
  }
  *error = absl::StrCat("\"", text.substr(0, 1), "\" means nothing in an expression");
  return 0;
}

}  // namespace

absl::Status ExpressionError(int column, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("column ", column, ": ", what));
}

absl::StatusOr<std::vector<Token>> SplitExpression(absl::string_view text) {
  std::vector<Token> tokens;
  size_t at = 0;
  while (true) {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
    Token token;
    token.column = static_cast<int>(at) + 1;
    if (at == text.size()) {
      token.text = "end of expression";
      tokens.push_back(token);
      return tokens;
    }
    std::string error;
    const size_t length = ReadToken(text.substr(at), &token, &error);
    if (length == 0) return ExpressionError(token.column, error);
    at += length;
    tokens.push_back(std::move(token));
  }
}

}  // namespace kpath
