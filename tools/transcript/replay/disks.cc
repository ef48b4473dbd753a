// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/disks.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sim/block/blkdev.h"

namespace kpath {

std::vector<std::pair<std::string, std::string>> DescribeDisks(Machine& machine,
                                                               const Scenario& scenario) {
  std::vector<std::pair<std::string, std::string>> described;
  if (scenario.devices.empty()) return described;
  EnterMachine enter(machine);
  const std::vector<gendisk*> disks = AllDisks();
  for (const DeviceOptions& device : scenario.devices) {
    for (const gendisk* disk : disks) {
      if (!absl::EndsWith(device.path, absl::StrCat("/", disk->disk_name))) continue;
      if (disk->queue->stats.bios == 0) continue;
      described.emplace_back(device.path, DescribeDisk(disk));
    }
  }
  return described;
}

}  // namespace kpath
