// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/devices.h"

#include "sim/block/drivers/null_blk.h"
#include "sim/block/drivers/virtio_blk.h"

namespace kpath {
namespace {

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

gendisk* AddVirtioBlk(const DeviceOptions& options) {
  VirtioBlkOptions virtio;
  virtio.disk = options.make_disk ? options.make_disk(options)
                                  : std::make_unique<DiskModel>(options.size, options.latency_ns);
  virtio.disk->SetMechanics(options.mechanics);
  virtio.irq_cpu = options.irq_cpu;
  virtio.disk_name = BaseName(options.path);
  virtio.block_size = options.block_size;
  virtio.write_cache = options.write_cache;
  if (options.depth != 0) virtio.queue_size = options.depth;
  return virtblk_probe(std::move(virtio));
}

gendisk* AddNullBlk(const DeviceOptions& options) {
  nullb_device null;
  null.size = options.size;
  null.completion_nsec = options.completion_nsec;
  null.submit_queues = options.queues;
  null.blocksize = options.block_size;
  null.irqmode = options.irqmode;
  null.memory_backed = options.memory_backed;
  null.timeout_interval = options.timeout_interval;
  null.disk_name = BaseName(options.path);
  if (options.depth != 0) null.hw_queue_depth = options.depth;
  return null_add_dev(null);
}

}  // namespace

gendisk* AddDisk(const DeviceOptions& options) {
  if (options.driver == "virtio_blk") return AddVirtioBlk(options);
  if (options.driver == "null_blk") return AddNullBlk(options);
  return nullptr;
}

}  // namespace kpath
