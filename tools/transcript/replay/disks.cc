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

std::vector<MountOptions> MountsOf(const Scenario& scenario) {
  std::vector<MountOptions> mounts;
  for (const ScenarioMount& mount : scenario.mounts) {
    mounts.push_back({.device = mount.device, .directory = mount.directory});
  }
  return mounts;
}

void MakeFiles(World& world, const Scenario& scenario) {
  for (const DeviceOptions& device : scenario.devices) world.DeviceIsThere(device.path);
  for (const ScenarioFile& file : scenario.files) {
    bool on_disk = false;
    for (const ScenarioMount& mount : scenario.mounts) {
      const bool is_root = mount.directory == "/";
      on_disk |=
          is_root ? !absl::StartsWith(file.path, "/dev/") && !absl::StartsWith(file.path, "/tmp/")
                  : absl::StartsWith(file.path, absl::StrCat(mount.directory, "/"));
    }
    on_disk ? world.MakeOnDisk(file.path, file.size) : world.MakeSized(file.path, file.size);
  }
  *scenario.faults_armed = true;
}

}  // namespace kpath
