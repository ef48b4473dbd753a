// SPDX-License-Identifier: Apache-2.0
#include "testing/fault_plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/machine/context.h"

namespace kpath::testing {
namespace {

bool Is(const char* name, const char* other) { return std::strcmp(name, other) == 0; }

// What hands memory out, or calls what does: not who wanted it.
bool IsAllocator(const char* name) {
  for (const char* allocator :
       {"kmem_cache_alloc", "__kmalloc", "get_page_from_freelist", "__alloc_pages_nodemask",
        "alloc_pages_current", "pcpu_alloc", "__alloc_percpu", "__alloc_percpu_gfp"}) {
    if (Is(name, allocator)) return true;
  }
  return false;
}

std::vector<std::string> Callers(const FunctionProbe* function) {
  std::vector<std::string> names;
  for (; function != nullptr; function = function->caller()) {
    names.push_back(function->info().name);
  }
  return names;
}

// A disk that takes longer and fails as the plan says, else as the one whose place it has.
class PlannedDisk final : public DiskModel {
 public:
  PlannedDisk(const DeviceOptions& options, std::shared_ptr<FaultPlan> plan)
      : DiskModel(options.size, options.latency_ns), path_(options.path), plan_(std::move(plan)) {
    if (!options.make_disk) return;
    inner_ = options.make_disk(options);
    inner_->SetMechanics(options.mechanics);
  }

  DiskPlan Plan(::kpath::Machine& machine, const DiskCommand& command) override {
    DiskPlan plan =
        inner_ != nullptr ? inner_->Plan(machine, command) : DiskModel::Plan(machine, command);
    FaultPlan::Device* const device = plan_->device(path_);
    plan.latency_ns += device->delay_ns;
    if (plan_->CommandFails(path_, device)) plan.result = DiskResult::kIoError;
    return plan;
  }

 private:
  const std::string path_;
  const std::shared_ptr<FaultPlan> plan_;
  std::unique_ptr<DiskModel> inner_;
};

class FaultChooser final : public Chooser {
 public:
  FaultChooser(std::shared_ptr<FaultPlan> plan, std::unique_ptr<Chooser> rest)
      : plan_(std::move(plan)), rest_(std::move(rest)) {}

  int Choose(uint64_t index, ChoiceKind kind, int options) override {
    const int rest = rest_ == nullptr ? 0 : rest_->Choose(index, kind, options);
    return kind == ChoiceKind::kFailAlloc && plan_->AllocationFails() ? 1 : rest;
  }

 private:
  const std::shared_ptr<FaultPlan> plan_;
  const std::unique_ptr<Chooser> rest_;
};

}  // namespace

std::unique_ptr<Chooser> MakeFaultChooser(std::shared_ptr<FaultPlan> plan,
                                          std::unique_ptr<Chooser> rest) {
  return std::make_unique<FaultChooser>(std::move(plan), std::move(rest));
}

void CacheWatch::OnProbe(const ProbeEvent& event) {
  if (event.kind != ProbeEvent::Kind::kFunctionEnter || !plan_->watches_caches()) return;
  if (!Is(event.function->name, "kmem_cache_alloc") && !Is(event.function->name, "__kmalloc")) {
    return;
  }
  plan_->NoteCache(current_function, reinterpret_cast<const char*>(event.values[0].bits));
}

std::string FaultPlan::DeviceNames() const {
  return absl::StrJoin(devices_, ", ",
                       [](std::string* out, const auto& entry) { *out += entry.first; });
}

void FaultPlan::TakeOver(const std::shared_ptr<FaultPlan>& plan, DeviceOptions* options) {
  if (options->driver != "virtio_blk") return;
  plan->devices_[options->path];
  const DeviceOptions as_given = *options;
  options->make_disk = [plan, as_given](const DeviceOptions&) {
    return std::make_unique<PlannedDisk>(as_given, plan);
  };
}

void FaultPlan::Enumerate(std::string within, int failing) {
  enumerating_ = true;
  within_ = std::move(within);
  failing_ = failing;
}

std::string FaultPlan::CacheOf(const FunctionProbe* function) const {
  const auto found = caches_.find(function);
  const char* const name = function->info().name;
  const bool by_slab = Is(name, "kmem_cache_alloc") || Is(name, "__kmalloc");
  return by_slab && found != caches_.end() ? found->second : "";
}

bool FaultPlan::AllocationFails() {
  const FunctionProbe* const function = current_function;
  if (function == nullptr || !watches_caches()) return false;
  const std::string cache = CacheOf(function);
  bool fails = false;
  for (OneAllocation& one : allocations_) {
    if (!one.of.empty() && one.of != cache && one.of != function->info().name) continue;
    if (--one.countdown == 0) fails = true;
  }
  std::erase_if(allocations_, [](const OneAllocation& one) { return one.countdown == 0; });
  if (!enumerating_) return fails;
  const std::string what = cache.empty() ? absl::StrCat(function->info().name, "()")
                                         : absl::StrCat("allocation of ", cache);
  return PointFails(what) || fails;
}

bool FaultPlan::CommandFails(const std::string& path, Device* device) {
  const bool fails = device->fail_in > 0 && --device->fail_in == 0;
  return (enumerating_ && PointFails(absl::StrCat("a command to ", path))) || fails;
}

bool FaultPlan::PointFails(const std::string& what) {
  std::vector<std::string> callers = Callers(current_function);
  if (!within_.empty() && std::count(callers.begin(), callers.end(), within_) == 0) return false;
  if (failing_ >= 0) return passed_++ == failing_;
  auto wanted = callers.begin();
  while (wanted != callers.end() && IsAllocator(wanted->c_str())) ++wanted;
  callers.erase(callers.begin(), wanted);
  points_.push_back(absl::StrCat(what, callers.empty() ? "" : " in ", absl::StrJoin(callers, " < "),
                                 ", at ", current_context->machine->position().ToString()));
  return false;
}

}  // namespace kpath::testing
