// SPDX-License-Identifier: Apache-2.0
//
// A paravirtual disk. v4.19 drivers/block/virtio_blk.c, include/uapi/linux/virtio_blk.h
//
//   gendisk* vda = virtblk_probe({.disk = std::make_unique<DiskModel>(size, latency_ns)});
//
// The host's side is in virtio_blk_host.h: it moves the bytes and raises the interrupt when the
// disk model says that a command is done.
//
// Context: virtblk_probe: process, or while the machine is set up.
#pragma once

#include <memory>
#include <string>

#include "sim/block/drivers/disk_model.h"
#include "sim/block/genhd.h"

namespace kpath {

struct VirtioBlkOptions {
  std::unique_ptr<DiskModel> disk;
  std::string disk_name = "vda";
  unsigned queue_size = 128;  // entries of the ring, a power of two: commands at a time
  unsigned seg_max = 126;     // pieces of memory of one command
  unsigned block_size = 512;  // the smallest unit of direct I/O
  bool write_cache = false;   // the host keeps writes back until it is told to flush
  int irq_cpu = 0;            // the CPU that it interrupts
};

// The disk, ready for use; null: no memory, no interrupt.
gendisk* virtblk_probe(VirtioBlkOptions options);

// ---- Commands, as the host reads them ----
inline constexpr uint32_t VIRTIO_BLK_T_IN = 0;
inline constexpr uint32_t VIRTIO_BLK_T_OUT = 1;
inline constexpr uint32_t VIRTIO_BLK_T_FLUSH = 4;
inline constexpr uint32_t VIRTIO_BLK_T_GET_ID = 8;
inline constexpr uint8_t VIRTIO_BLK_S_OK = 0;
inline constexpr uint8_t VIRTIO_BLK_S_IOERR = 1;
inline constexpr uint8_t VIRTIO_BLK_S_UNSUPP = 2;

struct virtio_blk_outhdr {
  uint32_t type = 0;
  uint32_t ioprio = 0;
  uint64_t sector = 0;
};

}  // namespace kpath
