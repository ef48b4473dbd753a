// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/context.h"

#include "sim/machine/check.h"
#include "sim/machine/machine.h"

namespace kpath {

thread_local constinit Context* current_context = nullptr;

Context::Context(Machine& machine_in, std::function<void()> body) : machine(&machine_in) {
  if (body) fiber_ = std::make_unique<Fiber>(machine_in.stacks, std::move(body));
}

Context::~Context() {
  // Destructors on the fiber's stack may pass probes; they must find their own context.
  Context* previous = current_context;
  current_context = this;
  fiber_.reset();
  current_context = previous;
}

EnterMachine::EnterMachine(Machine& machine) : previous_(current_context) {
  current_context = &machine.boot_context();
}

EnterMachine::~EnterMachine() { current_context = previous_; }

}  // namespace kpath
