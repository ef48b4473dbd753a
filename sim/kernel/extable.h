// SPDX-License-Identifier: Apache-2.0
//
// The exception table: kernel instructions that may fault on a user address, and where the kernel
// goes on if that address is bad. v4.19 kernel/extable.c, arch/x86/mm/extable.c
//
// The model's kernel has no text of its own, so each such instruction has an address here that is
// kpath's own and stands for it: the saved RIP of the fault, what an oops prints.
#pragma once

#include <cstdint>

#include "sim/machine/cpu.h"
#include "sim/machine/pt_regs.h"

namespace kpath {

// v4.19 arch/x86/include/asm/trapnr.h: the vector of #PF.
inline constexpr int X86_TRAP_PF = 14;

struct exception_table_entry {
  uint64_t insn;       // the instruction that may fault
  uint64_t fixup;      // where to go on
  const char* symbol;  // the kernel's name of the place
};

// The entries that uaccess.cc uses, each a function of arch/x86/lib.
extern const exception_table_entry kExtableGetUser1, kExtableGetUser2, kExtableGetUser4,
    kExtableGetUser8, kExtablePutUser1, kExtablePutUser2, kExtablePutUser4, kExtablePutUser8,
    kExtableCopyFromUser, kExtableCopyToUser, kExtableClearUser, kExtableStrncpyFromUser;

// v4.19 kernel/extable.c: search_exception_tables. nullptr: no entry for this address.
const exception_table_entry* search_exception_tables(unsigned long addr);

// v4.19 arch/x86/mm/extable.c: ex_handler_default. Moves the saved RIP to the fixup; returns true.
bool ex_handler_default(const exception_table_entry* fixup, pt_regs* regs, int trapnr);

// v4.19 arch/x86/mm/extable.c: fixup_exception. Returns 1 if the exception at regs->ip has been
// fixed up, 0 if no entry knows that address.
int fixup_exception(pt_regs* regs, int trapnr);

// ---- Entering a handler from an IDT gate ----

// Does what the entry code of an exception with an error code does around its C handler: saves the
// registers as pt_regs (on the task's stack if the fault came from user mode), calls `handler`,
// restores what it left there, returns with IRET. For machines on which the entry code (entry/) is
// not installed. Call it from IdtGate::handler.
void RunExceptionHandler(Cpu& cpu, void (*handler)(pt_regs* regs, unsigned long error_code));

}  // namespace kpath
