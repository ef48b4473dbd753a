// SPDX-License-Identifier: Apache-2.0
//
// A disk by its description, as a scenario gives it:
//
//   # kpath: device /dev/vda driver=virtio_blk size=16M latency=80us
//   # kpath: device /dev/nullb0 driver=null_blk queues=2 depth=64 irqmode=2 completion_nsec=10000
//
// Context: AddDisk: process, or while the machine is set up.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "sim/block/drivers/disk_model.h"
#include "sim/block/genhd.h"

namespace kpath {

struct DeviceOptions {
  std::string path;                    // "/dev/vda"
  std::string driver = "virtio_blk";   // or "null_blk"
  uint64_t size = uint64_t{16} << 20;  // bytes, a multiple of block_size
  int64_t latency_ns = 80'000;         // virtio_blk: of each command
  unsigned queues = 1;                 // null_blk: hardware queues
  unsigned depth = 0;                  // tags of a queue; 0: the driver's default
  unsigned block_size = 512;           // bytes
  int irqmode = 1;                     // null_blk: null_irqmode
  int64_t completion_nsec = 10'000;    // null_blk, irqmode 2
  bool memory_backed = false;          // null_blk
  unsigned timeout_interval = 0;       // null_blk: loses each so-many-th request; 0: none
  bool write_cache = false;            // virtio_blk
  DiskMechanics mechanics = {};        // virtio_blk
  int irq_cpu = 0;                     // virtio_blk: the CPU that it interrupts
  // virtio_blk: the hardware, in place of one that always takes latency_ns and never fails.
  std::function<std::unique_ptr<DiskModel>(const DeviceOptions& options)> make_disk = nullptr;
};

// The disk, ready for use. Null: no memory, or no such driver.
gendisk* AddDisk(const DeviceOptions& options);

}  // namespace kpath
