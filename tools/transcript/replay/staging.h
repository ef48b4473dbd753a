// SPDX-License-Identifier: Apache-2.0
//
// Places for what a transcript shows without its address: strace prints a path, a struct, the bytes
// of a buffer, but not where in the process they were. And memory that the process must have had,
// though no line of the transcript made it: its image, heap and stack.
//
// A staging area is part of one address space. It begins at kStagingBase, where no Linux process
// maps anything by itself, and is mapped as it grows.
//
// Context: ring 3 of the process whose memory it is. All work is done with the process's own system
// calls, loads and stores; the caller keeps them out of the trace.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace kpath {

inline constexpr uint64_t kStagingBase = 0x100000000000;
// Each process has a part of its own, so that processes that share memory (vfork) do not collide.
inline constexpr uint64_t kStagingBytesPerProcess = uint64_t{1} << 34;

class Staging {
 public:
  // `index` of the process, from 0.
  explicit Staging(int index) : base_(BaseOf(index)) {}

  // Where the area of a process begins. They end below the place of position-independent programs;
  // after kParts processes the first ones, which have ended long ago, give up theirs.
  static constexpr uint64_t kParts = 4096;
  static constexpr uint64_t BaseOf(int index) {
    return kStagingBase + static_cast<uint64_t>(index) % kParts * kStagingBytesPerProcess;
  }

  // A place for `bytes` bytes that lasts until the next call of ForgetCall. Returns its address.
  uint64_t ForCall(uint64_t bytes);
  void ForgetCall() { next_in_call_ = 0; }

  // A place that lasts until it is given back: what a request in flight refers to.
  uint64_t Keep(uint64_t bytes);
  void GiveBack(uint64_t address);

  // The process has a new address space (execve): nothing is mapped any more.
  void ForgetAll();

 private:
  void Map(uint64_t end);

  const uint64_t base_;
  uint64_t mapped_call_ = 0;  // bytes mapped from the start of the part for calls
  uint64_t mapped_kept_ = 0;  // and of the part for what is kept
  uint64_t next_in_call_ = 0;
  uint64_t next_kept_ = 0;
  std::multimap<uint64_t, uint64_t> free_;  // by size
  std::map<uint64_t, uint64_t> kept_;       // address, size
};

// Makes sure that the process can read and write [address, address + bytes), as far as nothing is
// mapped there and it may be mapped; does nothing for the first 64 KiB and beyond the user's
// addresses.
void AssumeMemory(uint64_t address, uint64_t bytes);

// True if the process has memory at `address`.
bool IsMapped(uint64_t address);

// Whole pages of a staging area read as zeros again.
void DropPages(uint64_t address, uint64_t bytes);

}  // namespace kpath
