// SPDX-License-Identifier: Apache-2.0
#include "sim/user/traps.h"

#include "sim/machine/machine.h"
#include "sim/user/control.h"
#include "sim/user/text.h"

namespace kpath::user {
namespace {

bool HasErrorCode(Vector vector) {
  return (vector >= kInvalidTss && vector <= kGeneralProtection) || vector == kAlignmentCheck;
}

void RaiseAt(uint64_t rip, Vector vector, uint64_t error_code) {
  current_context->cpu->regs.rip = rip;
  current_context->cpu->RaiseException(vector, HasErrorCode(vector), error_code);
}

// The instruction faults until the kernel goes on elsewhere.
void FaultForGood(Vector vector) {
  STEP("ring 3: exception", static_cast<int>(vector));
  while (true) {
    RaiseAt(TrapInstruction(vector), vector, 0);
    ComeBackTo(TrapInstruction(vector));
  }
}

// Comes back behind the instruction, which is `length` bytes long.
void Trap(Vector vector, uint64_t length) {
  STEP("ring 3: trap", static_cast<int>(vector));
  const uint64_t behind = TrapInstruction(vector) + length;
  RaiseAt(behind, vector, 0);
  ComeBackTo(behind);
}

}  // namespace

void DivideByZero() { FaultForGood(kDivideError); }
void UndefinedInstruction() { FaultForGood(kInvalidOpcode); }
void AccessPort() { FaultForGood(kGeneralProtection); }
void Bound() { FaultForGood(kBoundRange); }

void Int3() { Trap(kBreakpoint, 1); }
void Int1() { Trap(kDebug, 1); }
void Into() { Trap(kOverflow, 1); }

void Int(uint8_t n) {
  STEP("ring 3: INT", n);
  const uint64_t behind = TrapInstruction(n) + 2;
  while (true) {
    current_context->cpu->regs.rip = behind;
    current_context->cpu->SoftwareInterrupt(n);
    ComeBackTo(TrapInstruction(n), behind);
    if (current_context->cpu->regs.rip == behind) return;
  }
}

void Raise(Vector vector, uint64_t error_code) {
  STEP("ring 3: exception", static_cast<int>(vector), error_code);
  RaiseAt(TrapInstruction(vector), vector, error_code);
  ComeBackTo(TrapInstruction(vector));
}

}  // namespace kpath::user
