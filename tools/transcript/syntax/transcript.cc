// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/transcript.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/transcript/syntax/error.h"
#include "tools/transcript/syntax/line_parser.h"
#include "tools/transcript/syntax/merge.h"

namespace kpath::strace {
namespace {

constexpr size_t kLongestText = size_t{1} << 31;  // offsets and columns have 32 bits

bool IsPieceOfCall(const Line& line) {
  return line.kind == LineKind::kCall || line.kind == LineKind::kUnfinished ||
         line.kind == LineKind::kResumed;
}

// Reads the lines of `text`, which transcript->arena owns. Returns false after an error.
bool ParseLines(absl::string_view text, Transcript* transcript, FirstError* error) {
  CallMerger merger(&transcript->arena, &transcript->calls, error);
  bool continued = false;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    absl::string_view line_text = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (absl::ConsumeSuffix(&line_text, "\r")) {
    }
    const uint32_t index = transcript->lines.size();
    Line& line = transcript->lines.emplace_back();
    CallPiece piece;
    if (!ParseLine(line_text, index + 1, continued, &transcript->arena, &line, &piece, error)) {
      return false;
    }
    if (IsPieceOfCall(line) && !merger.AddPiece(piece, index, &line)) return false;
    if (line.kind == LineKind::kExited) merger.AddExit(line);
    continued = IsPieceOfCall(line) && line.end == PieceEnd::kAttached;
  }
  return true;
}

}  // namespace

absl::StatusOr<Transcript> ParseTranscript(absl::string_view file_name, absl::string_view text) {
  if (text.size() > kLongestText) {
    return absl::InvalidArgumentError(absl::StrCat(
        file_name, ":1:1: text is too long, expected at most ", kLongestText, " bytes"));
  }
  Transcript transcript;
  transcript.file_name = std::string(file_name);
  const size_t line_count = std::count(text.begin(), text.end(), '\n') + 1;
  transcript.lines.reserve(line_count);
  transcript.calls.reserve(line_count);
  FirstError error;
  if (ParseLines(transcript.arena.Copy(text), &transcript, &error)) return transcript;
  const Position at = error.position();
  return absl::InvalidArgumentError(
      absl::StrCat(file_name, ":", at.line, ":", at.column, ": ", error.message()));
}

}  // namespace kpath::strace
