// SPDX-License-Identifier: Apache-2.0
//
// What the whole transcript tells about each descriptor: when it was made, used and closed, in
// which process. A descriptor that is used though no call made it was made by a call that was not
// recorded (a filter of strace), or was inherited; what is done with it later tells what it is.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "tools/transcript/replay/plan.h"
#include "tools/transcript/replay/signature.h"

namespace kpath {

// What a descriptor of unknown origin has to be, so that what is done with it can be done.
enum class DescriptorKind : uint8_t {
  kOutside,  // read, written, closed: something whose data are the recorded ones
  kFile,     // positions, AIO, a size: a regular file
  kEventfd,  // aio_resfd
};

class Descriptors {
 public:
  explicit Descriptors(const Plan& plan);

  // True if the next thing that happens to `fd` of process `pid` after `time` is a recorded call
  // that makes it: until then it need not be open.
  bool IsMadeNext(int pid, int fd, PlanTime time) const;
  // True if the next thing that happens to it is that a recorded call uses or closes it.
  bool IsUsedNext(int pid, int fd, PlanTime time) const;
  // What it is, by what is done with it from `time` on until it is closed or made again.
  DescriptorKind KindFrom(int pid, int fd, PlanTime time) const;
  // False if no close was recorded at all: then a descriptor that is open may have been closed.
  bool ClosesAreRecorded() const { return closes_recorded_; }

 private:
  enum class Event : uint8_t { kMade, kUsed, kUsedAsFile, kUsedAsEventfd, kClosed };
  using Events = std::multimap<PlanTime, Event>;

  void AssignTables(const Plan& plan);
  void AddCall(const PlanStep& step);
  void AddResult(const PlanStep& step);
  void AddIocbs(const PlanStep& step);
  void AddWatched(const PlanStep& step, const Signature& signature);
  void Add(const PlanStep& step, int64_t fd, PlanTime time, Event event);
  const Events* EventsOf(int pid, int fd) const;

  std::map<int, int> table_of_;                   // by pid; processes with CLONE_FILES have one
  std::map<std::pair<int, int>, Events> events_;  // by table and descriptor
  bool closes_recorded_ = false;
};

// Calls that return a descriptor, or several in an array.
bool MakesDescriptor(const strace::Call& call);

}  // namespace kpath
