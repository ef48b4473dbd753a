// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/staging.h"

#include <algorithm>

#include "sim/kernel/sched.h"
#include "sim/machine/check.h"
#include "sim/machine/memory.h"
#include "sim/mm/mman.h"
#include "sim/mm/mmap.h"
#include "sim/user/syscall.h"
#include "syscall_table/numbers_64.h"

namespace kpath {
namespace {

constexpr uint64_t kKeptOffset = kStagingBytesPerProcess / 2;
constexpr uint64_t kMapStep = 256 * 1024;
constexpr uint64_t kLowestAddress = 64 * 1024;

uint64_t RoundUp(uint64_t value, uint64_t step) { return (value + step - 1) / step * step; }

void MapAnonymous(uint64_t address, uint64_t bytes) {
  const int64_t result = user::Syscall(NR_mmap, address, bytes, PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  KPATH_CHECK(result == static_cast<int64_t>(address), result);
}

// Maps what is missing of a part that begins at `start` and must reach `used` bytes.
void Grow(uint64_t start, uint64_t used, uint64_t* mapped) {
  if (used <= *mapped) return;
  const uint64_t end = RoundUp(used, kMapStep);
  KPATH_CHECK(end <= kKeptOffset, "a transcript shows more than 8 GiB at once");
  MapAnonymous(start + *mapped, end - *mapped);
  *mapped = end;
}

}  // namespace

uint64_t Staging::ForCall(uint64_t bytes) {
  const uint64_t offset = next_in_call_;
  next_in_call_ += RoundUp(std::max<uint64_t>(bytes, 1), 64);
  Grow(base_, next_in_call_, &mapped_call_);
  return base_ + offset;
}

uint64_t Staging::Keep(uint64_t bytes) {
  bytes = RoundUp(std::max<uint64_t>(bytes, 1), 512);
  uint64_t address;
  if (const auto found = free_.find(bytes); found != free_.end()) {
    address = found->second;
    free_.erase(found);
  } else {
    address = base_ + kKeptOffset + next_kept_;
    next_kept_ += bytes;
    Grow(base_ + kKeptOffset, next_kept_, &mapped_kept_);
  }
  kept_[address] = bytes;
  return address;
}

void Staging::GiveBack(uint64_t address) {
  const auto found = kept_.find(address);
  if (found == kept_.end()) return;
  free_.emplace(found->second, address);
  kept_.erase(found);
}

void Staging::ForgetAll() {
  mapped_call_ = mapped_kept_ = next_in_call_ = next_kept_ = 0;
  free_.clear();
  kept_.clear();
}

void AssumeMemory(uint64_t address, uint64_t bytes) {
  if (bytes == 0 || address < kLowestAddress) return;
  const uint64_t end = std::min(address + bytes, kUserAddressEnd);
  for (uint64_t page = address & kPageMask; page < end;) {
    const kptr<vm_area_struct> vma = find_vma(current->mm, page);
    if (vma && vma->vm_start <= page) {
      page = vma->vm_end;
      continue;
    }
    const uint64_t free = vma ? std::min<uint64_t>(vma->vm_start, end) : end;
    MapAnonymous(page, RoundUp(free - page, kPageSize));
    page = RoundUp(free, kPageSize);
  }
}

bool IsMapped(uint64_t address) {
  const kptr<vm_area_struct> vma = find_vma(current->mm, address);
  return vma && vma->vm_start <= address;
}

void DropPages(uint64_t address, uint64_t bytes) {
  const int64_t result = user::Syscall(NR_madvise, address, bytes, MADV_DONTNEED);
  KPATH_CHECK(result == 0, result);
}

}  // namespace kpath
