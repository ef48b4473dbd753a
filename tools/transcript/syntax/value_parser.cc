// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/value_parser.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace kpath::strace {
namespace {

// How tightly an operator binds; 0 if it is none.
int Precedence(const Token& token) {
  if (token.kind != TokenKind::kOperator) return 0;
  switch (token.text[0]) {
    case '&':
      return 1;
    case '=':
      return 2;
    case '|':
      return 3;
    case '<':
      return 4;
    default:
      return 5;  // *
  }
}

bool UsuallySpaced(absl::string_view op) { return op == "==" || op == "&&"; }

bool StartsValue(TokenKind kind) {
  return kind == TokenKind::kInteger || kind == TokenKind::kSymbol || kind == TokenKind::kString ||
         kind == TokenKind::kVerbatim || kind == TokenKind::kOpen || kind == TokenKind::kTilde;
}

// Reads the digits of a number in `radix`; false if it does not fit 64 bits.
bool ReadDigits(absl::string_view digits, uint64_t radix, uint64_t* number) {
  for (const char c : digits) {
    const uint64_t digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    if (__builtin_mul_overflow(*number, radix, number)) return false;
    if (__builtin_add_overflow(*number, digit, number)) return false;
  }
  return true;
}

// Sets number, radix, negative and overflow from the spelling.
void SetNumber(absl::string_view spelling, Value* value) {
  constexpr uint64_t kMostNegative = uint64_t{1} << 63;
  value->text = spelling;
  value->negative = absl::ConsumePrefix(&spelling, "-");
  if (absl::ConsumePrefix(&spelling, "0x")) {
    value->radix = Radix::kHex;
    value->overflow = !ReadDigits(spelling, 16, &value->number);
  } else if (spelling.size() > 1 && spelling[0] == '0') {
    value->radix = Radix::kOctal;
    value->overflow = !ReadDigits(spelling, 8, &value->number);
  } else {
    value->overflow = !ReadDigits(spelling, 10, &value->number);
  }
  if (value->negative && value->number > kMostNegative) value->overflow = true;
  if (value->overflow) value->number = 0;
  if (value->negative) value->number = -value->number;
}

}  // namespace

bool ValueParser::ParseArguments(absl::Span<const Value>* values, bool* unfinished) {
  ListEnd end;
  const bool good = ParseList(')', Words::kSymbols, values, &end);
  *unfinished = end.unfinished;
  return good;
}

bool ValueParser::ParseRemark(Value* remark) {
  ListEnd end;
  ++depth_;
  const bool good = ParseList(')', Words::kAnything, &remark->children, &end);
  --depth_;
  remark->abbreviated = end.abbreviated;
  if (good && end.open) return lexer_.Unexpected("')'");
  return good;
}

// True where nothing more of the call was printed.
bool ValueParser::CutHere() const {
  if (lexer_.PeekIs(TokenKind::kUnfinished)) return true;
  return to_be_continued_ && lexer_.PeekIs(TokenKind::kEnd);
}

absl::Span<const Value> ValueParser::PopFrom(size_t first) {
  const absl::Span<const Value> items =
      arena_.Copy(absl::MakeConstSpan(stack_).subspan(first, stack_.size() - first));
  stack_.resize(first);
  return items;
}

// The end of a list. Inner lists leave <unfinished ...> to the outermost.
bool ValueParser::Close(char close, ListEnd* end) {
  end->open = CutHere();
  if (end->open && (depth_ > 0 || to_be_continued_)) return true;
  if (depth_ == 0 && to_be_continued_) return lexer_.Unexpected("',' or \"<unfinished ...>\"");
  end->unfinished = end->open;
  if (end->unfinished) lexer_.Take();
  const bool only_close = end->unfinished || end->abbreviated;
  return lexer_.Expect(TokenKind::kClose, close,
                       absl::StrCat(only_close ? "'" : "',' or '", std::string(1, close), "'"));
}

bool ValueParser::ParseList(char close, Words words, absl::Span<const Value>* items, ListEnd* end) {
  const size_t first = stack_.size();
  bool more = !lexer_.PeekIs(TokenKind::kClose, close) && !CutHere();
  while (more) {
    end->abbreviated = depth_ > 0 && lexer_.PeekIs(TokenKind::kEllipsis);
    if (end->abbreviated) {
      lexer_.Take();
      break;
    }
    Value item;
    if (!ParseItem(words, &item)) return false;
    stack_.push_back(item);
    more = lexer_.PeekIs(TokenKind::kComma);
    if (more) lexer_.Take();
  }
  if (!Close(close, end)) return false;
  *items = PopFrom(first);
  return true;
}

bool ValueParser::ParseItem(Words words, Value* value) {
  const Position start = lexer_.NextPosition();
  absl::string_view name;
  if (lexer_.PeekIsName()) {
    name = lexer_.Take().text;
    lexer_.Take();  // =
  } else if (words == Words::kBits) {
    lexer_.TakeDesignator(&name);
  }
  if (!ParseWords(words, value)) return false;
  if (lexer_.PeekIs(TokenKind::kArrow)) {
    lexer_.Take();
    const size_t first = stack_.size();
    stack_.push_back(*value);
    Value out;
    if (!ParseWords(words, &out)) return false;
    stack_.push_back(out);
    *value = Value();
    value->kind = ValueKind::kPair;
    value->children = PopFrom(first);
  }
  value->name = name;
  value->position = start;
  return true;
}

// True if another word may stand behind `first` and one does.
bool ValueParser::MayFollow(Words words, const Value& first) const {
  const Token& next = lexer_.Peek();
  if (!next.blank_before || lexer_.PeekIsName()) return false;
  const bool symbol = next.kind == TokenKind::kSymbol;
  const bool bit = symbol || next.kind == TokenKind::kInteger;
  const bool behind_symbol = first.kind == ValueKind::kSymbol;
  switch (words) {
    case Words::kSymbols:
      return behind_symbol && symbol;
    case Words::kBits:
      return (behind_symbol || first.kind == ValueKind::kInteger) && bit;
    case Words::kAnything:
      return behind_symbol && StartsValue(next.kind);
  }
  return false;
}

bool ValueParser::ParseWords(Words words, Value* value) {
  if (!ParseOperation(1, value)) return false;
  if (!MayFollow(words, *value)) return true;
  const size_t first = stack_.size();
  stack_.push_back(*value);
  while (MayFollow(words, stack_[first])) {
    Value next;
    if (!ParseOperation(1, &next)) return false;
    stack_.push_back(next);
  }
  Value all;
  all.kind = ValueKind::kWords;
  all.position = value->position;
  // {B38400 opost isig ...}: here the dots follow without a comma.
  all.abbreviated = lexer_.PeekIs(TokenKind::kEllipsis);
  if (all.abbreviated) lexer_.Take();
  all.children = PopFrom(first);
  *value = all;
  return true;
}

// Operands joined by operators that bind at least as tightly as `precedence`.
bool ValueParser::ParseOperation(int precedence, Value* value) {
  if (!ParseOperand(value)) return false;
  for (int next = Precedence(lexer_.Peek()); next >= precedence; next = Precedence(lexer_.Peek())) {
    const Token op = lexer_.Peek();
    const size_t first = stack_.size();
    stack_.push_back(*value);
    while (lexer_.PeekIs(TokenKind::kOperator) && lexer_.Peek().text == op.text) {
      lexer_.Take();
      Value operand;
      if (!ParseOperation(next + 1, &operand)) return false;
      stack_.push_back(operand);
    }
    Value all;
    all.kind = op.text == "|" ? ValueKind::kFlags : ValueKind::kOperation;
    if (all.kind == ValueKind::kOperation) all.text = op.text;
    all.spaced = op.blank_before && !UsuallySpaced(op.text);
    all.position = value->position;
    all.children = PopFrom(first);
    *value = all;
  }
  return true;
}

bool ValueParser::ParseOperand(Value* value) {
  if (CutHere()) {
    value->position = lexer_.NextPosition();
    return true;
  }
  return ParsePrimary(value);
}

bool ValueParser::ParsePrimary(Value* value) {
  value->position = lexer_.NextPosition();
  bool good = true;
  switch (lexer_.Peek().kind) {
    case TokenKind::kInteger:
      good = ParseInteger(value);
      break;
    case TokenKind::kSymbol:
      good = ParseSymbol(value);
      break;
    case TokenKind::kString:
      good = ParseString(value);
      break;
    case TokenKind::kOpen:
      good = ParseBracketed(value);
      break;
    case TokenKind::kTilde:
      good = ParseComplement(value);
      break;
    case TokenKind::kVerbatim:
      value->kind = ValueKind::kVerbatim;
      value->text = lexer_.Take().text;
      break;
    case TokenKind::kComment:
      break;  // [/* 20 vars */]: kOmitted with a comment
    default:
      return lexer_.Unexpected("a value");
  }
  return good && ParseDecoration(value);
}

bool ValueParser::ParseInteger(Value* value) {
  value->kind = ValueKind::kInteger;
  SetNumber(lexer_.Take().text, value);
  return true;
}

bool ValueParser::ParseSymbol(Value* value) {
  value->text = lexer_.Take().text;
  if (lexer_.PeekIs(TokenKind::kOpen, '(') && !lexer_.Peek().blank_before) {
    value->kind = ValueKind::kCall;
    return ParseBracketed(value);
  }
  value->kind = value->text == "NULL" ? ValueKind::kNull : ValueKind::kSymbol;
  if (value->kind == ValueKind::kNull) value->text = absl::string_view();
  return true;
}

bool ValueParser::ParseString(Value* value) {
  const Token token = lexer_.Take();
  value->kind = ValueKind::kString;
  value->text = token.text;
  value->abbreviated = token.abbreviated;
  value->abstract = token.abstract;
  return true;
}

// {...}, [...] and, behind the name of a kCall, (...).
bool ValueParser::ParseBracketed(Value* value) {
  if (depth_ == kMaxNesting) {
    return lexer_.Fail(lexer_.NextPosition(),
                       absl::StrCat("brackets nest too deep, expected at most ", kMaxNesting,
                                    " inside each other"));
  }
  const char open = lexer_.Peek().text[0];
  if (open == '(' && value->kind != ValueKind::kCall) return lexer_.Unexpected("a value");
  lexer_.Take();
  if (open == '{') value->kind = ValueKind::kStruct;
  if (open == '[') value->kind = ValueKind::kArray;
  const char close = open == '{' ? '}' : open == '[' ? ']' : ')';
  const Words words = open == '[' ? Words::kBits : Words::kSymbols;
  ListEnd end;
  ++depth_;
  const bool good = ParseList(close, words, &value->children, &end);
  --depth_;
  if (!good) return false;
  value->abbreviated = end.abbreviated;
  value->open = end.open;
  const bool one_item = value->children.size() == 1 && !end.abbreviated;
  if (open == '[' && one_item && value->children[0].kind == ValueKind::kWords &&
      value->children[0].name.empty()) {
    value->kind = ValueKind::kBitSet;
    value->abbreviated = value->children[0].abbreviated;
    value->children = value->children[0].children;
  }
  return true;
}

bool ValueParser::ParseComplement(Value* value) {
  lexer_.Take();
  if (!lexer_.PeekIs(TokenKind::kOpen, '[')) return lexer_.Unexpected("'[' behind '~'");
  if (!ParseBracketed(value)) return false;
  const bool list = value->children.size() > 1 || value->abbreviated;
  if (value->kind == ValueKind::kArray && list) {
    return lexer_.Fail(value->position, "bad set ~[...], expected names with blanks between");
  }
  value->kind = ValueKind::kBitSet;
  value->complement = true;
  return true;
}

// </path> and /* comment */ behind a value.
bool ValueParser::ParseDecoration(Value* value) {
  if (!lexer_.PeekIs(TokenKind::kDescriptor) && !lexer_.PeekIs(TokenKind::kComment)) return true;
  Decoration decoration;
  if (lexer_.PeekIs(TokenKind::kDescriptor)) {
    const Token token = lexer_.Take();
    decoration.has_descriptor = true;
    decoration.descriptor = token.text;
    decoration.deleted = token.deleted;
  }
  if (lexer_.PeekIs(TokenKind::kComment)) {
    decoration.has_comment = true;
    decoration.comment = lexer_.Take().text;
  }
  value->decoration = arena_.New(decoration);
  return true;
}

}  // namespace kpath::strace
