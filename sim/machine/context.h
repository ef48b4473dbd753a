// SPDX-License-Identifier: Apache-2.0
//
// What a Cpu executes: a fiber, and the registers it had when it was last left. The kernel's
// task_struct (sim/kernel/sched.h) is a Context; so are the idle loops, and the boot context, in
// which a machine is set up before anything runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/strings/string_view.h"
#include "sim/machine/cpu.h"
#include "sim/machine/fiber.h"

namespace kpath {

class FunctionProbe;
class Machine;

class Context {
 public:
  // `body` runs on the context's own fiber, on whichever CPU switches to it first. It must not
  // return: a task ends by switching away for good.
  Context(Machine& machine, std::function<void()> body);
  virtual ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // For traces: a number and a name that mean the same in every run. 0: an idle loop, or the boot.
  virtual int id() const { return 0; }
  virtual absl::string_view label() const { return "idle"; }

  Machine* const machine;
  // The innermost modelled function that it executes, or would if it ran; null: none.
  inline const FunctionProbe* function() const;

  Cpu* cpu = nullptr;                       // the CPU it runs on or ran on last
  FunctionProbe* saved_function = nullptr;  // while it does not run
  Registers saved_regs;                     // while it does not run
  uint64_t saved_kernel_gs_base = 0;        // the user's GS base, while it does not run
  uint64_t user_frame = 0;                  // for sim/user: bytes that its code has on its stack

 private:
  friend class Cpu;
  friend class Machine;
  std::unique_ptr<Fiber> fiber_;  // null for the boot context
};

// The context that executes, and what its probes read and write: the innermost modelled function
// that is being executed, and how many probes its machine passes before one has to take the slow
// path. The only mutable state of kpath outside of its machines: it is set whenever code of a
// machine runs, in the thread that runs it, where it is one instruction away.
extern thread_local constinit Context* current_context;
extern thread_local constinit FunctionProbe* current_function;
extern thread_local constinit int64_t probes_left;

const FunctionProbe* Context::function() const {
  return this == current_context ? current_function : saved_function;
}

// Makes `context` the one that executes; null: none. Puts back what belongs to the one before it.
void SetCurrentContext(Context* context);

// Makes `machine`'s boot context the current one for as long as it lives: for code outside of the
// machine that sets up kernel objects or looks at them.
class EnterMachine {
 public:
  explicit EnterMachine(Machine& machine);
  ~EnterMachine();
  EnterMachine(const EnterMachine&) = delete;
  EnterMachine& operator=(const EnterMachine&) = delete;

 private:
  Context* previous_;
};

}  // namespace kpath
