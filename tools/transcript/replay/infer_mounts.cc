// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/infer_mounts.h"

#include <fcntl.h>

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/transcript/replay/named_files.h"
#include "tools/transcript/replay/world.h"
#include "tools/transcript/syntax/evaluate.h"

namespace kpath {
namespace {

constexpr uint64_t kSize = uint64_t{16} << 30;
constexpr uint64_t kSizeOfDevice = uint64_t{1} << 40;

bool IsIn(absl::string_view path, absl::string_view directory) {
  return absl::StartsWith(path, directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

// The kernel's own names, which are on no disk. Of those below /dev, disks have names.
bool IsLive(absl::string_view path) {
  return IsIn(path, "/proc") || IsIn(path, "/sys") ||
         (IsIn(path, "/dev") && !absl::StartsWith(path, "/dev/shm/"));
}

bool Succeeds(const strace::Call& call) {
  return call.returned && call.result.known && call.result.error.empty();
}

int64_t Number(const strace::Call& call, size_t index) {
  if (index >= call.args.size()) return 0;
  return static_cast<int64_t>(strace::Evaluate(call.args[index]).value_or(0));
}

// A file that was there before: the replay makes it.
std::string AssumedFile() { return absl::StrCat(World::kAssumedFiles, "/0"); }

// True if an io_submit reads or writes a file that no recorded call opened.
bool SubmitsToUnknown(const PlanStep& step, const NamedFiles& files) {
  const strace::Call& call = *step.call;
  if (call.name != "io_submit" || call.args.size() < 3) return false;
  return std::any_of(
      call.args[2].children.begin(), call.args[2].children.end(), [&](const strace::Value& iocb) {
        const strace::Value* opcode = strace::FindField(iocb, "aio_lio_opcode");
        const strace::Value* fildes = strace::FindField(iocb, "aio_fildes");
        if (opcode == nullptr || fildes == nullptr) return false;
        const bool transfers = absl::StartsWith(opcode->text, "IOCB_CMD_PREAD") ||
                               absl::StartsWith(opcode->text, "IOCB_CMD_PWRITE");
        const auto fd = static_cast<int>(strace::Evaluate(*fildes).value_or(~0ull));
        return transfers && fd >= 0 && files.PathOf(step.pid, fd) == NamedFiles::kUnknown;
      });
}

// The whole path of the file that the step reads and writes directly from now on: open with
// O_DIRECT, fcntl with F_SETFL; or that AIO reads or writes though no recorded call opened it,
// which is what an io engine did before the recording began. "": none, or nobody knows.
std::string UsedDirectly(const PlanStep& step, const NamedFiles& files) {
  const strace::Call& call = *step.call;
  if (!Succeeds(call)) return "";
  if (SubmitsToUnknown(step, files)) return AssumedFile();
  const size_t at = call.name == "openat" ? 1 : 0;
  if (call.name == "openat" || call.name == "open") {
    const bool direct = (Number(call, at + 1) & O_DIRECT) != 0;
    if (!direct || call.args[at].kind != strace::ValueKind::kString) return "";
    const int dirfd = at == 1 ? static_cast<int>(Number(call, 0)) : AT_FDCWD;
    return files.WholePath(step.pid, dirfd, strace::Bytes(call.args[at]));
  }
  const bool sets = call.name == "fcntl" && call.args.size() > 2 && Number(call, 1) == F_SETFL &&
                    (Number(call, 2) & O_DIRECT) != 0;
  if (!sets) return "";
  const std::string path = files.PathOf(step.pid, static_cast<int>(Number(call, 0)));
  return path == NamedFiles::kUnknown ? AssumedFile() : path;
}

// Directories that the transcript itself makes: they cannot be there from the start.
std::set<std::string> MadeDirectories(const Plan& plan) {
  std::set<std::string> made;
  NamedFiles files;
  for (const PlanStep& step : plan.steps) {
    files.Follow(step);
    if (step.call == nullptr || !step.call->result.error.empty()) continue;
    const size_t at = step.call->name == "mkdirat" ? 1 : 0;
    if (at == 0 && step.call->name != "mkdir") continue;
    if (step.call->args.size() <= at || step.call->args[at].kind != strace::ValueKind::kString) {
      continue;
    }
    const int dirfd = at == 1 ? static_cast<int>(Number(*step.call, 0)) : AT_FDCWD;
    made.insert(files.WholePath(step.pid, dirfd, strace::Bytes(step.call->args[at])));
  }
  return made;
}

std::string Parent(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool IsMentioned(const Plan& plan, absl::string_view path) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [path](const PlanStep& step) {
    if (step.call == nullptr) return false;
    return std::any_of(
        step.call->args.begin(), step.call->args.end(), [path](const strace::Value& value) {
          return value.kind == strace::ValueKind::kString && strace::Bytes(value) == path;
        });
  });
}

bool IsDevice(const Scenario& scenario, const std::string& path) {
  return std::any_of(scenario.devices.begin(), scenario.devices.end(),
                     [&path](const DeviceOptions& device) { return device.path == path; });
}

// "/dev/vda", or the next one that is nothing else.
std::string FreeName(const Plan& plan, const Scenario& scenario) {
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    const std::string name = absl::StrCat("/dev/vd", std::string(1, letter));
    if (!IsDevice(scenario, name) && !IsMentioned(plan, name)) return name;
  }
  return "";
}

bool IsOnDisk(const Scenario& scenario, const std::string& path) {
  return std::any_of(
      scenario.mounts.begin(), scenario.mounts.end(), [&path](const ScenarioMount& mount) {
        return mount.directory == "/" ? Parent(path) == "/" : IsIn(path, mount.directory);
      });
}

void AddDevice(const std::string& path, uint64_t size, Scenario* scenario) {
  DeviceOptions device;
  device.path = path;
  device.size = size;
  if (scenario->latency_ns.has_value()) device.latency_ns = *scenario->latency_ns;
  scenario->devices.push_back(device);
}

void MountAt(const std::string& directory, const Plan& plan, Scenario* scenario) {
  const std::string name = FreeName(plan, *scenario);
  if (name.empty()) return;
  AddDevice(name, kSize, scenario);
  // What is mounted at the root comes before what is mounted below it.
  const auto place = directory == "/" ? scenario->mounts.begin() : scenario->mounts.end();
  scenario->mounts.insert(place, {name, directory});
}

}  // namespace

void InferMounts(const Plan& plan, Scenario* scenario) {
  const std::set<std::string> made = MadeDirectories(plan);
  NamedFiles files;
  for (const PlanStep& step : plan.steps) {
    if (step.call == nullptr) continue;
    const std::string path = UsedDirectly(step, files);
    files.Follow(step);
    if (path.empty() || IsOnDisk(*scenario, path)) continue;
    if (IsLive(path)) {
      const bool is_disk = IsIn(path, "/dev") && !IsDevice(*scenario, path);
      if (is_disk) AddDevice(path, kSizeOfDevice, scenario);
      continue;
    }
    std::string directory = Parent(path);
    while (made.count(directory) != 0) directory = Parent(directory);
    const bool is_there =
        std::any_of(scenario->mounts.begin(), scenario->mounts.end(),
                    [&](const ScenarioMount& mount) { return mount.directory == directory; });
    if (!is_there) MountAt(directory, plan, scenario);
  }
}

}  // namespace kpath
