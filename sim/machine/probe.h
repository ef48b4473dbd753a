// SPDX-License-Identifier: Apache-2.0
//
// Probes: the places where a run can be watched, stopped and varied. Three grains of them:
//
//   instruction   each line of modelled assembly (entry/)
//   function      entry and exit of each modelled kernel function: FUNCTION at its top
//   statement     a named step inside one: STEP
//
//   // v4.19 fs/aio.c: lookup_ioctx
//   kptr<kioctx> lookup_ioctx(unsigned long ctx_id) {
//     FUNCTION(ctx_id);
//     ...
//     STEP("table lookup", id, table_size);
//     ...
//     return fn.Return(ctx);
//   }
//
// Passing a probe adds one to the machine's position and compares it with the machine's deadline;
// everything else (listeners, interrupts, another CPU's turn, stopping) hides behind that one
// branch. Values are only looked at when a listener is attached. A probe must not be passed with a
// host lock held or where the C++ stack may not be unwound: a task that is ended, ends in a probe.
#pragma once

#include <cstdint>

#include "absl/types/span.h"
#include "sim/machine/position.h"
#include "sim/machine/value.h"

namespace kpath {

class Cpu;
class Machine;

// What is known about a modelled function at compile time; one static object each.
struct FunctionInfo {
  const char* name;  // the Linux name
  const char* file;  // where the model of it is
  int line;
  const char* arguments;  // names, as written in FUNCTION(...): "ctx_id, nr"
};

// A named step inside a function.
struct StepInfo {
  const char* label;
  const char* file;
  int line;
  const char* values;  // names, as written in STEP(label, ...)
};

// One probe that was passed. Everything it refers to is valid during the call only, save the infos,
// which live as long as the program.
struct ProbeEvent {
  enum class Kind : uint8_t {
    kFunctionEnter,  // function, values = arguments
    kFunctionExit,   // function, values = result, or empty
    kStep,           // function (the innermost), step, values
    kInstruction,    // instruction
    kTaskSwitch,     // values = pid of the task that left, pid of the one that came
    kNote,           // step->label is a remark of the machine: an interrupt, a choice, a failure
  };

  Kind kind;
  Position position;
  int64_t time_ns;
  Cpu* cpu;
  const FunctionInfo* function = nullptr;
  const StepInfo* step = nullptr;
  const void* instruction = nullptr;  // entry/instruction.h: const Instruction*
  absl::Span<const Value> values;
};

// How fine a look at a run is: each grain has what the ones before it have.
enum class Grain : uint8_t {
  kFunction,     // functions that are entered or left
  kStatement,    // and named steps inside a function
  kInstruction,  // and lines of assembly
};

// Whether such a probe is a place of that grain. Task switches and notes are no probes.
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

// Watches a machine. Must not change it. Called on the stack of whatever passed the probe.
class ProbeListener {
 public:
  virtual ~ProbeListener() = default;
  virtual void OnProbe(const ProbeEvent& event) = 0;
  // The finest grain that it is told of; what is finer costs as if nobody listened.
  virtual Grain finest_grain() const { return Grain::kInstruction; }
};

}  // namespace kpath
