// SPDX-License-Identifier: Apache-2.0
//
// The kernel's modelled assembly by address: which listing stands where.
//
//   absl::optional<CodeLine> line = CodeAt(0xffffffff81400013);
//   line->Where();                     // entry_SYSCALL_64+3
//   Disassemble(line->instruction());  // mov    %rsp,%gs:rsp_scratch
//
// Context: any; nothing here changes after its first use.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "entry/instruction.h"

namespace kpath {

// A listing, at run time.
struct CodeListing {
  const CodeSymbol* symbol = nullptr;
  absl::Span<const Instruction> lines;
  std::vector<uint64_t> addresses;  // of the lines, and where the listing ends
};

// One line of it.
struct CodeLine {
  const CodeListing* listing = nullptr;
  size_t index = 0;

  uint64_t address() const { return listing->addresses[index]; }
  const Instruction& instruction() const { return listing->lines[index]; }
  // `entry_SYSCALL_64+12`; the stub of a device's vector is `irq_entries_start+16`.
  std::string Where() const;
};

// All listings, by ascending address.
const std::vector<CodeListing>& AllCode();

// The line that begins at `address`; none: no listing has one there.
absl::optional<CodeLine> CodeAt(uint64_t address);
// The first line of the listing at this symbol, or of the C function that listings call.
absl::optional<uint64_t> FindSymbol(absl::string_view name);

// `entry_SYSCALL_64+12`, `do_syscall_64`: for addresses within a listing, and those of the C
// functions that listings call. Empty for others.
std::string NameCode(uint64_t address);

}  // namespace kpath
