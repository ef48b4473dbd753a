// SPDX-License-Identifier: Apache-2.0
//
// A program that keeps requests in flight on two disks, at random, and remembers what it may
// expect: each request that was accepted ends once, with the one result that it can have, and what
// is read is what was written.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "sim/user/user.h"

namespace kpath {

inline constexpr uint64_t kBlockBytes = 4096;
// Of each disk, of each program.
inline constexpr uint64_t kBlocksOfOne = 256;
inline constexpr int kPrograms = 8;
// Behind those, and a gap: what cannot be read or written on the first disk.
inline constexpr uint64_t kBadBlock = kPrograms * kBlocksOfOne + 64;
inline constexpr uint64_t kBadBlocks = 64;
inline constexpr uint64_t kDiskBytes = (kBadBlock + kBadBlocks) * kBlockBytes;

// What all programs of a run have seen together.
struct Tally {
  uint64_t accepted = 0, completed = 0;
  uint64_t io_errors = 0;    // of the bad blocks
  uint64_t invalid = 0;      // misaligned
  uint64_t interrupted = 0;  // io_getevents ended by a signal
  uint64_t compared = 0;     // blocks whose bytes were known
  std::vector<std::string> wrong;
};

class DiskUser {
 public:
  // The `index`-th program, of `quota` requests. `tally` outlives it.
  DiskUser(int index, uint64_t seed, int64_t quota, Tally* tally)
      : index_(index),
        quota_(quota),
        random_(seed * kPrograms + static_cast<uint64_t>(index)),
        tally_(tally) {}

  // Context: ring 3.
  void Run(const std::array<std::string, 2>& disks);

 private:
  static constexpr int kSlots = 32;           // requests at a time
  static constexpr uint64_t kMostBlocks = 4;  // of one request

  struct Block {
    uint64_t value = 0;  // its first and last word, when known
    uint64_t epoch = 0;  // how many writes were begun
    int writers = 0;
    bool known = true;  // disks begin with zeros
  };
  struct Request {
    bool busy = false;
    bool write = false;
    int disk = 0;
    uint64_t first = 0, blocks = 0;
    int64_t expected = 0;
    uint64_t value = 0;
    bool alone = false;            // no other write of these blocks was in flight
    std::vector<uint64_t> epochs;  // of its blocks, when it was submitted
  };

  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  void Wrong(std::string text);
  void SetUp(const std::array<std::string, 2>& disks);
  void SubmitSome();
  user::iocb Prepare(int slot, int disk, uint64_t first, uint64_t blocks);
  void Begin(Request* request);
  void Reap();
  void End(const user::io_event& event);
  void Finish(Request* request, uint64_t buffer);
  Block& BlockOf(const Request& request, uint64_t i) {
    return blocks_[request.disk][request.first + i];
  }
  uint64_t BufferOf(int slot) const {
    return buffers_ + static_cast<uint64_t>(slot) * (kMostBlocks + 1) * kBlockBytes;
  }
  int64_t OffsetOf(uint64_t block) const {
    return static_cast<int64_t>((static_cast<uint64_t>(index_) * kBlocksOfOne + block) *
                                kBlockBytes);
  }

  const int index_;
  const int64_t quota_;
  std::mt19937_64 random_;
  Tally* const tally_;
  std::array<int, 2> fds_ = {};
  user::io_context_t ctx_ = 0;
  uint64_t buffers_ = 0;
  user::Pointer<user::iocb> iocbs_;
  user::Pointer<user::Pointer<user::iocb>> pointers_;
  user::Pointer<user::io_event> events_;
  user::Pointer<user::timespec> timeout_;
  std::array<Request, kSlots> requests_;
  std::array<std::array<Block, kBlocksOfOne>, 2> blocks_;
  int64_t submitted_ = 0;
  int in_flight_ = 0;
  uint64_t next_value_ = 1;
  uint64_t signals_ = 0;
};

}  // namespace kpath
