// SPDX-License-Identifier: Apache-2.0
#include "testing/call.h"

#include "sim/kernel/sched.h"
#include "sim/machine/check.h"
#include "testing/recorder.h"

namespace kpath::testing {
namespace {

// Listens as long as it lives: a program that is killed is unwound.
class Attached {
 public:
  Attached(::kpath::Machine& machine, ProbeListener* listener)
      : machine_(machine), listener_(listener) {
    machine_.AddListener(listener_);
  }
  ~Attached() { machine_.RemoveListener(listener_); }
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;

 private:
  ::kpath::Machine& machine_;
  ProbeListener* const listener_;
};

}  // namespace

RecordedCall Call(const std::function<int64_t()>& code) {
  KPATH_CHECK(current_context != nullptr && current_context->id() != 0,
              "Call is made by a program that a machine runs");
  ::kpath::Machine& machine = *current_context->machine;
  const Position begin = machine.position();
  RecordedCall call;
  Recorder recorder(current_context);
  {
    const Attached attached(machine, &recorder);
    call.result = code();
  }
  static_cast<Trace&>(call) = recorder.Take();
  const Reason& reason = current->reason;
  if (reason.position >= begin && reason.number != 0 && reason.number == -call.result) {
    call.reason = reason.Text();
  }
  return call;
}

}  // namespace kpath::testing
