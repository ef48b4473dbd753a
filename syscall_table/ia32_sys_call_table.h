// SPDX-License-Identifier: Apache-2.0
//
// The table that the 32-bit entries dispatch through. v4.19 arch/x86/entry/syscall_32.c
//
// Each machine has its own, made from syscall_32.tbl. A slot has a function of the model where
//   the entry is __ia32_sys_NAME   and __x64_sys_NAME is modelled: one SYSCALL_DEFINE makes both
//   it is another one              and fidelity.tbl has a row name/i386 that says so
#pragma once

#include "syscall_table/sys_call_table.h"

namespace kpath {

struct Ia32SysCallTable : SysCallTable {
  Ia32SysCallTable();
};
extern KernelGlobal<Ia32SysCallTable> ia32_sys_call_table;

}  // namespace kpath
