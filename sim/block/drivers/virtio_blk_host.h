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
#include "sim/block/drivers/virtio_blk.h"
#include "sim/block/drivers/virtio_pci.h"

namespace kpath {

class VirtioBlkHost : public VirtioHost {
 public:
  // `queue_size`: entries of the ring. `device` outlives this.
  VirtioBlkHost(std::unique_ptr<DiskModel> disk, virtio_pci_device* device, unsigned queue_size)
      : disk_(std::move(disk)), device_(device), commands_(queue_size) {}

  void Notified(virtqueue* vq) override;
  DiskModel& disk() { return *disk_; }

 private:
  // What the host has read from the ring. It lies where its entry does, so that no memory is asked
  // for with each.
  struct Command {
    virtqueue* vq = nullptr;
    virtio_blk_outhdr header;
    std::vector<vring_desc> data;
    uint64_t status = 0;  // where it goes
    DiskResult result = DiskResult::kOk;

    uint64_t Bytes() const;
  };
  void Parse(virtqueue* vq, uint16_t head, Command* command) const;
  void Start(virtqueue* vq, uint16_t head);
  void Finish(uint16_t head);

  std::unique_ptr<DiskModel> disk_;
  virtio_pci_device* const device_;
  std::vector<Command> commands_;  // by first entry
  uint16_t last_avail_idx_ = 0;
};

}  // namespace kpath
