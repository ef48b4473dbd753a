// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/line_parser.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/transcript/syntax/leader.h"
#include "tools/transcript/syntax/lexer.h"
#include "tools/transcript/syntax/value_parser.h"

namespace kpath::strace {
namespace {

constexpr uint32_t kMaxExitStatus = 255;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

size_t CountBlanks(absl::string_view text) {
  size_t count = 0;
  while (count < text.size() && IsBlank(text[count])) ++count;
  return count;
}

bool IsNameCharacter(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '?'; }

// strace's own words, or what -k and -e write=... put under a call.
bool IsNote(absl::string_view text) {
  return absl::StartsWith(text, "strace: ") || absl::StartsWith(text, "Process ") ||
         absl::StartsWith(text, " > ") || absl::StartsWith(text, " | ") ||
         absl::StartsWith(text, " * ");
}

// Removes "strace: Process 1631 attached" from the end of *text and sets *pid to 1631.
bool ConsumeAttached(absl::string_view* text, uint32_t* pid) {
  absl::string_view rest = *text;
  if (!absl::ConsumeSuffix(&rest, " attached")) return false;
  size_t digits = 0;
  while (digits < rest.size() && absl::ascii_isdigit(rest[rest.size() - 1 - digits])) ++digits;
  const absl::string_view number = rest.substr(rest.size() - digits);
  rest.remove_suffix(digits);
  if (!absl::ConsumeSuffix(&rest, "strace: Process ")) return false;
  if (!absl::SimpleAtoi(number, pid)) return false;
  *text = rest;
  return true;
}

// Reads one line. Each Parse function returns false after an error.
class LineParser {
 public:
  LineParser(absl::string_view text, Arena* arena, Line* line, FirstError* error)
      : rest_(text), arena_(*arena), line_(*line), error_(*error) {}

  bool Parse(CallPiece* piece) {
    const size_t blanks = CountBlanks(rest_);
    if (blanks == rest_.size()) {
      line_.kind = LineKind::kBlank;
      return true;
    }
    if (rest_[blanks] == '#') return ParseComment();
    if (IsNote(rest_)) {
      line_.kind = LineKind::kNote;
      return true;
    }
    Leader leader;
    size_t leader_size = 0;
    if (!ParseLeader(rest_, line_.number, &leader, &leader_size, &error_)) return false;
    if (leader_size > 0) line_.leader = arena_.New(leader);
    rest_.remove_prefix(leader_size);
    if (absl::StartsWith(rest_, "--- ")) return ParseSignal() && KeepEvent();
    if (absl::StartsWith(rest_, "+++ ")) return ParseExit() && KeepEvent();
    if (absl::StartsWith(rest_, "<... ")) return ParseResumed(piece);
    return ParseNamed(piece);
  }

  // The rest of a call that strace's words cut in two.
  bool ParseContinued(CallPiece* piece) {
    line_.kind = LineKind::kResumed;
    line_.begin = PieceBegin::kContinued;
    return ParsePieceText(piece);
  }

 private:
  // # comment, or # kpath: words
  bool ParseComment() {
    line_.kind = LineKind::kComment;
    SkipBlanks();
    rest_.remove_prefix(1);  // #
    SkipBlanks();
    if (!absl::ConsumePrefix(&rest_, "kpath:")) return true;
    line_.kind = LineKind::kDirective;
    std::vector<Word> words;
    for (SkipBlanks(); !rest_.empty(); SkipBlanks()) {
      const absl::string_view word = rest_.substr(0, rest_.find_first_of(" \t"));
      words.push_back({word, Here().column});
      rest_.remove_prefix(word.size());
    }
    line_.words = arena_.Copy(absl::MakeConstSpan(words));
    return true;
  }

  // --- SIGCHLD {si_signo=SIGCHLD, ...} ---
  // --- stopped by SIGSTOP ---
  bool ParseSignal() {
    if (!ConsumeMark("---")) return false;
    const bool stopped = absl::ConsumePrefix(&rest_, "stopped by ");
    line_.kind = stopped ? LineKind::kStopped : LineKind::kSignal;
    if (!ParseSignalName()) return false;
    SkipBlanks();
    if (stopped || rest_.empty()) return ExpectNothing();
    const Piece whole{0, Here()};
    Lexer lexer(rest_, absl::MakeConstSpan(&whole, 1), &error_);
    if (!lexer.PeekIs(TokenKind::kOpen, '{')) {
      return lexer.Unexpected("'{' and the signal's siginfo");
    }
    Value siginfo;
    if (!ValueParser(&lexer, &arena_).ParsePrimary(&siginfo)) return false;
    event_.siginfo = arena_.New(siginfo);
    return lexer.PeekIs(TokenKind::kEnd) || lexer.Unexpected("\" ---\"");
  }

  // +++ exited with 0 +++
  // +++ killed by SIGSEGV (core dumped) +++
  // +++ superseded by execve in pid 1631 +++
  bool ParseExit() {
    if (!ConsumeMark("+++")) return false;
    line_.kind = LineKind::kExited;
    if (absl::ConsumePrefix(&rest_, "exited with ")) {
      event_.exit = ExitKind::kExited;
      return ParseNumber(0, kMaxExitStatus, &event_.exit_status) && ExpectNothing();
    }
    if (absl::ConsumePrefix(&rest_, "killed by ")) {
      event_.exit = ExitKind::kKilled;
      if (!ParseSignalName()) return false;
      event_.core_dumped = absl::ConsumePrefix(&rest_, " (core dumped)");
      return ExpectNothing();
    }
    if (absl::ConsumePrefix(&rest_, "superseded by execve in pid ")) {
      event_.exit = ExitKind::kSuperseded;
      return ParseNumber(1, INT32_MAX, &event_.superseded_by) && ExpectNothing();
    }
    return Fail("unknown event, expected \"exited with\", \"killed by\" or \"superseded by\"");
  }

  bool KeepEvent() {
    line_.event = arena_.New(event_);
    return true;
  }

  // Takes `mark` and a blank from the front, a blank and `mark` from the back.
  bool ConsumeMark(absl::string_view mark) {
    rest_.remove_prefix(mark.size() + 1);
    if (absl::ConsumeSuffix(&rest_, absl::StrCat(" ", mark))) return true;
    const absl::string_view whole = rest_;
    rest_.remove_prefix(rest_.size());
    return Fail(absl::StrCat("event ", Quoted(whole), " does not end, expected \" ", mark, "\""));
  }

  bool ParseSignalName() {
    if (!absl::StartsWith(rest_, "SIG")) {
      return Fail("unknown event, expected the name of a signal");
    }
    event_.signal = TakeName();
    return true;
  }

  bool ParseNumber(uint32_t least, uint32_t most, uint32_t* number) {
    size_t digits = 0;
    while (digits < rest_.size() && absl::ascii_isdigit(rest_[digits])) ++digits;
    const bool good = digits > 0 && absl::SimpleAtoi(rest_.substr(0, digits), number);
    if (!good || *number < least || *number > most) {
      return Fail(absl::StrCat("bad number, expected ", least, " to ", most));
    }
    rest_.remove_prefix(digits);
    return true;
  }

  // <... read resumed>
  bool ParseResumed(CallPiece* piece) {
    line_.kind = LineKind::kResumed;
    rest_.remove_prefix(absl::string_view("<... ").size());
    TakePieceName(piece);
    if (piece->name.empty()) return Fail("bad name, expected the name of a system call");
    if (!absl::ConsumePrefix(&rest_, " resumed>")) {
      return Fail("unexpected character, expected \" resumed>\"");
    }
    // Older straces print a blank here; the one before => belongs to that.
    const bool blank = absl::StartsWith(rest_, " ") && !absl::StartsWith(rest_, " =>") &&
                       !absl::StartsWith(rest_, " <unfinished ...>");
    line_.begin = blank ? PieceBegin::kResumedBlank : PieceBegin::kResumed;
    return ParsePieceText(piece);
  }

  // read(
  bool ParseNamed(CallPiece* piece) {
    TakePieceName(piece);
    if (piece->name.empty()) {
      return Fail(absl::StrCat("unexpected ",
                               rest_.empty() ? "end of line" : Quoted(rest_.substr(0, 1)),
                               ", expected a system call, '---', '+++', '<...' or '#'"));
    }
    if (!absl::ConsumePrefix(&rest_, "(")) {
      return Fail(absl::StrCat("no '(' behind ", Quoted(piece->name),
                               ", expected a system call such as close(3) = 0"));
    }
    if (!ParsePieceText(piece)) return false;
    line_.kind = line_.end == PieceEnd::kResult ? LineKind::kCall : LineKind::kUnfinished;
    return true;
  }

  void TakePieceName(CallPiece* piece) {
    piece->name_position = Here();
    piece->name = TakeName();
  }

  // Takes the rest of the line as a part of a call.
  bool ParsePieceText(CallPiece* piece) {
    piece->text_position = Here();
    piece->text = rest_;
    if (absl::ConsumeSuffix(&piece->text, "<unfinished ...>")) {
      line_.end = PieceEnd::kUnfinished;
    } else if (absl::ConsumeSuffix(&piece->text, "<detached ...>")) {
      line_.end = PieceEnd::kDetached;
    } else if (ConsumeAttached(&piece->text, &line_.attached)) {
      line_.end = PieceEnd::kAttached;
    }
    return true;
  }

  absl::string_view TakeName() {
    size_t size = 0;
    while (size < rest_.size() && IsNameCharacter(rest_[size])) ++size;
    const absl::string_view name = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return name;
  }

  bool ExpectNothing() {
    if (rest_.empty()) return true;
    return Fail(absl::StrCat("unexpected ", Quoted(rest_), ", expected the end of the event"));
  }

  void SkipBlanks() { rest_.remove_prefix(CountBlanks(rest_)); }

  // The position of rest_.
  Position Here() const {
    const uint32_t offset = rest_.data() - line_.text.data();
    return {line_.number, offset + 1};
  }

  bool Fail(std::string message) { return error_.Fail(Here(), std::move(message)); }

  absl::string_view rest_;
  Arena& arena_;
  Line& line_;
  Event event_;
  FirstError& error_;
};

}  // namespace

bool ParseLine(absl::string_view text, uint32_t number, bool continued, Arena* arena, Line* line,
               CallPiece* piece, FirstError* error) {
  static const Leader kNoLeader;
  line->number = number;
  line->text = text;
  line->leader = &kNoLeader;
  LineParser parser(text, arena, line, error);
  return continued ? parser.ParseContinued(piece) : parser.Parse(piece);
}

}  // namespace kpath::strace
