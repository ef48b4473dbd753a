// SPDX-License-Identifier: Apache-2.0
#include "entry/execute.h"

#include "sim/machine/check.h"

namespace kpath {

Flow Execute(Cpu& cpu, const Instruction& instruction, uint64_t next_rip) {
  switch (instruction.opcode) {
#define KPATH_CASE(opcode) \
  case Opcode::opcode:     \
    return Execute<Opcode::opcode>(cpu, instruction, next_rip)
    KPATH_CASE(kAdd);
    KPATH_CASE(kCall);
    KPATH_CASE(kCld);
    KPATH_CASE(kCli);
    KPATH_CASE(kCmp);
    KPATH_CASE(kDec);
    KPATH_CASE(kInc);
    KPATH_CASE(kIret);
    KPATH_CASE(kJe);
    KPATH_CASE(kJmp);
    KPATH_CASE(kJne);
    KPATH_CASE(kJs);
    KPATH_CASE(kLea);
    KPATH_CASE(kMov);
    KPATH_CASE(kOr);
    KPATH_CASE(kPop);
    KPATH_CASE(kPopf);
    KPATH_CASE(kPush);
    KPATH_CASE(kPushf);
    KPATH_CASE(kRdmsr);
    KPATH_CASE(kRet);
    KPATH_CASE(kSar);
    KPATH_CASE(kShl);
    KPATH_CASE(kSwapgs);
    KPATH_CASE(kSysret);
    KPATH_CASE(kSysretl);
    KPATH_CASE(kTest);
    KPATH_CASE(kXor);
#undef KPATH_CASE
  }
  KPATH_CHECK(false, "an opcode without a meaning");
  __builtin_unreachable();
}

}  // namespace kpath
