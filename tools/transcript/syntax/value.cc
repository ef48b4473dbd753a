// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/value.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"

namespace kpath::strace {
namespace {

bool IsOctalDigit(char c) { return c >= '0' && c <= '7'; }

int HexDigit(char c) {
  return absl::ascii_isdigit(c) ? c - '0' : absl::ascii_tolower(c) - 'a' + 10;
}

// Reads up to three octal digits of `text` from *at on.
char OctalEscape(absl::string_view text, size_t* at) {
  int code = 0;
  for (int digits = 0; digits < 3 && *at < text.size() && IsOctalDigit(text[*at]); ++digits) {
    code = code * 8 + (text[(*at)++] - '0');
  }
  return static_cast<char>(code);
}

// Reads up to two hexadecimal digits of `text` from *at on.
char HexEscape(absl::string_view text, size_t* at) {
  int code = 0;
  for (int digits = 0; digits < 2 && *at < text.size() && absl::ascii_isxdigit(text[*at]);
       ++digits) {
    code = code * 16 + HexDigit(text[(*at)++]);
  }
  return static_cast<char>(code);
}

// The byte that the escape at text[*at] (the character behind the backslash) stands for; moves *at
// behind it.
char Unescape(absl::string_view text, size_t* at) {
  if (IsOctalDigit(text[*at])) return OctalEscape(text, at);
  const char letter = text[(*at)++];
  switch (letter) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'e':
      return '\033';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    case 'x':
      return HexEscape(text, at);
    default:
      return letter;
  }
}

// The letter of a one-letter escape, or 0.
char EscapeLetter(char c) {
  switch (c) {
    case '\t':
      return 't';
    case '\n':
      return 'n';
    case '\v':
      return 'v';
    case '\f':
      return 'f';
    case '\r':
      return 'r';
    case '"':
    case '\\':
      return c;
    default:
      return 0;
  }
}

}  // namespace

std::string Bytes(const Value& value) {
  if (value.kind != ValueKind::kString) return std::string();
  const absl::string_view text = value.text;
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const char c = text[at++];
    const bool escape = c == '\\' && at < text.size();
    bytes.push_back(escape ? Unescape(text, &at) : c);
  }
  return bytes;
}

std::string QuoteBytes(absl::string_view bytes) {
  std::string quoted = "\"";
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (const char letter = EscapeLetter(c); letter != 0) {
      quoted.push_back('\\');
      quoted.push_back(letter);
      continue;
    }
    if (absl::ascii_isprint(c)) {
      quoted.push_back(c);
      continue;
    }
    // A digit behind a short escape would become part of it.
    const bool digit_follows = i + 1 < bytes.size() && absl::ascii_isdigit(bytes[i + 1]);
    absl::StrAppendFormat(&quoted, "\\%0*o", digit_follows ? 3 : 1, static_cast<unsigned char>(c));
  }
  quoted.push_back('"');
  return quoted;
}

const Value* FindField(const Value& value, absl::string_view name) {
  if (value.kind == ValueKind::kPair) {
    const Value* out = FindField(value.children[1], name);
    return out != nullptr ? out : FindField(value.children[0], name);
  }
  if (value.kind != ValueKind::kStruct) return nullptr;
  for (const Value& field : value.children) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

absl::string_view Descriptor(const Value& value) {
  return value.decoration == nullptr ? absl::string_view() : value.decoration->descriptor;
}

}  // namespace kpath::strace
