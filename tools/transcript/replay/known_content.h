// SPDX-License-Identifier: Apache-2.0
//
// Which bytes of which files are certain: those that the transcript itself shows being written, in
// full, and those that nobody has written (a hole, a new file). What a read brought is judged where
// it is certain, and nowhere else.
//
//   content.Forget(inode, 0, kEndOfFile);        // was there before the transcript began
//   content.Learn(inode, 0, 26);                 // write(3, "hello, …", 26) = 26
//   content.IsKnown(inode, 25) == true, content.IsKnown(inode, 26) == false
//
// A file that was never mentioned is known: it was made in this run and is empty.
#pragma once

#include <cstdint>
#include <map>
#include <set>

namespace kpath {

inline constexpr uint64_t kEndOfFile = UINT64_MAX;

class KnownContent {
 public:
  // The bytes [begin, end) are not certain, or are.
  void Forget(uint64_t inode, uint64_t begin, uint64_t end);
  void Learn(uint64_t inode, uint64_t begin, uint64_t end);
  // Nothing of this file will ever be certain again: the program can write to it unseen (a shared
  // mapping).
  void ForgetForGood(uint64_t inode) { unseen_.insert(inode); }

  bool IsKnown(uint64_t inode, uint64_t offset) const;

 private:
  using Ranges = std::map<uint64_t, uint64_t>;  // begin, end; disjoint, none touches another

  // Cuts [begin, end) out of the ranges.
  static void Cut(Ranges* ranges, uint64_t begin, uint64_t end);

  std::map<uint64_t, Ranges> unknown_;  // by inode
  std::set<uint64_t> unseen_;
};

}  // namespace kpath
