// SPDX-License-Identifier: Apache-2.0
//
// What class Machine of machine.h is made of. Inside testing/.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "inspect/call_stacks.h"
#include "sim/kernel/sched.h"
#include "testing/fault_plan.h"
#include "testing/machine.h"

namespace kpath::testing {

// Stops the machine at the first probe that is wanted, and keeps what is to be seen there.
class Stopper : public ProbeListener {
 public:
  using Wanted = std::function<bool(const ProbeEvent& event)>;

  explicit Stopper(::kpath::Machine* machine) : machine_(machine) {}
  void OnProbe(const ProbeEvent& event) override;

  void Arm(Wanted wanted) { wanted_ = std::move(wanted); }
  bool armed() const { return wanted_ != nullptr; }
  void Disarm() { wanted_ = nullptr; }

  const Place& place() const { return place_; }
  const std::vector<std::string>& back_trace() const { return back_trace_; }
  // The task of the place, as a context; null: nowhere.
  const Context* context() const { return context_; }
  // The machine went on and did not stop.
  void Forget();

 private:
  ::kpath::Machine* const machine_;
  Wanted wanted_;
  Place place_;
  std::vector<std::string> back_trace_;
  const Context* context_ = nullptr;
};

struct Machine::Impl {
  explicit Impl(const SystemOptions& options);
  ~Impl();

  struct SignalToSend {
    Position position;
    int sig;
    int pid;
  };

  ::kpath::Machine& machine() { return system.machine(); }
  // True if simulated code calls.
  bool IsInside() { return current_context != nullptr && current_context->id() != 0; }

  // Runs the machine, sending the signals that are due, until the stopper has stopped it (true) or
  // nothing is left to happen.
  bool GoOn();
  ::testing::AssertionResult StopAt(Stopper::Wanted wanted, const std::string& what);
  void SendDueSignals();
  // Nothing is left to happen: sends the next one that there is a process for. False: none.
  bool SendSignalOfTheIdle();
  void SendSignal(const SignalToSend& signal);

  // Does kernel work from outside, as on the CPU where the machine stands.
  void InKernelOfStop(const std::function<void()>& work);
  // The process `pid`; 0: the first there is. Null: none.
  task_struct* FindProcess(int pid);

  const std::shared_ptr<FaultPlan> plan;
  ::kpath::System system;
  CacheWatch cache_watch;
  bool watching_caches = false;
  Stopper stopper;
  // Who the frames of a stop are known from: listens from the first stop on.
  CallStacks stacks;
  bool following_stacks = false;
  std::vector<SignalToSend> signals;
  bool finished = false;
  std::string remains;
};

// The signature of a place, made of what a listener is told.
Place PlaceOf(const ProbeEvent& event);

}  // namespace kpath::testing
