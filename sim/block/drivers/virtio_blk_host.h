// SPDX-License-Identifier: Apache-2.0
//
// What stands behind a virtio_blk disk: the host. It reads commands from the ring, does them when
// the disk model says, and interrupts.
//
// Context: events of the machine, and vp_notify; passes no probe.
#pragma once

#include <memory>
#include <vector>

#include "sim/block/drivers/disk_model.h"
#include "sim/block/drivers/virtio_pci.h"

namespace kpath {

class VirtioBlkHost : public VirtioHost {
 public:
  // `device` outlives this.
  VirtioBlkHost(std::unique_ptr<DiskModel> disk, virtio_pci_device* device)
      : disk_(std::move(disk)), device_(device) {}

  void Notified(virtqueue* vq) override;
  DiskModel& disk() { return *disk_; }

 private:
  struct Command;
  Command Parse(const virtqueue& vq, uint16_t head) const;
  void Start(virtqueue* vq, uint16_t head);
  void Finish(virtqueue* vq, const Command& command, DiskResult result);

  std::unique_ptr<DiskModel> disk_;
  virtio_pci_device* const device_;
  uint16_t last_avail_idx_ = 0;
};

}  // namespace kpath
