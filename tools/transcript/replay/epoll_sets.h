// SPDX-License-Identifier: Apache-2.0
//
// What the sets of epoll hold, by what the transcript shows of epoll_ctl.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "tools/transcript/replay/poll_records.h"

namespace kpath {

class EpollSets {
 public:
  using Items = std::map<int, EpollEvent>;  // by descriptor: what it was added for

  // An epoll_create made `set`, an OpenFile::id.
  void Created(uint64_t set) { sets_[set].clear(); }
  // An epoll_ctl has returned 0 in the recording.
  void Controlled(uint64_t set, const strace::Call& call);
  // Those with the data of an event. Several descriptors may have the same.
  std::vector<int> DescriptorsOf(uint64_t set, uint64_t data) const;
  const Items& items(uint64_t set) const;
  // True if the event of such an item is given once, and not as long as it is true.
  bool IsGivenOnce(uint64_t set, uint64_t data) const;

 private:
  std::map<uint64_t, Items> sets_;
};

}  // namespace kpath
