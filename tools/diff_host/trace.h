// SPDX-License-Identifier: Apache-2.0
//
// What a run of a random program showed: a list of numbers, each with what it is. Two runs agree
// when their lists do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace kpath::diff_host {

enum class What : uint16_t {
  kResult,       // of the call
  kHandle,       // context handle as it is; shown, not compared
  kHandleOf,     // index: slot; value: which ring it names, counted from 1, or what is there
  kKey,          // index: entry; aio_key after io_submit
  kEventData,    // index: event
  kEventObj,     // index: event
  kEventRes,     // index: event
  kEventRes2,    // index: event
  kHead,         // index: ring
  kTail,         // index: ring
  kNewObj,       // index: slot; of an event that the operation has brought
  kNewRes,       // index: slot
  kRingHeader,   // index: ring * 16 + word
  kRingEvent,    // index: slot; a digest of 32 bytes
  kMemory,       // index: 256 byte piece of the arena; a digest
  kFileSize,     // index: 0 kFile, 1 kOtherFile
  kFileContent,  // index: page; a digest
  kLeftToRead,   // index: descriptor; what a last read gave
  kReadDigest,   // what a read stored
};

struct Record {
  uint32_t op = 0;  // index of the operation; behind the last: what was left at the end
  What what = What::kResult;
  uint16_t ring = 0;  // kNewObj, kNewRes, kRingEvent: which
  uint32_t index = 0;
  uint64_t value = 0;

  friend bool operator==(const Record&, const Record&) = default;
};

// "result", "events[2].res", "aio_key of iocb 0"
std::string Describe(const Record& record);

// Plain memory, shared with the process that fills it.
struct Trace {
  static constexpr uint32_t kMaxRecords = 16384;

  uint32_t op = 0;        // the operation that runs or ran last
  uint32_t finished = 0;  // 1: all of them did
  uint32_t failed = 0;    // not 0: the errno with which a step failed that had to succeed
  uint32_t count = 0;
  Record records[kMaxRecords];

  // What does not fit is left out, on both sides alike.
  void Add(What what, uint32_t index, uint64_t value, uint16_t ring = 0) {
    if (count < kMaxRecords) records[count++] = {op, what, ring, index, value};
  }
  void Clear() { op = finished = failed = count = 0; }
};

enum class Outcome : uint8_t {
  kFinished,
  kBlocked,  // the call did not return
  kKilled,   // by a signal
  kBroken,   // the model reported a bug of its own, or a step failed that the comparison needs
};

// A run, as it is compared.
struct Observation {
  Outcome outcome = Outcome::kFinished;
  int signal = 0;      // kKilled
  uint32_t op = 0;     // where it ended
  std::string report;  // kBroken
  std::vector<Record> records;
  std::vector<std::string> reasons;  // by operation; the model's only, and only if asked for
};

// Different for different bytes, as good as always.
uint64_t Digest(absl::Span<const uint8_t> bytes);

}  // namespace kpath::diff_host
