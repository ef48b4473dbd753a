// SPDX-License-Identifier: Apache-2.0
//
// User memory without processes, for unit tests of code that calls get_user, copy_to_user and so
// on: a page table that every CPU of the machine uses, and a page fault gate that makes nothing
// present.
//
//   TestKernel kernel;
//   TestUserMemory user(kernel.machine);
//   user.Map(0x10000, 2 * kPageSize);                  // writable, zeroed
//   user.Write(user_ptr<uint32_t>(0x10000), 7);
//   kernel.Spawn("a", [] { ... get_user(value, user_ptr<uint32_t>(0x10000)) ... });
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "sim/kernel/extable.h"
#include "sim/kernel/report.h"
#include "sim/kernel/uaccess.h"
#include "sim/machine/check.h"
#include "sim/machine/machine.h"

namespace kpath {

class TestUserMemory {
 public:
  // `machine` must outlive this object and must not install page tables of its own.
  explicit TestUserMemory(Machine& machine) : machine_(machine) {
    for (int id = 0; id < machine.cpus(); ++id) {
      machine.cpu(id).address_space = &space_;
      machine.cpu(id).idt[X86_TRAP_PF] = {.handler = PageFault, .name = "page_fault"};
    }
  }
  ~TestUserMemory() {
    for (const uint64_t pfn : pfns_) machine_.memory.FreePages(pfn, 0);
    for (int id = 0; id < machine_.cpus(); ++id) machine_.cpu(id).address_space = nullptr;
  }
  TestUserMemory(const TestUserMemory&) = delete;
  TestUserMemory& operator=(const TestUserMemory&) = delete;

  // Maps zeroed pages at [address, address + bytes), both multiples of the page size.
  void Map(uint64_t address, uint64_t bytes, bool writable = true) {
    for (uint64_t page = address; page < address + bytes; page += kPageSize) {
      pfns_.push_back(machine_.memory.AllocatePages(0));
      space_.Map(page, {.pfn = pfns_.back(), .writable = writable});
    }
  }

  // Look at and change what is mapped, from outside of the kernel; within one page each.
  template <typename T>
  void Write(user_ptr<T> at, T value) {
    std::memcpy(Bytes(at.address()), &value, sizeof(value));
  }
  template <typename T>
  T Read(user_ptr<T> at) {
    T value;
    std::memcpy(&value, Bytes(at.address()), sizeof(value));
    return value;
  }
  uint8_t* Bytes(uint64_t address) {
    const PageTableEntry* entry = space_.Find(address);
    KPATH_CHECK(entry != nullptr, address);
    return machine_.memory.PageBytes(entry->pfn) + (address & ~kPageMask);
  }

  AddressSpace& space() { return space_; }

 private:
  static void PageFault(Cpu& cpu) {
    RunExceptionHandler(cpu, [](pt_regs* regs, unsigned long) {
      if (fixup_exception(regs, X86_TRAP_PF) == 0) Report("BUG: a page fault without a fixup");
    });
  }

  Machine& machine_;
  AddressSpace space_;
  std::vector<uint64_t> pfns_;
};

}  // namespace kpath
