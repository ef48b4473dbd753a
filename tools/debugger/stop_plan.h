// SPDX-License-Identifier: Apache-2.0
//
// Where a run is to stop, as a value that can be sent to the process that has the machine
// (wire.h): breakpoints, watchpoints, and the step that is being made.
//
// All of it names things, none of it points to them: the same plan serves a machine that stands at
// another position.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kpath::debugger {

// A place to stop at: what `break` and `watch` make.
struct Breakpoint {
  enum class Kind {
    kFunction,  // the entry of the function `name`
    kStep,      // the named step `name`, of whichever function
    kLine,      // the first probe in `file` at `number` or behind it
    kAddress,   // the instruction at the address `number`, once it has been executed
    kSyscall,   // the first instruction of a system call of the name `name`, by whichever way in
    kVector,    // the first instruction of the interrupt or exception `number`
    kWatch,     // the value of the expression `name` has changed
  };

  int id = 0;
  Kind kind = Kind::kFunction;
  std::string name;
  std::string file;
  uint64_t number = 0;
  std::string condition;  // an expression; empty: always
};

// One step of a task.
struct Stepping {
  enum class Mode {
    kNone,
    kStep,    // the next probe
    kNext,    // … that is no deeper; a call that was gone over shows as its end
    kUntil,   // … nor further up in the same function
    kFinish,  // the end of the function
    kEntry,   // its beginning: what reverse-finish goes to
  };

  Mode mode = Mode::kNone;
  Grain grain = Grain::kStatement;
  int pid = 0;    // the task that steps; 0: whichever comes
  int depth = 0;  // of the frame that it starts from, counted from the outermost, which is 1
  std::string file;
  int line = 0;  // of kUntil: where it starts from
};

struct StopPlan {
  std::vector<Breakpoint> breakpoints;
  Stepping stepping;
};

// A breakpoint that the machine has come to.
struct Hit {
  int id = 0;
  // Of a watchpoint.
  std::string old_value;
  std::string new_value;
};

// A position at which the plan says stop.
struct Stop {
  uint64_t position = 0;
  std::vector<Hit> hits;  // none: the step is done
};

}  // namespace kpath::debugger
