// SPDX-License-Identifier: Apache-2.0
//
// What is to fail on one machine, and when. Inside testing/. The faults come in through the
// machine's own interfaces: a Chooser for allocations, the DiskModel for devices.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/block/drivers/devices.h"
#include "sim/machine/machine.h"

namespace kpath::testing {

class FaultPlan {
 public:
  // ---- One allocation ----

  // The n-th one from now on, of those that are of this cache or by this function.
  void FailAllocation(int n, std::string of) { allocations_.push_back({n, std::move(of)}); }
  bool watches_caches() const { return !allocations_.empty() || enumerating_; }

  // ---- One device ----

  struct Device {
    int64_t delay_ns = 0;
    int fail_in = 0;  // the command that fails, counted from the next one, 1; 0: none
  };
  // Null: there is no such device whose hardware the kit models.
  Device* device(const std::string& path) {
    const auto found = devices_.find(path);
    return found == devices_.end() ? nullptr : &found->second;
  }
  std::string DeviceNames() const;
  // Takes the place of the hardware behind `options`.
  static void TakeOver(const std::shared_ptr<FaultPlan>& plan, DeviceOptions* options);

  // ---- Every point ----

  // From now on points are counted; the one of rank `failing`, from 0, fails; -1: none does, and
  // their names are kept: what, where, and when.
  void Enumerate(std::string within, int failing);
  const std::vector<std::string>& points() const { return points_; }

  // ---- Asked by the machine's side ----

  void NoteCache(const FunctionProbe* function, const char* cache) { caches_[function] = cache; }
  bool AllocationFails();
  bool CommandFails(const std::string& path, Device* device);

 private:
  struct OneAllocation {
    int countdown;
    std::string of;
  };

  bool PointFails(const std::string& what);
  // "kioctx", or "" where what is allocated is not from a cache.
  std::string CacheOf(const FunctionProbe* function) const;

  std::vector<OneAllocation> allocations_;
  std::map<std::string, Device> devices_;
  std::map<const FunctionProbe*, const char*> caches_;  // looked up only, never walked

  bool enumerating_ = false;
  std::string within_;
  int failing_ = -1;
  int passed_ = 0;
  std::vector<std::string> points_;
};

// Asks the plan whether an allocation fails, and `rest` about everything else.
std::unique_ptr<Chooser> MakeFaultChooser(std::shared_ptr<FaultPlan> plan,
                                          std::unique_ptr<Chooser> rest);

// Tells the plan which cache an allocation is of. Listens only while the plan asks for it.
class CacheWatch : public ProbeListener {
 public:
  explicit CacheWatch(FaultPlan* plan) : plan_(plan) {}
  void OnProbe(const ProbeEvent& event) override;

 private:
  FaultPlan* const plan_;
};

}  // namespace kpath::testing
