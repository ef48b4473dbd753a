// SPDX-License-Identifier: Apache-2.0
#include "entry/assembler.h"

#include "sim/machine/check.h"

namespace kpath::assembly {

void ThisInstructionCannotHaveThatOperand() {
  KPATH_CHECK(false, "an instruction that does not exist was made outside of a constexpr listing");
}

}  // namespace kpath::assembly
