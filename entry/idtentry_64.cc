// SPDX-License-Identifier: Apache-2.0
#include "entry/idtentry_64.h"

namespace kpath {

void RunErrorEntry(Cpu& cpu) { RunCompiled<assembly::error_entry_listing>(cpu); }
void RunErrorEntryFromUsermode(Cpu& cpu) {
  RunCompiled<assembly::error_entry_from_usermode_after_swapgs_listing>(cpu);
}
void RunErrorEntryDone(Cpu& cpu) { RunCompiled<assembly::error_entry_done_listing>(cpu); }
void RunErrorKernelspace(Cpu& cpu) { RunCompiled<assembly::error_kernelspace_listing>(cpu); }
void RunBstepIret(Cpu& cpu) { RunCompiled<assembly::bstep_iret_listing>(cpu); }
void RunErrorBadIret(Cpu& cpu) { RunCompiled<assembly::error_bad_iret_listing>(cpu); }
void RunErrorExit(Cpu& cpu) { RunCompiled<assembly::error_exit_listing>(cpu); }
void RunParanoidEntry(Cpu& cpu) { RunCompiled<assembly::paranoid_entry_listing>(cpu); }
void RunParanoidEntryDone(Cpu& cpu) { RunCompiled<assembly::paranoid_entry_done_listing>(cpu); }
void RunParanoidExit(Cpu& cpu) { RunCompiled<assembly::paranoid_exit_listing>(cpu); }
void RunParanoidExitNoSwapgs(Cpu& cpu) {
  RunCompiled<assembly::paranoid_exit_no_swapgs_listing>(cpu);
}

#define KPATH_RUN(symbol, function, macro)                                                \
  void exception_code::symbol(Cpu& cpu) { RunCompiled<assembly::symbol##_listing>(cpu); } \
  void exception_code::symbol##_from_user(Cpu& cpu) {                                     \
    RunCompiled<assembly::symbol##_from_user_listing>(cpu);                               \
  }
KPATH_IDTENTRIES(KPATH_RUN)
#undef KPATH_RUN

}  // namespace kpath
