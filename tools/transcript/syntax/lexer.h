// SPDX-License-Identifier: Apache-2.0
//
// Cuts the text of one call (`read(3, "abc", 3) = 3`) into tokens.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/transcript/syntax/error.h"
#include "tools/transcript/syntax/value.h"

namespace kpath::strace {

// A call that was interrupted stands on several lines. Its text is their pieces joined; a piece
// says where in the joined text it begins and where in the file that is.
struct Piece {
  uint32_t offset = 0;
  Position position;
};

enum class TokenKind : uint8_t {
  kEnd,
  kInteger,
  kSymbol,
  kString,      // text: what stands between the quotes
  kVerbatim,    // 00:16:3e:00:00:01, 2017/09/12-10:00:00, <... resuming ...>, <unavailable>
  kDescriptor,  // </path> directly behind a number or symbol; text: between the angle brackets
  kDuration,    // <0.000012>; text: between the angle brackets
  kComment,     // text: between /* and */
  kEllipsis,    // ...
  kUnfinished,  // <unfinished ...>
  kDetached,    // <detached ...>
  kArrow,       // =>
  kOperator,    // | << * == &&
  kOpen,        // ( [ {
  kClose,       // ) ] }
  kComma,
  kAssign,  // =
  kTilde,
  kError,  // not a token; Unexpected() says why
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  bool blank_before = false;
  bool abbreviated = false;  // kString: "..." follows
  bool abstract = false;     // kString: @ stands before
  bool deleted = false;      // kDescriptor: (deleted) follows
  uint32_t offset = 0;       // of the first character in the joined text
  absl::string_view text;
};

// Thread safety: none. Borrows text, pieces and error.
class Lexer {
 public:
  // The most pieces that a call may be cut into.
  static constexpr size_t kMostPieces = 4;

  // `pieces`: 1 to kMostPieces, the first at offset 0, ascending. No token crosses a piece's end.
  Lexer(absl::string_view text, absl::Span<const Piece> pieces, FirstError* error);

  // The next token, without taking it.
  const Token& Peek() const { return next_; }
  bool PeekIs(TokenKind kind) const { return next_.kind == kind; }
  bool PeekIs(TokenKind kind, char first) const {
    return next_.kind == kind && next_.text[0] == first;
  }

  // Takes the next token.
  Token Take();

  // Takes the next token if it is a `kind` that begins with `first`; else fails as Unexpected().
  bool Expect(TokenKind kind, char first, absl::string_view expected);

  // True if the next token is a symbol that names a field: `=` follows, and not `==` or `=>`.
  bool PeekIsName() const;

  // If the next token is the `[` of a designator `[VINTR]=`, takes it whole, `=` included, and
  // sets *designator to `[VINTR]`.
  bool TakeDesignator(absl::string_view* designator);

  // If the next token is a `(` and something closes it, takes all that and sets *text to what
  // stands between, whatever it is.
  bool TakeParenthesized(absl::string_view* text);

  // Fails: the next token is not what was expected ("a value", "','"). Returns false.
  bool Unexpected(absl::string_view expected);

  // Fails at `position`. Returns false.
  bool Fail(Position position, std::string message) {
    return error_->Fail(position, std::move(message));
  }

  Position PositionOf(uint32_t offset) const;
  Position NextPosition() const { return PositionOf(next_.offset); }

  // For each piece but the first: how many tokens stand before it. Complete when Peek() is kEnd.
  absl::Span<const uint32_t> cuts() const { return absl::MakeConstSpan(cuts_, cut_count_); }

 private:
  void Scan();
  TokenKind ScanToken(Token* token);
  TokenKind ScanWord(Token* token);
  TokenKind ScanNumber(Token* token);
  TokenKind ScanVerbatim(Token* token, size_t size);
  TokenKind ScanString(Token* token);
  TokenKind ScanComment(Token* token);
  TokenKind ScanAngle(Token* token);
  TokenKind ScanDescriptor(Token* token);
  TokenKind ScanPunctuation(Token* token);
  TokenKind Error(size_t offset, std::string message);

  // The rest of the present piece.
  absl::string_view Rest() const { return text_.substr(at_, limit_ - at_); }

  // Takes the next `size` characters into token->text.
  TokenKind Advance(Token* token, size_t size, TokenKind kind);

  void EnterPiece(size_t index);

  absl::string_view text_;
  absl::Span<const Piece> pieces_;
  FirstError* error_;
  size_t at_ = 0;     // where to scan on, behind next_
  size_t limit_ = 0;  // end of the present piece
  size_t piece_ = 0;
  Token next_;
  uint32_t taken_ = 0;  // tokens
  uint32_t cuts_[kMostPieces - 1] = {};
  size_t cut_count_ = 0;
  Position error_position_;  // kError
  std::string error_message_;
};

}  // namespace kpath::strace
