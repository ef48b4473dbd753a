// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/infer_mounts.h"

#include <fcntl.h>

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

constexpr uint64_t kSize = uint64_t{16} << 30;
constexpr const char* kNoDisk[] = {"/dev", "/proc", "/sys"};

bool IsIn(absl::string_view path, absl::string_view directory) {
  return absl::StartsWith(path, directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// The path of a call that has opened a file for direct I/O; empty: it has not.
std::string OpenedDirectly(const strace::Call& call) {
  const size_t at = call.name == "openat" ? 1 : 0;
  if (call.name != "openat" && call.name != "open") return "";
  const bool failed = !call.returned || !call.result.known || !call.result.error.empty();
  if (failed || call.args.size() < at + 2) return "";
  const uint64_t flags = strace::Evaluate(call.args[at + 1]).value_or(0);
  if ((flags & O_DIRECT) == 0 || call.args[at].kind != strace::ValueKind::kString) return "";
  return strace::Bytes(call.args[at]);
}

// Directories that the transcript itself makes: they cannot be there from the start.
std::set<std::string> MadeDirectories(const Plan& plan) {
  std::set<std::string> made;
  for (const PlanStep& step : plan.steps) {
    if (step.call == nullptr || !step.call->result.error.empty()) continue;
    const size_t at = step.call->name == "mkdirat" ? 1 : 0;
    if (at == 0 && step.call->name != "mkdir") continue;
    if (step.call->args.size() > at && step.call->args[at].kind == strace::ValueKind::kString) {
      made.insert(strace::Bytes(step.call->args[at]));
    }
  }
  return made;
}

std::string Parent(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool IsMentioned(const Plan& plan, absl::string_view path) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [path](const PlanStep& step) {
    if (step.call == nullptr) return false;
    return std::any_of(
        step.call->args.begin(), step.call->args.end(), [path](const strace::Value& value) {
          return value.kind == strace::ValueKind::kString && strace::Bytes(value) == path;
        });
  });
}

// "/dev/vda", or the next one that is nothing else.
std::string FreeName(const Plan& plan, const Scenario& scenario) {
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    const std::string name = absl::StrCat("/dev/vd", std::string(1, letter));
    const bool taken =
        std::any_of(scenario.devices.begin(), scenario.devices.end(),
                    [&name](const DeviceOptions& device) { return device.path == name; });
    if (!taken && !IsMentioned(plan, name)) return name;
  }
  return "";
}

bool IsOnDisk(const Scenario& scenario, const std::string& path) {
  return std::any_of(scenario.mounts.begin(), scenario.mounts.end(),
                     [&path](const ScenarioMount& mount) { return IsIn(path, mount.directory); });
}

}  // namespace

void InferMounts(const Plan& plan, Scenario* scenario) {
  const std::set<std::string> made = MadeDirectories(plan);
  for (const PlanStep& step : plan.steps) {
    if (step.call == nullptr) continue;
    const std::string path = OpenedDirectly(*step.call);
    if (path.empty() || path[0] != '/' || IsOnDisk(*scenario, path)) continue;
    std::string directory = Parent(path);
    while (made.count(directory) != 0) directory = Parent(directory);
    if (directory.empty()) continue;  // the root is in memory
    if (std::any_of(std::begin(kNoDisk), std::end(kNoDisk),
                    [&path](const char* directory) { return IsIn(path, directory); })) {
      continue;
    }
    DeviceOptions device;
    device.path = FreeName(plan, *scenario);
    if (device.path.empty()) return;
    device.size = kSize;
    if (scenario->latency_ns.has_value()) device.latency_ns = *scenario->latency_ns;
    scenario->devices.push_back(device);
    scenario->mounts.push_back({device.path, directory});
  }
}

}  // namespace kpath
