// SPDX-License-Identifier: Apache-2.0
//
// How fine a step is, for whatever steps: the debugger, the test kit.
//
//   if (IsOfGrain(event.kind, Grain::kStatement)) machine.RequestStop();
#pragma once

#include "sim/machine/probe.h"

namespace kpath {

// A step goes to the next
enum class Grain : uint8_t {
  kFunction,     // function that is entered or left
  kStatement,    // of those, or named step inside a function
  kInstruction,  // of those, or line of assembly
};

inline bool IsOfGrain(ProbeEvent::Kind kind, Grain grain) {
  switch (kind) {
    case ProbeEvent::Kind::kFunctionEnter:
    case ProbeEvent::Kind::kFunctionExit:
      return true;
    case ProbeEvent::Kind::kStep:
      return grain != Grain::kFunction;
    case ProbeEvent::Kind::kInstruction:
      return grain == Grain::kInstruction;
    case ProbeEvent::Kind::kTaskSwitch:
    case ProbeEvent::Kind::kNote:
      return false;
  }
  return false;
}

}  // namespace kpath
