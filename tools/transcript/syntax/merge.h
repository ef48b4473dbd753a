// SPDX-License-Identifier: Apache-2.0
//
// Puts the pieces of interrupted calls together.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "absl/strings/string_view.h"
#include "tools/transcript/syntax/arena.h"
#include "tools/transcript/syntax/error.h"
#include "tools/transcript/syntax/lexer.h"
#include "tools/transcript/syntax/line_parser.h"
#include "tools/transcript/syntax/transcript.h"

namespace kpath::strace {

// Follows which process is in which call, from line to line.
//
// Which process a line without a pid belongs to: strace -f without -o prints no pid while there is
// only one process. So a call that such a line began may go on in a line with any pid; and such a
// line may go on with a call of any pid if that is the only one under way.
//
// Thread safety: none. Borrows the arena, the calls and the error.
class CallMerger {
 public:
  CallMerger(Arena* arena, std::vector<Call>* calls, FirstError* error)
      : arena_(*arena), calls_(*calls), error_(*error) {}

  // Takes the piece of a call on `line`, which is lines[index]; sets line->call and line->piece.
  // Returns false after an error.
  bool AddPiece(const CallPiece& piece, uint32_t index, Line* line);

  // Takes a kExited line: calls of that process that are under way will not return.
  void AddExit(const Line& line);

 private:
  // A call that has begun and may go on.
  struct OpenCall {
    uint32_t call = 0;       // index in calls_
    absl::string_view text;  // of all its pieces so far
    absl::InlinedVector<Piece, 2> pieces;
  };

  bool Begin(const CallPiece& piece, uint32_t index, Line* line);
  bool GoOn(const CallPiece& piece, uint32_t index, Line* line);
  OpenCall* Find(uint32_t pid, absl::string_view name);
  bool FailToGoOn(const CallPiece& piece, uint32_t pid);
  absl::string_view Join(absl::string_view head, absl::string_view tail);
  void Keep(uint32_t pid, PieceEnd end, OpenCall open);

  Arena& arena_;
  std::vector<Call>& calls_;
  FirstError& error_;
  absl::flat_hash_map<uint32_t, OpenCall> open_;  // by pid
  uint32_t cut_pid_ = 0;  // whose call the words "Process 1631 attached" cut last
};

}  // namespace kpath::strace
