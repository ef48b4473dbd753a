// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/disk_model.h"

#include <algorithm>
#include <cstring>

namespace kpath {

DiskPlan DiskModel::Plan(Machine& machine, const DiskCommand& command) {
  constexpr int64_t kFactors[] = {1, 2, 8, 32};
  const int pick = machine.Choose(ChoiceKind::kDeviceDelay, 4);
  const bool fits = command.sector * 512 + command.bytes <= size_;
  return {.latency_ns = latency_ns_ * kFactors[pick],
          .result = fits ? DiskResult::kOk : DiskResult::kIoError};
}

bool DiskModel::Read(uint64_t offset, absl::Span<uint8_t> to) const {
  if (offset + to.size() > size_) return false;
  for (size_t done = 0; done < to.size();) {
    const uint64_t at = offset + done;
    const uint64_t part = std::min<uint64_t>(to.size() - done, kBlock - at % kBlock);
    const auto found = blocks_.find(at / kBlock);
    if (found == blocks_.end()) {
      std::memset(to.data() + done, 0, part);
    } else {
      std::memcpy(to.data() + done, found->second->bytes + at % kBlock, part);
    }
    done += part;
  }
  return true;
}

bool DiskModel::Write(uint64_t offset, absl::Span<const uint8_t> from) {
  if (offset + from.size() > size_) return false;
  for (size_t done = 0; done < from.size();) {
    const uint64_t at = offset + done;
    const uint64_t part = std::min<uint64_t>(from.size() - done, kBlock - at % kBlock);
    std::unique_ptr<Block>& block = blocks_[at / kBlock];
    if (block == nullptr) block = std::make_unique<Block>();
    std::memcpy(block->bytes + at % kBlock, from.data() + done, part);
    done += part;
  }
  return true;
}

}  // namespace kpath
