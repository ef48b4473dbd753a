// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/known_content.h"

#include <algorithm>
#include <iterator>

namespace kpath {

void KnownContent::Cut(Ranges* ranges, uint64_t begin, uint64_t end) {
  auto range = ranges->upper_bound(begin);
  if (range != ranges->begin()) --range;
  while (range != ranges->end() && range->first < end) {
    const auto [from, to] = *range;
    if (to <= begin) {
      ++range;
      continue;
    }
    range = ranges->erase(range);
    if (from < begin) (*ranges)[from] = begin;
    if (to > end) (*ranges)[end] = to;
  }
}

void KnownContent::Forget(uint64_t inode, uint64_t begin, uint64_t end) {
  if (begin >= end) return;
  Ranges& ranges = unknown_[inode];
  // Joined with what it touches.
  for (const auto& [from, to] : ranges) {
    if (to < begin || from > end) continue;
    begin = std::min(begin, from);
    end = std::max(end, to);
  }
  Cut(&ranges, begin, end);
  ranges[begin] = end;
}

void KnownContent::Learn(uint64_t inode, uint64_t begin, uint64_t end) {
  const auto file = unknown_.find(inode);
  if (begin < end && file != unknown_.end()) Cut(&file->second, begin, end);
}

bool KnownContent::IsKnown(uint64_t inode, uint64_t offset) const {
  if (unseen_.count(inode) != 0) return false;
  const auto file = unknown_.find(inode);
  if (file == unknown_.end()) return true;
  const auto behind = file->second.upper_bound(offset);
  return behind == file->second.begin() || std::prev(behind)->second <= offset;
}

}  // namespace kpath
