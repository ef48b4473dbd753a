// SPDX-License-Identifier: Apache-2.0
#include "sim/user/fault.h"

namespace kpath::user {
namespace {

// Intel SDM volume 3, 6.15: the vectors, and the error code of a page fault.
constexpr uint8_t kGeneralProtection = 13;
constexpr uint8_t kPageFault = 14;
constexpr uint64_t kProtection = 1 << 0;
constexpr uint64_t kWrite = 1 << 1;
constexpr uint64_t kUser = 1 << 2;
constexpr uint64_t kInstructionFetch = 1 << 4;

// Bits 63 to 48 equal bit 47.
bool IsCanonical(uint64_t address) {
  return static_cast<uint64_t>(static_cast<int64_t>(address << 16) >> 16) == address;
}

bool IsPresent(const Cpu& cpu, uint64_t address) {
  if (address >= kDirectMapBase) return cpu.machine().memory.KernelBytes(address) != nullptr;
  return cpu.address_space != nullptr && cpu.address_space->Find(address) != nullptr;
}

}  // namespace

PageTableEntry* PermittingEntry(uint64_t address, Access access) {
  AddressSpace* space = current_context->cpu->address_space;
  if (space == nullptr || address >= kUserAddressEnd) return nullptr;
  PageTableEntry* entry = space->Find(address);
  if (entry == nullptr) return nullptr;
  if (access == Access::kStore && !entry->writable) return nullptr;
  return entry;
}

void RaiseAccessFault(uint64_t address, Access access, uint64_t rip) {
  Cpu& cpu = *current_context->cpu;
  cpu.regs.rip = rip;
  if (!IsCanonical(address)) return cpu.RaiseException(kGeneralProtection, true, 0);
  cpu.cr2 = address;
  uint64_t error_code = kUser;
  if (IsPresent(cpu, address)) error_code |= kProtection;
  if (access == Access::kStore) error_code |= kWrite;
  if (access == Access::kFetch) error_code |= kInstructionFetch;
  cpu.RaiseException(kPageFault, true, error_code);
}

}  // namespace kpath::user
