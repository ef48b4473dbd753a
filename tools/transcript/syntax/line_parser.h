// SPDX-License-Identifier: Apache-2.0
//
// Tells what kind of line a line is, and reads all but the insides of calls.
#pragma once

#include "absl/strings/string_view.h"
#include "tools/transcript/syntax/arena.h"
#include "tools/transcript/syntax/error.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::strace {

// The part of a call that stands on one line.
struct CallPiece {
  absl::string_view name;  // empty for PieceBegin::kContinued
  Position name_position;
  absl::string_view text;  // from behind "(" or "resumed>" to the line's end, without the mark
                           // of an interruption
  Position text_position;
};

// Reads `text`, line `number` of the file without its end, into *line, and if it is part of a call
// that into *piece. `continued`: the line before ended in "attached", so this one is the rest of
// its call. Returns false after an error.
bool ParseLine(absl::string_view text, uint32_t number, bool continued, Arena* arena, Line* line,
               CallPiece* piece, FirstError* error);

}  // namespace kpath::strace
