// SPDX-License-Identifier: Apache-2.0
#include "sim/block/drivers/disk_model.h"

#include <algorithm>
#include <cstring>

namespace kpath {

DiskPlan DiskModel::Plan(Machine& machine, const DiskCommand& command) {
  constexpr int64_t kFactors[] = {1, 2, 8, 32};
  const int pick = machine.Choose(ChoiceKind::kDeviceDelay, 4);
  const bool fits = command.sector * 512 + command.bytes <= size_;
  DiskPlan plan = {.latency_ns = latency_ns_ * kFactors[pick],
                   .result = fits ? DiskResult::kOk : DiskResult::kIoError};
  if (mechanics_.any()) {
    const int64_t now = machine.now_ns();
    plan.latency_ns = MoveArm(now, plan.latency_ns, command) - now;
  }
  return plan;
}

int64_t DiskModel::MoveArm(int64_t now, int64_t latency_ns, const DiskCommand& command) {
  const uint64_t begin =
      command.bytes == 0 ? arm_ : command.sector * 512;  // a flush is in no place
  const uint64_t distance = begin > arm_ ? begin - arm_ : arm_ - begin;
  const auto thousandths = static_cast<int64_t>(distance / 512 * 1000 / (size_ / 512));
  int64_t takes = latency_ns + mechanics_.seek_ns / 1000 * thousandths;
  if (mechanics_.bytes_per_second != 0) {
    takes += static_cast<int64_t>(command.bytes * 1'000'000'000 / mechanics_.bytes_per_second);
  }
  arm_ = begin + command.bytes;
  free_at_ = std::max(now, free_at_) + takes;
  return free_at_;
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
