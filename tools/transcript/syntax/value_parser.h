// SPDX-License-Identifier: Apache-2.0
//
// Builds values from tokens.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "tools/transcript/syntax/arena.h"
#include "tools/transcript/syntax/lexer.h"
#include "tools/transcript/syntax/transcript.h"
#include "tools/transcript/syntax/value.h"

namespace kpath::strace {

// Thread safety: none. Every function returns false after the first error, which is then in the
// lexer's FirstError. Values borrow from the arena and from the lexer's text.
class ValueParser {
 public:
  // `to_be_continued`: the text is the first part of an interrupted call, so it may end between
  // any two values; brackets that are open then count as closed, and a value that is due there
  // is kOmitted.
  ValueParser(Lexer* lexer, Arena* arena, bool to_be_continued = false)
      : lexer_(*lexer), arena_(*arena), to_be_continued_(to_be_continued) {}

  // One value: a primary one, that is, without operators (3</path>, "abc", {...}, f(x)).
  bool ParsePrimary(Value* value);

  // Values between commas, and the `)` that ends them. A call that never came back may have
  // `<unfinished ...>` before the `)`: *unfinished says so, and brackets open there are closed.
  bool ParseArguments(absl::Span<const Value>* values, bool* unfinished);

  // What stands in the parentheses behind a result, and the `)`, into the children of `remark`: as
  // arguments, but a word may stand before any value (`in [3], left {tv_sec=1}`).
  bool ParseRemark(Value* remark);

 private:
  // Which values may stand side by side without a comma.
  enum class Words : uint8_t {
    kSymbols,   // symbols only: SNDCTL_TMR_START or TCSETS
    kBits,      // symbols and numbers: [HUP INT]  [0 1]
    kAnything,  // anything behind a symbol: in [3]
  };

  // How a list came to its end.
  struct ListEnd {
    bool abbreviated = false;  // its last item is "..."
    bool open = false;         // the text was cut in it
    bool unfinished = false;   // outermost only: <unfinished ...> stands in front of `close`
  };

  bool ParseList(char close, Words words, absl::Span<const Value>* items, ListEnd* end);
  bool ParseItem(Words words, Value* value);
  bool ParseWords(Words words, Value* value);
  bool ParseOperation(int precedence, Value* value);
  bool ParseOperand(Value* value);
  bool ParseInteger(Value* value);
  bool ParseSymbol(Value* value);
  bool ParseString(Value* value);
  bool ParseBracketed(Value* value);
  bool ParseComplement(Value* value);
  bool ParseDecoration(Value* value);
  bool Close(char close, ListEnd* end);
  bool MayFollow(Words words, const Value& first) const;
  bool CutHere() const;
  absl::Span<const Value> PopFrom(size_t first);

  Lexer& lexer_;
  Arena& arena_;
  const bool to_be_continued_;
  int depth_ = 0;
  std::vector<Value> stack_;  // the items of all open brackets, outermost first
};

}  // namespace kpath::strace
