// SPDX-License-Identifier: Apache-2.0
#include "entry/entry_64_compat.h"

namespace kpath {

void RunEntryInt80Compat(Cpu& cpu) { RunCompiled<assembly::entry_INT80_compat_listing>(cpu); }
void RunInt80Restore(Cpu& cpu) { RunCompiled<assembly::syscall_32_done_listing>(cpu); }
void RunEntrySysenterCompat(Cpu& cpu) { RunCompiled<assembly::entry_SYSENTER_compat_listing>(cpu); }
void RunSysenterFlagsFixed(Cpu& cpu) { RunCompiled<assembly::sysenter_flags_fixed_listing>(cpu); }
void RunSysenterFixFlags(Cpu& cpu) { RunCompiled<assembly::sysenter_fix_flags_listing>(cpu); }
void RunEntrySyscallCompat(Cpu& cpu) { RunCompiled<assembly::entry_SYSCALL_compat_listing>(cpu); }
void RunSysret32FromSystemCall(Cpu& cpu) {
  RunCompiled<assembly::sysret32_from_system_call_listing>(cpu);
}

}  // namespace kpath
