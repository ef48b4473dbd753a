// SPDX-License-Identifier: Apache-2.0
#include "testing/machine.h"

#include <utility>

#include "sim/machine/check.h"
#include "sim/process/process.h"
#include "testing/machine_impl.h"
#include "testing/matchers.h"
#include "testing/recorder.h"

namespace kpath::testing {
namespace {

SystemOptions WithPlan(SystemOptions options, const std::shared_ptr<FaultPlan>& plan) {
  options.seed = absl::nullopt;  // after the boot
  for (DeviceOptions& device : options.devices) FaultPlan::TakeOver(plan, &device);
  return options;
}

std::unique_ptr<Chooser> ChooserOf(const SystemOptions& options) {
  if (!options.seed.has_value()) return nullptr;
  return std::make_unique<SeededChooser>(*options.seed);
}

}  // namespace

Machine::Impl::Impl(const SystemOptions& options)
    : plan(std::make_shared<FaultPlan>()),
      system(WithPlan(options, plan)),
      cache_watch(plan.get()),
      stopper(&system.machine()) {
  machine().SetChooser(MakeFaultChooser(plan, ChooserOf(options)));
}

Machine::Impl::~Impl() = default;

Machine::Machine(const SystemOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Machine::~Machine() = default;

// ---- Programs ----

int Machine::Start(absl::string_view comm, user::Code program) {
  KPATH_CHECK(!impl_->finished, "a program is started on a machine that has come to its end");
  return impl_->system.Start(std::string(comm), std::move(program))->pid;
}

void Machine::Run() {
  impl_->stopper.Disarm();
  impl_->GoOn();
  const std::string& report = impl_->machine().report();
  if (!report.empty()) ADD_FAILURE() << "the simulated kernel reports:\n" << report;
}

void Machine::Run(user::Code program) {
  Start("test", std::move(program));
  Run();
}

std::optional<int> Machine::ExitStatus(int pid) const {
  const absl::optional<int> status = impl_->system.ExitStatus(pid);
  return status.has_value() ? std::optional<int>(*status) : std::nullopt;
}

Trace Machine::Record(const std::function<void()>& code) {
  Recorder recorder(nullptr);
  impl_->machine().AddListener(&recorder);
  code();
  impl_->machine().RemoveListener(&recorder);
  return recorder.Take();
}

// ---- The end ----

const std::string& Machine::Finish() const {
  if (impl_->finished) return impl_->remains;
  impl_->stopper.Disarm();
  impl_->GoOn();
  impl_->finished = true;
  for (const Impl::SignalToSend& signal : impl_->signals) {
    ADD_FAILURE() << "SignalAt(" << signal.position.ToString() << ", " << signal.sig
                  << "): the run ended at " << position().ToString() << " before it could be sent";
  }
  impl_->remains = impl_->system.Run();
  return impl_->remains;
}

::kpath::System& Machine::system() { return impl_->system; }
FaultPlan& Machine::faults() {
  if (!impl_->watching_caches) impl_->machine().AddListener(&impl_->cache_watch);
  impl_->watching_caches = true;
  return *impl_->plan;
}
Position Machine::position() const { return impl_->machine().position(); }

void PrintTo(const Machine& machine, std::ostream* os) {
  *os << "a machine at " << machine.position().ToString();
}

void MachineTest::TearDown() { EXPECT_THAT(machine, LeavesNothingBehind()); }

}  // namespace kpath::testing
