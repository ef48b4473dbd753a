// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/graph_listener.h"

namespace kpath {

ShownCalls& GraphListener::ShownOf(const Context& context) {
  if (&context != last_context_) {
    last_context_ = &context;
    last_shown_ = &shown_of_[&context];
  }
  return *last_shown_;
}

void GraphListener::OnProbe(const ProbeEvent& event) {
  const Context& context = *current_context;
  if (event.kind == ProbeEvent::Kind::kFunctionEnter) Enter(event, context);
  if (event.kind == ProbeEvent::Kind::kFunctionExit) Exit(event, context);
}

void GraphListener::Enter(const ProbeEvent& event, const Context& context) {
  const absl::string_view name = event.function->name;
  const auto visible = [&] { return context.id() != 0 && !(hidden && hidden(context)); };
  if (!ShownOf(context).Enter(name, visible)) return;
  events_->Enter(event.cpu->id(), context.label(), context.id(), name, event.time_ns);
}

void GraphListener::Exit(const ProbeEvent& event, const Context& context) {
  if (!ShownOf(context).Exit()) return;
  events_->Exit(event.cpu->id(), context.id(), event.time_ns);
}

}  // namespace kpath
