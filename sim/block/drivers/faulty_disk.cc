// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/faulty_disk.h"

namespace kpath {

DiskPlan FaultyDisk::Plan(Machine& machine, const DiskCommand& command) {
  DiskPlan plan = DiskModel::Plan(machine, command);
  if (!*armed_ || command.bytes == 0) return plan;  // a flush is in no place
  const uint64_t last = command.sector + (command.bytes - 1) / 512;
  for (const DiskFault& fault : faults_) {
    if (command.sector > fault.last || last < fault.first) continue;
    if (fault.fails) plan.result = DiskResult::kIoError;
    if (fault.latency_ns != 0) plan.latency_ns = fault.latency_ns;
  }
  return plan;
}

}  // namespace kpath
