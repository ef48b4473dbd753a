// SPDX-License-Identifier: Apache-2.0
//
// A disk that is not as it should be in some places: it fails there, or takes its time, so that
// what comes later is done earlier. A scenario says where:
//
//   # kpath: device /dev/vda driver=virtio_blk fail=64-71 slow=128-255:20ms
//
// Context: as DiskModel.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "sim/block/drivers/disk_model.h"

namespace kpath {

// Of each command that touches a sector from `first` to `last`, both of them inclusive.
struct DiskFault {
  uint64_t first = 0;  // of 512 bytes
  uint64_t last = 0;
  bool fails = false;      // with an I/O error
  int64_t latency_ns = 0;  // how long it takes; 0: as long as any other
};

class FaultyDisk final : public DiskModel {
 public:
  // All is well until *armed: what is to be on the disk is written before.
  FaultyDisk(uint64_t size, int64_t latency_ns, std::vector<DiskFault> faults,
             std::shared_ptr<const bool> armed)
      : DiskModel(size, latency_ns), faults_(std::move(faults)), armed_(std::move(armed)) {}

  DiskPlan Plan(Machine& machine, const DiskCommand& command) override;

 private:
  const std::vector<DiskFault> faults_;
  const std::shared_ptr<const bool> armed_;
};

}  // namespace kpath
