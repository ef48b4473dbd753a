// SPDX-License-Identifier: Apache-2.0
//
// The places in the kernel's text that c_symbols.h names, and the functions that are there.
#include "entry/c_function.h"
#include "entry/c_symbols.h"
#include "entry/common.h"
#include "entry/common_32.h"
#include "entry/fault.h"
#include "entry/irq.h"
#include "entry/sync_regs.h"
#include "entry/traps.h"
#include "sim/kernel/tick.h"

namespace kpath {

#define KPATH_CALL(name, address) \
  void c_code::name(Cpu& cpu) { RunCFunction(cpu, kpath::name); }
KPATH_ALL_C_FUNCTIONS(KPATH_CALL)
#undef KPATH_CALL

}  // namespace kpath
