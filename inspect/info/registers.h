// SPDX-License-Identifier: Apache-2.0
//
// gdb's `info registers`: of the CPU that executes the selected task, or what the task had when it
// was left.
//
//   rax            0xffffffffffffffda  -38
//   rip            0xffffffff81400013  0xffffffff81400013 <entry_SYSCALL_64+3>
//   eflags         0x46                [ PF ZF ]
//   cr3            page table of prog/1
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inspect/info/view.h"

namespace kpath {

// All registers if `names` is empty, else these in this order: rax … r15, rip (pc), rsp (sp), rbp
// (fp), eflags, cs, ss, gs_base, k_gs_base, cr2, cr3, dr6, with or without a `$`. gs_base, cr2, cr3
// and dr6 are a CPU's: a task that does not run has none.
//
// Errors (NotFound), gdb's words: Invalid register `foo'
absl::StatusOr<std::string> InfoRegisters(const View& view,
                                          const std::vector<std::string>& names = {});

// The flags that are set, `[ PF ZF IF ]`.
std::string FlagsText(uint64_t rflags);
// "rax", by the order of the instruction encoding.
absl::string_view RegisterName(Reg reg);

}  // namespace kpath
