// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/print.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace kpath::strace {
namespace {

bool UsuallySpaced(absl::string_view op) { return op == "==" || op == "&&"; }

std::string SpellInteger(const Value& value) {
  const uint64_t magnitude = value.negative ? -value.number : value.number;
  const char* sign = value.negative ? "-" : "";
  if (value.radix == Radix::kHex) return absl::StrFormat("%s0x%x", sign, magnitude);
  if (value.radix == Radix::kOctal) return absl::StrFormat("%s0%o", sign, magnitude);
  return absl::StrCat(sign, magnitude);
}

// Writes values as the very tokens that the lexer makes of them, and so knows where in its text
// the pieces of an interrupted call begin.
class Writer {
 public:
  // `cuts`: see Call.
  explicit Writer(absl::Span<const uint32_t> cuts = {}) : cuts_(cuts) {}

  void WriteList(absl::Span<const Value> values, bool abbreviated) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) Comma();
      Write(values[i]);
    }
    if (!abbreviated) return;
    if (!values.empty()) Comma();
    Emit("...");
  }

  void Write(const Value& value) {
    if (!value.name.empty()) WriteName(value.name);
    WriteKind(value);
    if (value.decoration != nullptr) WriteDecoration(value);
  }

  // Writes a token that strace writes together with the blank before it: a piece may begin with
  // that blank. (A piece that begins with another blank is one of an older strace.)
  void EmitBehindBlank(absl::string_view token) {
    MarkCuts();
    text_.push_back(' ');
    Emit(token);
  }

  // Ends the writing. Returns the text; *cut_offsets are the offsets in it of the pieces but the
  // first.
  std::string Finish(std::vector<size_t>* cut_offsets) {
    MarkCuts();
    while (offsets_.size() < cuts_.size()) offsets_.push_back(text_.size());
    *cut_offsets = std::move(offsets_);
    return std::move(text_);
  }

  std::string Finish() { return std::move(text_); }

 private:
  // Writes one token.
  void Emit(absl::string_view token) {
    MarkCuts();
    absl::StrAppend(&text_, token);
    ++tokens_;
  }

  void MarkCuts() {
    while (offsets_.size() < cuts_.size() && cuts_[offsets_.size()] == tokens_) {
      offsets_.push_back(text_.size());
    }
  }

  // strace writes the blank together with the comma, so no piece begins between them.
  void Comma() {
    Emit(",");
    text_.push_back(' ');
  }

  void WriteName(absl::string_view name) {
    if (name[0] == '[') return Emit(absl::StrCat(name, "="));  // a designator is one token
    Emit(name);
    Emit("=");
  }

  void WriteKind(const Value& value) {
    switch (value.kind) {
      case ValueKind::kOmitted:
        return;
      case ValueKind::kInteger:
        return Emit(value.text.empty() ? SpellInteger(value) : std::string(value.text));
      case ValueKind::kNull:
        return Emit("NULL");
      case ValueKind::kSymbol:
      case ValueKind::kVerbatim:
        return Emit(value.text);
      case ValueKind::kString:
        return Emit(absl::StrCat(value.abstract ? "@\"" : "\"", value.text,
                                 value.abbreviated ? "\"..." : "\""));
      case ValueKind::kFlags:
        return WriteOperation("|", value);
      case ValueKind::kOperation:
        return WriteOperation(value.text, value);
      case ValueKind::kCall:
        if (!value.text.empty()) Emit(value.text);
        return WriteBracketed("(", ")", value);
      case ValueKind::kStruct:
        return WriteBracketed("{", "}", value);
      case ValueKind::kArray:
        return WriteBracketed("[", "]", value);
      case ValueKind::kBitSet:
        return WriteBitSet(value);
      case ValueKind::kPair:
        Write(value.children[0]);
        EmitBehindBlank("=>");
        text_.push_back(' ');
        return Write(value.children[1]);
      case ValueKind::kWords:
        return WriteWords(value);
    }
  }

  void WriteBracketed(absl::string_view open, absl::string_view close, const Value& value) {
    Emit(open);
    WriteList(value.children, value.abbreviated);
    if (!value.open) Emit(close);
  }

  void WriteBitSet(const Value& value) {
    if (value.complement) Emit("~");
    Emit("[");
    WriteWords(value);
    if (!value.open) Emit("]");
  }

  void WriteWords(const Value& value) {
    for (size_t i = 0; i < value.children.size(); ++i) {
      if (i > 0) text_.push_back(' ');
      Write(value.children[i]);
    }
    if (!value.abbreviated) return;
    text_.push_back(' ');
    Emit("...");
  }

  void WriteOperation(absl::string_view op, const Value& value) {
    const bool spaced = value.spaced || UsuallySpaced(op);
    for (size_t i = 0; i < value.children.size(); ++i) {
      if (i > 0) {
        if (spaced) text_.push_back(' ');
        Emit(op);
        if (spaced) text_.push_back(' ');
      }
      Write(value.children[i]);
    }
  }

  void WriteDecoration(const Value& value) {
    const Decoration& decoration = *value.decoration;
    if (decoration.has_descriptor) {
      Emit(absl::StrCat("<", decoration.descriptor, decoration.deleted ? ">(deleted)" : ">"));
    }
    if (!decoration.has_comment) return;
    if (value.kind != ValueKind::kOmitted) text_.push_back(' ');
    Emit(absl::StrCat("/*", decoration.comment, "*/"));
  }

  absl::Span<const uint32_t> cuts_;
  std::string text_;
  uint32_t tokens_ = 0;
  std::vector<size_t> offsets_;
};

std::string PrintArgs(const Call& call, std::vector<size_t>* cut_offsets) {
  Writer writer(call.cuts);
  writer.WriteList(call.args, /*abbreviated=*/false);
  if (call.args_unfinished) writer.EmitBehindBlank("<unfinished ...>");
  return writer.Finish(cut_offsets);
}

// Appends `)`, blanks up to the result's column, and the result. `before`: characters that strace
// counts as printed on this line already, though they stand on the one before.
void AppendResult(const Result& result, size_t before, const PrintOptions& options,
                  std::string* text) {
  absl::StrAppend(text, ") ");
  const size_t column = before + text->size();
  if (column < options.result_column) text->append(options.result_column - column, ' ');
  absl::StrAppend(text, "= ", PrintResult(result));
}

std::string PrintTime(const Leader& leader) {
  if (leader.time_style == TimeStyle::kNone) return std::string();
  if (leader.time_style != TimeStyle::kSinceLastLine) return absl::StrCat(leader.time, " ");
  // The seconds right-aligned in six columns.
  const size_t seconds = std::min(leader.time.find('.'), leader.time.size());
  return absl::StrCat(std::string(6 - std::min<size_t>(seconds, 6), ' '), leader.time, " ");
}

std::string PrintLeader(const Leader& leader) {
  std::string text;
  if (leader.pid_style != PidStyle::kNone) {
    const bool bracket = leader.pid_style == PidStyle::kBracket;
    const std::string command =
        leader.command.empty() ? std::string() : absl::StrCat("<", leader.command, ">");
    if (bracket) absl::StrAppendFormat(&text, "[pid %5d%s] ", leader.pid, command);
    if (!bracket && command.empty()) absl::StrAppendFormat(&text, "%-5d ", leader.pid);
    if (!bracket && !command.empty()) absl::StrAppendFormat(&text, "%d%s ", leader.pid, command);
  }
  absl::StrAppend(&text, PrintTime(leader));
  if (!leader.since.empty()) absl::StrAppendFormat(&text, "(+%13s) ", leader.since);
  if (!leader.number.empty()) absl::StrAppendFormat(&text, "[%4s] ", leader.number);
  if (!leader.address.empty()) absl::StrAppend(&text, "[", leader.address, "] ");
  return text;
}

std::string PrintSignal(const Line& line) {
  if (line.kind == LineKind::kStopped)
    return absl::StrCat("--- stopped by ", line.event->signal, " ---");
  if (line.event->siginfo == nullptr) return absl::StrCat("--- ", line.event->signal, " ---");
  return absl::StrCat("--- ", line.event->signal, " ", PrintValue(*line.event->siginfo), " ---");
}

std::string PrintExit(const Line& line) {
  switch (line.event->exit) {
    case ExitKind::kExited:
      return absl::StrCat("+++ exited with ", line.event->exit_status, " +++");
    case ExitKind::kKilled:
      return absl::StrCat("+++ killed by ", line.event->signal,
                          line.event->core_dumped ? " (core dumped)" : "", " +++");
    case ExitKind::kSuperseded:
      return absl::StrCat("+++ superseded by execve in pid ", line.event->superseded_by, " +++");
  }
  return std::string();
}

std::string PieceStart(const Line& line, const Call& call) {
  switch (line.begin) {
    case PieceBegin::kName:
      return absl::StrCat(call.name, "(");
    case PieceBegin::kResumed:
      return absl::StrCat("<... ", call.name, " resumed>");
    case PieceBegin::kResumedBlank:
      return absl::StrCat("<... ", call.name, " resumed> ");
    case PieceBegin::kContinued:
      return std::string();
  }
  return std::string();
}

// A piece of a call up to where the result or the mark of the interruption follows.
std::string PrintPieceArgs(const Transcript& transcript, const Line& line) {
  const Call& call = transcript.calls[line.call];
  std::vector<size_t> cuts;
  const std::string args = PrintArgs(call, &cuts);
  const size_t begin = line.piece == 0 ? 0 : cuts[line.piece - 1];
  const size_t end = line.piece < cuts.size() ? cuts[line.piece] : args.size();
  return absl::StrCat(PrintLeader(*line.leader), PieceStart(line, call),
                      absl::string_view(args).substr(begin, end - begin));
}

std::string PrintPiece(const Transcript& transcript, const Line& line,
                       const PrintOptions& options) {
  std::string text = PrintPieceArgs(transcript, line);
  switch (line.end) {
    case PieceEnd::kUnfinished:
      return absl::StrCat(text, " <unfinished ...>");
    case PieceEnd::kDetached:
      return absl::StrCat(text, " <detached ...>");
    case PieceEnd::kAttached:
      return absl::StrCat(text, "strace: Process ", line.attached, " attached");
    case PieceEnd::kResult:
      break;
  }
  const bool continued = line.begin == PieceBegin::kContinued;
  const size_t before =
      continued ? PrintPieceArgs(transcript, transcript.lines[line.number - 2]).size() : 0;
  AppendResult(transcript.calls[line.call].result, before, options, &text);
  return text;
}

}  // namespace

std::string PrintValue(const Value& value) {
  Writer writer;
  writer.Write(value);
  return writer.Finish();
}

std::string PrintResult(const Result& result) {
  std::string text = result.known ? PrintValue(result.value) : "?";
  if (result.unavailable) absl::StrAppend(&text, " <unavailable>");
  if (!result.error.empty()) {
    absl::StrAppend(&text, " ", result.error, " (", result.message, ")");
  }
  for (const Value& remark : result.remarks) absl::StrAppend(&text, " ", PrintValue(remark));
  if (!result.duration.empty()) absl::StrAppend(&text, " <", result.duration, ">");
  return text;
}

std::string PrintCall(const Call& call, const PrintOptions& options) {
  std::vector<size_t> cuts;
  std::string text = absl::StrCat(call.name, "(", PrintArgs(call, &cuts));
  if (!call.returned) return absl::StrCat(text, " <unfinished ...>");
  AppendResult(call.result, /*before=*/0, options, &text);
  return text;
}

std::string PrintLine(const Transcript& transcript, const Line& line, const PrintOptions& options) {
  switch (line.kind) {
    case LineKind::kBlank:
    case LineKind::kComment:
    case LineKind::kDirective:
    case LineKind::kNote:
      return std::string(line.text);
    case LineKind::kSignal:
    case LineKind::kStopped:
      return absl::StrCat(PrintLeader(*line.leader), PrintSignal(line));
    case LineKind::kExited:
      return absl::StrCat(PrintLeader(*line.leader), PrintExit(line));
    case LineKind::kCall:
    case LineKind::kUnfinished:
    case LineKind::kResumed:
      return PrintPiece(transcript, line, options);
  }
  return std::string();
}

std::string PrintTranscript(const Transcript& transcript, const PrintOptions& options) {
  std::string text;
  for (const Line& line : transcript.lines) {
    absl::StrAppend(&text, PrintLine(transcript, line, options), "\n");
  }
  return text;
}

}  // namespace kpath::strace
