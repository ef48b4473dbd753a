// SPDX-License-Identifier: Apache-2.0
//
// The debugger's end of a process that has a target (server.h).
//
//   absl::StatusOr<RemoteTarget> target = RemoteTarget::Start(transcript);
//   RunResult result = *target->Run({.limit = 1000}, nullptr);
//   RemoteTarget there = *target->Clone();    // stands at the same position
//
// The process ends when this object does. Errors: FailedPrecondition if the process is gone.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "tools/debugger/look.h"
#include "tools/debugger/target.h"

namespace kpath::debugger {

class RemoteTarget {
 public:
  // Starts a process with a target at the beginning of the run. Errors: as Target::Load.
  static absl::StatusOr<RemoteTarget> Start(const strace::Transcript& transcript);
  RemoteTarget(RemoteTarget&& other) noexcept;
  RemoteTarget& operator=(RemoteTarget&& other) noexcept;
  ~RemoteTarget();

  // `progress` is told the position now and then; may be null.
  absl::StatusOr<RunResult> Run(const RunRequest& request,
                                const std::function<void(uint64_t position)>& progress);
  absl::StatusOr<std::string> Look(const LookRequest& request);
  absl::StatusOr<Here> WhereIs(const LookRequest& request);
  absl::StatusOr<RemoteTarget> Clone();

 private:
  explicit RemoteTarget(int socket, int pid = 0) : socket_(socket), pid_(pid) {}
  absl::StatusOr<nlohmann::json> Ask(const nlohmann::json& request,
                                     const std::function<void(uint64_t position)>& progress);

  int socket_ = -1;
  int pid_ = 0;  // of a child of this process, to be waited for; 0: it is none
};

}  // namespace kpath::debugger
