// SPDX-License-Identifier: Apache-2.0
//
// What the 64-bit and the 32-bit calls have in common. Inside entry/.
#pragma once

#include "sim/machine/pt_regs.h"
#include "syscall_table/sys_call_table.h"

namespace kpath {

// v4.19 arch/x86/entry/common.c: enter_from_user_mode
void enter_from_user_mode();

// Calls table[nr] and leaves its result in regs->ax; a number beyond the table leaves that alone.
void DispatchSyscall(const SysCallTable& table, unsigned long nr, pt_regs* regs);

}  // namespace kpath
