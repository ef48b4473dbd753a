// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/syntax/merge.h"

#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/transcript/syntax/call_parser.h"

namespace kpath::strace {
namespace {

std::string ProcessName(uint32_t pid) {
  return pid == 0 ? "the process without a pid" : absl::StrCat("process ", pid);
}

}  // namespace

bool CallMerger::AddPiece(const CallPiece& piece, uint32_t index, Line* line) {
  return line->begin == PieceBegin::kName ? Begin(piece, index, line) : GoOn(piece, index, line);
}

bool CallMerger::Begin(const CallPiece& piece, uint32_t index, Line* line) {
  const uint32_t pid = line->leader->pid;
  if (const auto other = open_.find(pid); other != open_.end()) {
    const Call& under_way = calls_[other->second.call];
    return error_.Fail(piece.name_position,
                       absl::StrCat(ProcessName(pid), " calls ", piece.name, " inside its ",
                                    under_way.name, " of line ", under_way.begin.line,
                                    ", expected \"<... ", under_way.name, " resumed>\" first"));
  }
  Call call;
  call.pid = pid;
  call.name = piece.name;
  call.begin = piece.name_position;
  call.first_line = call.last_line = index;
  OpenCall open;
  open.call = line->call = calls_.size();
  open.text = piece.text;
  open.pieces.push_back({0, piece.text_position});
  const bool cut = line->end != PieceEnd::kResult;
  if (!ParseCallText(open.text, open.pieces, cut, &arena_, &call, &error_)) return false;
  calls_.push_back(call);
  Keep(pid, line->end, std::move(open));
  return true;
}

bool CallMerger::GoOn(const CallPiece& piece, uint32_t index, Line* line) {
  const bool continued = line->begin == PieceBegin::kContinued;
  const uint32_t pid = continued ? cut_pid_ : line->leader->pid;
  OpenCall* found = Find(pid, piece.name);
  if (found == nullptr) return FailToGoOn(piece, pid);
  Call& call = calls_[found->call];
  if (!continued && call.name != piece.name) return FailToGoOn(piece, pid);
  if (found->pieces.size() == Lexer::kMostPieces) {
    return error_.Fail(
        piece.text_position,
        absl::StrCat("call is cut into too many pieces, expected at most ", Lexer::kMostPieces));
  }
  OpenCall open = std::move(*found);
  open_.erase(pid);
  if (call.pid == 0) call.pid = pid;
  line->call = open.call;
  line->piece = open.pieces.size();
  call.last_line = index;
  const uint32_t offset = open.text.size();
  open.pieces.push_back({offset, piece.text_position});
  open.text = Join(open.text, piece.text);
  const bool cut = line->end != PieceEnd::kResult;
  if (!ParseCallText(open.text, open.pieces, cut, &arena_, &call, &error_)) return false;
  Keep(pid, line->end, std::move(open));
  return true;
}

// The call that a line of process `pid` goes on with, now under that pid; nullptr if there is none.
CallMerger::OpenCall* CallMerger::Find(uint32_t pid, absl::string_view name) {
  if (const auto own = open_.find(pid); own != open_.end()) return &own->second;
  auto other = pid == 0 ? open_.begin() : open_.find(0);
  if (other == open_.end() || (pid == 0 && open_.size() > 1)) return nullptr;
  if (calls_[other->second.call].name != name) return nullptr;
  OpenCall open = std::move(other->second);
  open_.erase(other);
  return &(open_[pid] = std::move(open));
}

bool CallMerger::FailToGoOn(const CallPiece& piece, uint32_t pid) {
  const auto own = open_.find(pid);
  if (own == open_.end()) {
    return error_.Fail(piece.name_position,
                       absl::StrCat(ProcessName(pid), " goes on with ", piece.name, ", expected \"",
                                    piece.name, "(... <unfinished ...>\" of it on a line before"));
  }
  const Call& under_way = calls_[own->second.call];
  return error_.Fail(
      piece.name_position,
      absl::StrCat(ProcessName(pid), " goes on with ", piece.name, ", expected ", under_way.name,
                   ", which it began on line ", under_way.begin.line));
}

absl::string_view CallMerger::Join(absl::string_view head, absl::string_view tail) {
  char* joined = arena_.Allocate(head.size() + tail.size(), 1);
  if (!head.empty()) std::memcpy(joined, head.data(), head.size());
  if (!tail.empty()) std::memcpy(joined + head.size(), tail.data(), tail.size());
  return absl::string_view(joined, head.size() + tail.size());
}

// Keeps a call whose last piece ended in `end`, if it may go on.
void CallMerger::Keep(uint32_t pid, PieceEnd end, OpenCall open) {
  if (end == PieceEnd::kAttached) cut_pid_ = pid;
  if (end == PieceEnd::kUnfinished || end == PieceEnd::kAttached) open_[pid] = std::move(open);
}

void CallMerger::AddExit(const Line& line) {
  const uint32_t pid = line.leader->pid;
  if (line.event->exit != ExitKind::kSuperseded) {
    open_.erase(pid);
    if (pid == 0) open_.clear();  // it was the only process
    return;
  }
  open_.erase(pid);
  const auto thread = open_.find(line.event->superseded_by);
  if (thread == open_.end()) return;
  // The thread's execve goes on under the pid of the process.
  OpenCall open = std::move(thread->second);
  open_.erase(thread);
  open_[pid] = std::move(open);
}

}  // namespace kpath::strace
