// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/remote_target.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tools/debugger/server.h"
#include "tools/debugger/wire.h"

namespace kpath::debugger {
namespace {

using nlohmann::json;

absl::Status Gone() {
  return absl::FailedPreconditionError("the process that has the machine is gone");
}

// The child: never returns.
[[noreturn]] void ServeAndExit(const strace::Transcript& transcript, int socket) {
  {
    absl::StatusOr<std::unique_ptr<Target>> target = Target::Load(transcript);
    if (!target.ok()) {
      Send(socket, {{"error", std::string(target.status().message())}});
    } else if (Send(socket, {{"ready", true}})) {
      Serve(**target, socket);
    }
    // The machine is not taken apart: the process ends, and its memory with it.
    if (target.ok()) target->release();  // NOLINT(bugprone-unused-return-value)
  }
  _exit(0);
}

}  // namespace

absl::StatusOr<RemoteTarget> RemoteTarget::Start(const strace::Transcript& transcript) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return absl::InternalError(absl::StrCat("socketpair: ", std::strerror(errno)));
  }
  const pid_t pid = fork();
  if (pid < 0) return absl::InternalError(absl::StrCat("fork: ", std::strerror(errno)));
  if (pid == 0) {
    close(ends[0]);
    ServeAndExit(transcript, ends[1]);
  }
  close(ends[1]);
  RemoteTarget target(ends[0], pid);
  const absl::optional<json> ready = Receive(ends[0]);
  if (!ready.has_value()) return Gone();
  if (ready->contains("error")) {
    return absl::InvalidArgumentError(ready->at("error").get<std::string>());
  }
  return target;
}

RemoteTarget::RemoteTarget(RemoteTarget&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), pid_(std::exchange(other.pid_, 0)) {}

RemoteTarget& RemoteTarget::operator=(RemoteTarget&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(pid_, other.pid_);
  return *this;
}

RemoteTarget::~RemoteTarget() {
  if (socket_ >= 0) close(socket_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

absl::StatusOr<json> RemoteTarget::Ask(const json& request,
                                       const std::function<void(uint64_t position)>& progress) {
  if (!Send(socket_, request)) return Gone();
  while (true) {
    absl::optional<json> reply = Receive(socket_);
    if (!reply.has_value()) return Gone();
    if (reply->contains("error")) {
      return absl::InvalidArgumentError(reply->at("error").get<std::string>());
    }
    if (!reply->contains("progress")) return *std::move(reply);
    if (progress) progress(reply->at("progress"));
  }
}

absl::StatusOr<RunResult> RemoteTarget::Run(
    const RunRequest& request, const std::function<void(uint64_t position)>& progress) {
  const absl::StatusOr<json> reply = Ask({{"run", request}}, progress);
  if (!reply.ok()) return reply.status();
  return reply->at("run").get<RunResult>();
}

absl::StatusOr<std::string> RemoteTarget::Look(const LookRequest& request) {
  const absl::StatusOr<json> reply = Ask({{"look", request}}, nullptr);
  if (!reply.ok()) return reply.status();
  return reply->at("text").get<std::string>();
}

absl::StatusOr<Here> RemoteTarget::WhereIs(const LookRequest& request) {
  const absl::StatusOr<json> reply = Ask({{"here", request}}, nullptr);
  if (!reply.ok()) return reply.status();
  return reply->get<Here>();
}

absl::StatusOr<RemoteTarget> RemoteTarget::Clone() {
  if (!Send(socket_, {{"clone", true}})) return Gone();
  const int socket = ReceiveDescriptor(socket_);
  if (socket < 0) return Gone();
  return RemoteTarget(socket);
}

}  // namespace kpath::debugger
