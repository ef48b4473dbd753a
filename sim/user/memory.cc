// SPDX-License-Identifier: Apache-2.0
#include "sim/user/memory.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "sim/machine/check.h"
#include "sim/user/control.h"
#include "sim/user/fault.h"
#include "sim/user/text.h"

namespace kpath::user {
namespace {

// The ABI's red zone: the program may use it without moving its stack pointer.
constexpr uint64_t kRedZone = 128;

// The bytes from `address` to the end of its page, after as many faults as it takes.
uint8_t* AccessibleBytes(uint64_t address, Access access) {
  const uint64_t instruction = access == Access::kStore ? kStoreInstruction : kLoadInstruction;
  PageTableEntry* entry;
  while ((entry = PermittingEntry(address, access)) == nullptr) {
    RaiseAccessFault(address, access, instruction);
    ComeBackTo(instruction);
  }
  if (access == Access::kStore) entry->dirty = true;
  return current_context->machine->memory.PageBytes(entry->pfn) + (address & ~kPageMask);
}

// Calls `each(bytes, offset, size)` for what lies in each page of [address, address + size).
template <typename Each>
void ForEachPage(uint64_t address, size_t size, Access access, Each each) {
  size_t done = 0;
  while (done < size) {
    const uint64_t at = address + done;
    const size_t here = std::min<size_t>(size - done, kPageSize - (at & ~kPageMask));
    each(AccessibleBytes(at, access), done, here);
    done += here;
  }
}

}  // namespace

void ReadMemory(uint64_t address, void* to, size_t size) {
  current_context->cpu->regs.rip = kLoadInstruction;
  STEP("user load", Value::Address(address), size);
  ComeBackTo(kLoadInstruction);
  TrapIfStepping(kLoadInstruction);
  ForEachPage(address, size, Access::kLoad, [&](const uint8_t* bytes, size_t offset, size_t count) {
    std::memcpy(static_cast<uint8_t*>(to) + offset, bytes, count);
  });
}

void WriteMemory(uint64_t address, const void* from, size_t size) {
  current_context->cpu->regs.rip = kStoreInstruction;
  STEP("user store", Value::Address(address), size);
  ComeBackTo(kStoreInstruction);
  TrapIfStepping(kStoreInstruction);
  ForEachPage(address, size, Access::kStore, [&](uint8_t* bytes, size_t offset, size_t count) {
    std::memcpy(bytes, static_cast<const uint8_t*>(from) + offset, count);
  });
}

std::string ReadText(uint64_t address, size_t size) {
  std::string text(size, '\0');
  ReadMemory(address, text.data(), size);
  return text;
}

void WriteString(uint64_t address, absl::string_view text) {
  const std::string with_nul(text);
  WriteMemory(address, with_nul.c_str(), with_nul.size() + 1);
}

uint64_t StackBytes(size_t size) {
  KPATH_CHECK(size <= 64 * 1024, absl::StrCat(size, " bytes on the stack"));
  // The stack pointer moves, so that the frame of a signal handler lies below these bytes.
  uint64_t& rsp = current_context->cpu->regs[Reg::rsp];
  const uint64_t top = rsp + current_context->user_frame;
  rsp = (top - kRedZone - size) & ~uint64_t{15};
  current_context->user_frame = top - rsp;
  return rsp;
}

}  // namespace kpath::user
