// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/context.h"

#include "sim/machine/check.h"
#include "sim/machine/function_recorder.h"
#include "sim/machine/machine.h"

namespace kpath {

thread_local constinit Context* current_context = nullptr;
thread_local constinit FunctionProbe* current_function = nullptr;
thread_local constinit int64_t probes_left = 0;

void SetCurrentContext(Context* context) {
  if (current_context != nullptr) {
    current_context->saved_function = current_function;
    current_context->machine->probes_left_ = probes_left;
  }
  current_context = context;
  if (context != nullptr) {
    if (FunctionRecorder* recorder = context->machine->recorder_) recorder->Switch();
    current_function = context->saved_function;
    probes_left = context->machine->probes_left_;
  }
}

Context::Context(Machine& machine_in, std::function<void()> body) : machine(&machine_in) {
  if (body) fiber_ = std::make_unique<Fiber>(machine_in.stacks, std::move(body));
}

Context::~Context() {
  // Destructors on the fiber's stack may pass probes; they must find their own context.
  Context* previous = current_context;
  SetCurrentContext(this);
  fiber_.reset();
  SetCurrentContext(previous);
}

EnterMachine::EnterMachine(Machine& machine) : previous_(current_context) {
  SetCurrentContext(&machine.boot_context());
}

EnterMachine::~EnterMachine() { SetCurrentContext(previous_); }

}  // namespace kpath
