// SPDX-License-Identifier: Apache-2.0
//
// The tables that kpath was built from, for looking things up at run time: which number a name has,
// which entry a number leads to, and how much of it is modelled.
//
//   const SyscallInfo* call = FindSyscall64("io_submit", SyscallAbi::k64);
//   call->row.number;  // 209
//   call->note;        // what the model leaves out
//
// Nothing here changes after start-up; all of it may be used from any thread.

#pragma once

#include <vector>

#include "absl/strings/string_view.h"
#include "syscall_table/fidelity.h"

namespace kpath {

// The files as they were at build time, byte for byte. They live as long as the program.
absl::string_view Syscall64TblText();
absl::string_view Syscall32TblText();
absl::string_view FidelityTblText();

// All rows of syscall_64.tbl with their fidelity, by ascending number.
const std::vector<SyscallInfo>& Syscalls64();

// The same for syscall_32.tbl. A row without a line of its own in fidelity.tbl is as good as the
// 64-bit call that it shares its function with.
const std::vector<SyscallInfo>& Syscalls32();

// The call in this slot of sys_call_table, or nullptr if v4.19 does not use the number. The number
// is the index in the table: without X32_SYSCALL_BIT.
const SyscallInfo* FindSyscall64(int number);

// The call that a program of this ABI (k64 or kX32) means by `name`, or nullptr.
const SyscallInfo* FindSyscall64(absl::string_view name, SyscallAbi abi);

}  // namespace kpath
