// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/call_parser.h"

#include <vector>

#include "tools/transcript/syntax/leader.h"
#include "tools/transcript/syntax/value_parser.h"

namespace kpath::strace {
namespace {

// Reads a result. Each function returns false after an error.
class ResultParser {
 public:
  ResultParser(Lexer* lexer, ValueParser* values, Arena* arena, Result* result)
      : lexer_(*lexer), values_(*values), arena_(*arena), result_(*result) {}

  bool Parse() { return ParseValue() && ParseError() && ParseRemarks() && ParseDuration(); }

 private:
  bool ParseValue() {
    if (lexer_.PeekIs(TokenKind::kSymbol) && lexer_.Peek().text == "?") {
      lexer_.Take();
      result_.unavailable = lexer_.PeekIs(TokenKind::kVerbatim, '<');
      if (result_.unavailable) lexer_.Take();
      return true;
    }
    if (!lexer_.PeekIs(TokenKind::kInteger)) return lexer_.Unexpected("a number or '?'");
    result_.known = true;
    return values_.ParsePrimary(&result_.value);
  }

  // EBADF (Bad file descriptor)
  bool ParseError() {
    if (!lexer_.PeekIs(TokenKind::kSymbol)) return true;
    result_.error = lexer_.Take().text;
    if (lexer_.TakeParenthesized(&result_.message)) return true;
    return lexer_.Unexpected("the error's text in parentheses");
  }

  // (Timeout) (INJECTED)
  bool ParseRemarks() {
    std::vector<Value> remarks;
    while (lexer_.PeekIs(TokenKind::kOpen, '(')) {
      Value remark;
      remark.kind = ValueKind::kCall;
      remark.position = lexer_.NextPosition();
      lexer_.Take();
      if (!values_.ParseRemark(&remark)) return false;
      remarks.push_back(remark);
    }
    if (!remarks.empty()) result_.remarks = arena_.Copy(absl::MakeConstSpan(remarks));
    return true;
  }

  // <0.000012>
  bool ParseDuration() {
    if (!lexer_.PeekIs(TokenKind::kDuration)) return true;
    const Position position = lexer_.NextPosition();
    result_.duration = lexer_.Take().text;
    if (ParseSeconds(result_.duration, &result_.duration_ns)) return true;
    return lexer_.Fail(position, "bad duration, expected <0.000012>");
  }

  Lexer& lexer_;
  ValueParser& values_;
  Arena& arena_;
  Result& result_;
};

}  // namespace

bool ParseCallText(absl::string_view text, absl::Span<const Piece> pieces, bool to_be_continued,
                   Arena* arena, Call* call, FirstError* error) {
  Lexer lexer(text, pieces, error);
  ValueParser values(&lexer, arena, to_be_continued);
  if (!values.ParseArguments(&call->args, &call->args_unfinished)) return false;
  call->end = pieces.back().position;
  if (!to_be_continued) {
    call->returned = true;
    call->end = lexer.NextPosition();
    if (!lexer.Expect(TokenKind::kAssign, '=', "'=' and the result")) return false;
    if (!ResultParser(&lexer, &values, arena, &call->result).Parse()) return false;
  }
  if (!lexer.PeekIs(TokenKind::kEnd)) return lexer.Unexpected("the end of the line");
  call->cuts = arena->Copy(lexer.cuts());
  return true;
}

}  // namespace kpath::strace
