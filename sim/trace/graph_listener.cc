// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/graph_listener.h"

#include "sim/trace/call_tree.h"

namespace kpath {

GraphListener::OpenCalls& GraphListener::OpenOf(const Context& context) {
  if (&context != last_context_) {
    last_context_ = &context;
    last_open_ = &open_[&context];
  }
  return *last_open_;
}

void GraphListener::OnProbe(const ProbeEvent& event) {
  const Context& context = *current_context;
  if (event.kind == ProbeEvent::Kind::kFunctionEnter) Enter(event, context);
  if (event.kind == ProbeEvent::Kind::kFunctionExit) Exit(event, context);
}

void GraphListener::Enter(const ProbeEvent& event, const Context& context) {
  OpenCalls& open = OpenOf(context);
  // Inside of what is shown, and where an interrupt begins, all is; of tasks what is not hidden.
  const bool shown = open.shown > 0 || IsInterruptEntry(event.function->name) ||
                     (context.id() != 0 && !(hidden && hidden(context)));
  open.calls.push_back(shown);
  if (shown) {
    ++open.shown;
    events_->Enter(event.cpu->id(), context.label(), context.id(), event.function->name,
                   event.time_ns);
  }
}

void GraphListener::Exit(const ProbeEvent& event, const Context& context) {
  OpenCalls& open = OpenOf(context);
  if (open.calls.empty()) return;  // entered before anybody listened
  const bool shown = open.calls.back() != 0;
  open.calls.pop_back();
  if (!shown) return;
  --open.shown;
  events_->Exit(event.cpu->id(), context.id(), event.time_ns);
}

}  // namespace kpath
