// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/lexer.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace kpath::strace {
namespace {

constexpr absl::string_view kUnfinishedMark = "<unfinished ...>";
constexpr absl::string_view kDetachedMark = "<detached ...>";
constexpr absl::string_view kUnavailableMark = "<unavailable>";
constexpr absl::string_view kDeletedMark = "(deleted)";

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

bool IsWordCharacter(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '?'; }

// text[i], or 0 behind the end.
char At(absl::string_view text, size_t i) { return i < text.size() ? text[i] : '\0'; }

template <typename Predicate>
size_t CountWhile(absl::string_view text, Predicate holds) {
  size_t count = 0;
  while (count < text.size() && holds(text[count])) ++count;
  return count;
}

// The length of the word at the start of `text`: letters, digits, _ and ?, a dot between letters
// (fmt.pix), and in front & (&sin6_addr) or - (-opost).
size_t WordSize(absl::string_view text) {
  size_t size = At(text, 0) == '&' || At(text, 0) == '-' ? 1 : 0;
  while (size < text.size()) {
    const bool inner_dot = text[size] == '.' && absl::ascii_isalpha(At(text, size + 1));
    if (!IsWordCharacter(text[size]) && !inner_dot) break;
    ++size;
  }
  return size;
}

// The length of a hardware address (00:16:3e:00:00:01) at the start of `text`, or 0.
size_t HardwareAddressSize(absl::string_view text) {
  if (At(text, 2) != ':' || At(text, 5) != ':') return 0;
  const size_t size = CountWhile(text, [](char c) { return absl::ascii_isxdigit(c) || c == ':'; });
  for (size_t i = 0; i < size; ++i) {
    if ((text[i] == ':') != (i % 3 == 2)) return 0;
  }
  return size % 3 == 2 ? size : 0;
}

// The length of a date at the start of `text`, 2026-11-26T14:57:46+0000 or, of older straces,
// 2017/09/12-10:00:00; else 0.
size_t DateSize(absl::string_view text) {
  const bool slashes = At(text, 4) == '/' && At(text, 7) == '/';
  const bool hyphens = At(text, 4) == '-' && At(text, 7) == '-' && At(text, 10) == 'T';
  if (!slashes && !hyphens) return 0;
  return CountWhile(text, [hyphens](char c) {
    return absl::ascii_isdigit(c) || absl::StrContains("/-:.", c) ||
           (hyphens && (c == 'T' || c == '+'));
  });
}

// True if the character behind a backslash in a string is one that Bytes() knows.
bool IsEscape(absl::string_view behind_backslash) {
  const char c = At(behind_backslash, 0);
  if (c == 'x') return absl::ascii_isxdigit(At(behind_backslash, 1));
  return (c >= '0' && c <= '7') || (c != '\0' && absl::StrContains("abefnrtv\"\\'", c));
}

// The offset of the `>` that ends the description of a descriptor; `text` begins behind its `<`.
// Angle brackets nest (/dev/tty<char 5:0>); inside square brackets `->` is an arrow between two
// sockets, and a socket's name may be quoted.
size_t DescriptorEnd(absl::string_view text) {
  int angles = 0;
  int squares = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      continue;
    } else if (c == '[') {
      ++squares;
    } else if (c == ']') {
      --squares;
    } else if (c == '<') {
      ++angles;
    } else if (c == '>' && !(squares > 0 && i > 0 && text[i - 1] == '-') && angles-- == 0) {
      return i;
    }
  }
  return absl::string_view::npos;
}

// The offset of the `)` that closes a `(` in front of `text`.
size_t ParenthesisEnd(absl::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && depth-- == 0) return i;
  }
  return absl::string_view::npos;
}

// How a message names a token.
std::string Describe(const Token& token) {
  switch (token.kind) {
    case TokenKind::kEnd:
      return "end of line";
    case TokenKind::kString:
      return absl::StrCat("string ", Quoted(token.text));
    case TokenKind::kComment:
      return "comment";
    case TokenKind::kDescriptor:
    case TokenKind::kDuration:
      return Quoted(absl::StrCat("<", token.text, ">"));
    default:
      return Quoted(token.text);
  }
}

}  // namespace

Lexer::Lexer(absl::string_view text, absl::Span<const Piece> pieces, FirstError* error)
    : text_(text), pieces_(pieces), error_(error) {
  EnterPiece(0);
  Scan();
}

void Lexer::EnterPiece(size_t index) {
  piece_ = index;
  limit_ = index + 1 < pieces_.size() ? pieces_[index + 1].offset : text_.size();
  if (index > 0) cuts_[cut_count_++] = taken_;
}

Position Lexer::PositionOf(uint32_t offset) const {
  size_t i = pieces_.size() - 1;
  while (i > 0 && pieces_[i].offset > offset) --i;
  const Position start = pieces_[i].position;
  return {start.line, start.column + (offset - pieces_[i].offset)};
}

Token Lexer::Take() {
  const Token token = next_;
  ++taken_;
  Scan();
  return token;
}

bool Lexer::Expect(TokenKind kind, char first, absl::string_view expected) {
  if (!PeekIs(kind, first)) return Unexpected(expected);
  Take();
  return true;
}

bool Lexer::PeekIsName() const {
  if (next_.kind != TokenKind::kSymbol) return false;
  absl::string_view rest = Rest();
  rest.remove_prefix(CountWhile(rest, IsBlank));
  return At(rest, 0) == '=' && At(rest, 1) != '=' && At(rest, 1) != '>';
}

bool Lexer::TakeDesignator(absl::string_view* designator) {
  if (!PeekIs(TokenKind::kOpen, '[')) return false;
  const absl::string_view rest = Rest();
  const size_t size = CountWhile(rest, [](char c) { return IsWordCharacter(c) || c == '-'; });
  if (size == 0 || At(rest, size) != ']' || At(rest, size + 1) != '=') return false;
  if (At(rest, size + 2) == '>' || At(rest, size + 2) == '=') return false;
  *designator = text_.substr(at_ - 1, size + 2);
  at_ += size + 2;
  Take();
  return true;
}

bool Lexer::TakeParenthesized(absl::string_view* text) {
  if (!PeekIs(TokenKind::kOpen, '(')) return false;
  const size_t end = ParenthesisEnd(Rest());
  if (end == absl::string_view::npos) return false;
  *text = Rest().substr(0, end);
  at_ += end + 1;
  Take();
  return true;
}

bool Lexer::Unexpected(absl::string_view expected) {
  if (next_.kind == TokenKind::kError) return error_->Fail(error_position_, error_message_);
  return error_->Fail(NextPosition(),
                      absl::StrCat("unexpected ", Describe(next_), ", expected ", expected));
}

TokenKind Lexer::Error(size_t offset, std::string message) {
  error_position_ = PositionOf(offset);
  error_message_ = std::move(message);
  at_ = limit_;
  return TokenKind::kError;
}

TokenKind Lexer::Advance(Token* token, size_t size, TokenKind kind) {
  token->text = text_.substr(at_, size);
  at_ += size;
  return kind;
}

void Lexer::Scan() {
  if (next_.kind == TokenKind::kError) return;
  Token token;
  while (true) {
    const size_t blanks = CountWhile(Rest(), IsBlank);
    token.blank_before |= blanks > 0;
    at_ += blanks;
    if (at_ < limit_ || piece_ + 1 >= pieces_.size()) break;
    EnterPiece(piece_ + 1);
  }
  token.offset = at_;
  token.kind = at_ < limit_ ? ScanToken(&token) : TokenKind::kEnd;
  next_ = token;
}

TokenKind Lexer::ScanToken(Token* token) {
  const absl::string_view rest = Rest();
  const char c = rest[0];
  if (absl::ascii_isalnum(c)) {
    if (const size_t size = HardwareAddressSize(rest)) {
      return Advance(token, size, TokenKind::kVerbatim);
    }
    if (const size_t size = DateSize(rest)) return Advance(token, size, TokenKind::kVerbatim);
  }
  if (absl::ascii_isdigit(c)) return ScanNumber(token);
  if (c == '-' && absl::ascii_isdigit(At(rest, 1))) return ScanNumber(token);
  if (IsWordCharacter(c)) return Advance(token, WordSize(rest), TokenKind::kSymbol);
  if ((c == '-' || (c == '&' && At(rest, 1) != '&')) && WordSize(rest) > 1) {
    return Advance(token, WordSize(rest), TokenKind::kSymbol);
  }
  if (c == '"' || (c == '@' && At(rest, 1) == '"')) return ScanString(token);
  if (c == '/' && At(rest, 1) == '*') return ScanComment(token);
  if (c == '<') return ScanAngle(token);
  return ScanPunctuation(token);
}

TokenKind Lexer::ScanNumber(Token* token) {
  const absl::string_view rest = Rest();
  const size_t sign = rest[0] == '-' ? 1 : 0;
  const size_t size = sign + CountWhile(rest.substr(sign), IsWordCharacter);
  const absl::string_view digits = rest.substr(sign, size - sign);
  const bool hex = digits.size() > 2 && digits[0] == '0' && digits[1] == 'x';
  const bool octal = !hex && digits.size() > 1 && digits[0] == '0';
  const size_t good =
      hex ? 2 + CountWhile(digits.substr(2), [](char c) { return absl::ascii_isxdigit(c); })
          : CountWhile(digits, [octal](char c) { return c >= '0' && c <= (octal ? '7' : '9'); });
  if (good == digits.size()) return Advance(token, size, TokenKind::kInteger);
  return Error(at_, absl::StrCat("bad number ", Quoted(rest.substr(0, size)),
                                 ", expected decimal, octal (0...) or hexadecimal (0x...) digits"));
}

TokenKind Lexer::ScanString(Token* token) {
  const size_t start = at_;
  token->abstract = text_[at_] == '@';
  at_ += token->abstract ? 2 : 1;
  const size_t first = at_;
  while (at_ < limit_ && text_[at_] != '"') {
    if (text_[at_] == '\\') {
      ++at_;
      if (at_ < limit_ && !IsEscape(Rest())) {
        return Error(at_ - 1,
                     absl::StrCat("unknown escape ", Quoted(text_.substr(at_ - 1, 2)),
                                  ", expected \\n, \\t, \\\", \\\\, \\177, \\x7f or such"));
      }
    }
    ++at_;
  }
  if (at_ >= limit_) return Error(start, "string does not end on this line, expected '\"'");
  token->text = text_.substr(first, at_ - first);
  ++at_;
  token->abbreviated = absl::StartsWith(Rest(), "...");
  if (token->abbreviated) at_ += 3;
  return TokenKind::kString;
}

TokenKind Lexer::ScanComment(Token* token) {
  const size_t end = Rest().find("*/", 2);
  if (end == absl::string_view::npos) {
    return Error(at_, "comment does not end on this line, expected \"*/\"");
  }
  token->text = text_.substr(at_ + 2, end - 2);
  at_ += end + 2;
  return TokenKind::kComment;
}

TokenKind Lexer::ScanAngle(Token* token) {
  const absl::string_view rest = Rest();
  if (absl::StartsWith(rest, "<<")) return Advance(token, 2, TokenKind::kOperator);
  const bool adjacent = !token->blank_before && at_ > pieces_[piece_].offset;
  const bool describable = next_.kind == TokenKind::kInteger || next_.kind == TokenKind::kSymbol;
  if (adjacent && describable) return ScanDescriptor(token);
  if (absl::StartsWith(rest, kUnfinishedMark)) {
    return Advance(token, kUnfinishedMark.size(), TokenKind::kUnfinished);
  }
  if (absl::StartsWith(rest, kDetachedMark)) {
    return Advance(token, kDetachedMark.size(), TokenKind::kDetached);
  }
  if (absl::StartsWith(rest, kUnavailableMark)) {
    return Advance(token, kUnavailableMark.size(), TokenKind::kVerbatim);
  }
  const size_t end = rest.find('>');
  if (end != absl::string_view::npos) {
    if (absl::StartsWith(rest, "<... ")) return Advance(token, end + 1, TokenKind::kVerbatim);
    if (absl::ascii_isdigit(At(rest, 1))) {
      token->text = rest.substr(1, end - 1);
      at_ += end + 1;
      return TokenKind::kDuration;
    }
  }
  return Error(at_, "unexpected \"<\", expected a value or a separator");
}

TokenKind Lexer::ScanDescriptor(Token* token) {
  const size_t end = DescriptorEnd(Rest().substr(1));
  if (end == absl::string_view::npos) {
    return Error(at_, "description of a descriptor does not end on this line, expected \">\"");
  }
  token->text = text_.substr(at_ + 1, end);
  at_ += end + 2;
  token->deleted = absl::StartsWith(Rest(), kDeletedMark);
  if (token->deleted) at_ += kDeletedMark.size();
  return TokenKind::kDescriptor;
}

TokenKind Lexer::ScanPunctuation(Token* token) {
  const absl::string_view rest = Rest();
  if (absl::StartsWith(rest, "...")) return Advance(token, 3, TokenKind::kEllipsis);
  if (absl::StartsWith(rest, "=>")) return Advance(token, 2, TokenKind::kArrow);
  if (absl::StartsWith(rest, "==") || absl::StartsWith(rest, "&&")) {
    return Advance(token, 2, TokenKind::kOperator);
  }
  switch (rest[0]) {
    case '(':
    case '[':
    case '{':
      return Advance(token, 1, TokenKind::kOpen);
    case ')':
    case ']':
    case '}':
      return Advance(token, 1, TokenKind::kClose);
    case ',':
      return Advance(token, 1, TokenKind::kComma);
    case '=':
      return Advance(token, 1, TokenKind::kAssign);
    case '|':
    case '*':
      return Advance(token, 1, TokenKind::kOperator);
    case '~':
      return Advance(token, 1, TokenKind::kTilde);
    default:
      return Error(at_, absl::StrCat("unexpected character ", Quoted(rest.substr(0, 1)),
                                     ", expected a value or a separator"));
  }
}

}  // namespace kpath::strace
