// SPDX-License-Identifier: Apache-2.0
//
// What stands at an address of the simulated machine, and what it is called.
//
//   AddressName(view, 0xffffffff81400013);  // entry_SYSCALL_64+3
//   AddressName(view, 0xffff888100001240);  // kioctx
//   AddressName(view, 0xffff888000107f58);  // stack of prog/1+16216
//   AddressName(view, 0x7ffd00001000);      // [stack]
//   ReadMemory(view, address, bytes);       // false: not all of them are mapped
#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "inspect/info/view.h"
#include "sim/mm/mm_types.h"

namespace kpath {

// What the selected task, or else the page table that its CPU uses, has at this address: code, a
// kernel object of the slab, a kernel stack, a CPU's per-CPU data, an area of user memory. With
// `+offset`, decimal, where it is not the beginning of a symbol or an object. Empty: nothing that
// has a name.
std::string AddressName(const View& view, uint64_t address);
// `0xffff888100001240 <kioctx>`; only the number where it has no name.
std::string AddressText(const View& view, uint64_t address);

// Reads bytes at an address as the selected task sees memory: through the kernel's mappings, and
// through the task's page table. Never brings in a page. False: one of them is not mapped; what
// `bytes` has then, is nothing.
bool ReadMemory(const View& view, uint64_t address, absl::Span<uint8_t> bytes);
// The little-endian number of `size` bytes, 1 … 8, there.
absl::optional<uint64_t> ReadNumber(const View& view, uint64_t address, int size);

// Why nothing can be read at an address: gdb's `Cannot access memory at address 0x…`, and what is
// known of the place.
std::string CannotAccess(const View& view, uint64_t address);

// The memory of a task that is alive; null: it has none.
kptr<mm_struct> MmOf(const task_struct& task);
// `/tmp/file`, `[heap]`, `[stack]`, `anon_inode:[aio]`; empty for anonymous memory.
std::string AreaName(const kptr<mm_struct>& mm, const kptr<vm_area_struct>& area);

// `prog/1`.
std::string TaskName(const Context& context);

}  // namespace kpath
