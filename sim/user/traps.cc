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

Registers& Regs() { return current_context->cpu->regs; }

void RaiseAt(uint64_t rip, Vector vector, uint64_t error_code) {
  Regs().rip = rip;
  current_context->cpu->RaiseException(vector, HasErrorCode(vector), error_code);
}

// The instruction faults until the kernel goes on elsewhere, for good.
void FaultForGood(Vector vector) {
  const uint64_t instruction = TrapInstruction(vector);
  Regs().rip = instruction;
  STEP("ring 3: exception", static_cast<int>(vector));
  while (true) {
    ComeBackTo(instruction);
    RaiseAt(instruction, vector, 0);
  }
}

// Comes back behind the instruction, which is `length` bytes long.
void Trap(Vector vector, uint64_t length) {
  const uint64_t instruction = TrapInstruction(vector);
  Regs().rip = instruction;
  STEP("ring 3: trap", static_cast<int>(vector));
  ComeBackTo(instruction);
  RaiseAt(instruction + length, vector, 0);
  ComeBackTo(instruction + length);
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
  const uint64_t instruction = TrapInstruction(n);
  const uint64_t behind = instruction + 2;
  Regs().rip = instruction;
  STEP("ring 3: INT", n);
  ComeBackTo(instruction);
  while (Regs().rip == instruction) {
    Regs().rip = behind;
    current_context->cpu->SoftwareInterrupt(n);
    ComeBackTo(instruction, behind);  // at the instruction: it faulted
  }
}

void Raise(Vector vector, uint64_t error_code) {
  const uint64_t instruction = TrapInstruction(vector);
  Regs().rip = instruction;
  STEP("ring 3: exception", static_cast<int>(vector), error_code);
  ComeBackTo(instruction);
  RaiseAt(instruction, vector, error_code);
  ComeBackTo(instruction);
}

}  // namespace kpath::user
