// SPDX-License-Identifier: Apache-2.0
//
// The hardware behind a driver: the bytes of a disk, and how it does what it is asked to. All that
// a device decides by itself — how long it takes, whether it fails — is decided in Plan.
//
//   class SlowDisk : public DiskModel {
//     DiskPlan Plan(const DiskCommand& c) override { return {.latency_ns = 1'000'000}; }
//   };
//
// Departs: there is no such thing in Linux: it is what Linux talks to.
//
// Context: events of the machine, or any; passes no probe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "sim/machine/machine.h"

namespace kpath {

struct DiskCommand {
  enum class Kind : uint8_t { kRead, kWrite, kFlush };
  Kind kind = Kind::kRead;
  uint64_t sector = 0;  // of 512 bytes
  uint64_t bytes = 0;
};

enum class DiskResult : uint8_t { kOk, kIoError, kUnsupported };

struct DiskPlan {
  int64_t latency_ns = 0;  // from the command to its end, 0 or more
  DiskResult result = DiskResult::kOk;
};

// A disk with an arm: it does one command at a time, and has to go to where that begins.
struct DiskMechanics {
  int64_t seek_ns = 0;  // from one end of the disk to the other; less in proportion; 0: no arm
  uint64_t bytes_per_second = 0;  // past the head; 0: no time
  bool any() const { return seek_ns != 0 || bytes_per_second != 0; }
};

class DiskModel {
 public:
  // `size` in bytes; `latency_ns`: of each command, in the ordinary course.
  DiskModel(uint64_t size, int64_t latency_ns) : size_(size), latency_ns_(latency_ns) {}
  virtual ~DiskModel() = default;

  // Asked once for each command, when the device gets it. Departures from the usual latency are
  // ChoiceKind::kDeviceDelay.
  virtual DiskPlan Plan(Machine& machine, const DiskCommand& command);

  // From now on each command takes its seek and its transfer besides the latency, after those
  // before it. The arm is at the disk's begin.
  void SetMechanics(const DiskMechanics& mechanics) { mechanics_ = mechanics; }

  uint64_t size() const { return size_; }
  int64_t latency_ns() const { return latency_ns_; }
  // The disk's bytes from `offset` on; all of them are zero at first. Return false, having done
  // nothing, beyond the end.
  bool Read(uint64_t offset, absl::Span<uint8_t> to) const;
  bool Write(uint64_t offset, absl::Span<const uint8_t> from);

 private:
  static constexpr uint64_t kBlock = 4096;
  struct Block {
    uint8_t bytes[kBlock] = {};
  };

  // When the command ends that the arm does from `now` on, or when it is free.
  int64_t MoveArm(int64_t now, int64_t latency_ns, const DiskCommand& command);

  const uint64_t size_;
  const int64_t latency_ns_;
  DiskMechanics mechanics_;
  uint64_t arm_ = 0;                                   // the byte that it is at
  int64_t free_at_ = 0;                                // when it has done all that it was given
  std::map<uint64_t, std::unique_ptr<Block>> blocks_;  // those that were written to
};

// The machine's memory as a device sees it: [address, address + bytes), physical. Calls
// fn(absl::Span<uint8_t>) for each page's part.
template <typename Fn>
void ForEachDmaPart(Machine& machine, uint64_t address, uint64_t bytes, Fn fn) {
  while (bytes != 0) {
    const uint64_t offset = address & (kPageSize - 1);
    const uint64_t part = bytes < kPageSize - offset ? bytes : kPageSize - offset;
    fn(absl::Span<uint8_t>(machine.memory.PageBytes(address >> kPageShift) + offset, part));
    address += part;
    bytes -= part;
  }
}

}  // namespace kpath
