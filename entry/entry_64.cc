// SPDX-License-Identifier: Apache-2.0
#include "entry/entry_64.h"

namespace kpath {

void RunEntrySyscall64(Cpu& cpu) { RunCompiled<assembly::entry_SYSCALL_64_listing>(cpu); }

void RunSwapgsRestoreRegsAndReturnToUsermode(Cpu& cpu) {
  RunCompiled<assembly::swapgs_restore_regs_and_return_to_usermode_listing>(cpu);
}

void RunNativeIret(Cpu& cpu) { RunCompiled<assembly::native_iret_listing>(cpu); }

}  // namespace kpath
