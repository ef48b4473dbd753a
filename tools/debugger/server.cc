// SPDX-License-Identifier: Apache-2.0
#include "tools/debugger/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "tools/debugger/look.h"
#include "tools/debugger/wire.h"

namespace kpath::debugger {
namespace {

using nlohmann::json;

// Set by ^C.
volatile std::sig_atomic_t interrupt_came = 0;
void NoteInterrupt(int) { interrupt_came = 1; }

json Error(const absl::Status& status) { return {{"error", std::string(status.message())}}; }

class Server {
 public:
  Server(Target& target, int socket) : target_(target), socket_(socket) {}

  void Serve() {
    while (absl::optional<json> request = Receive(socket_)) {
      if (request->contains("clone")) {
        if (!Clone()) break;
      } else if (!Send(socket_, Reply(*request))) {
        break;
      }
    }
    close(socket_);
  }

 private:
  json Reply(const json& request) {
    if (request.contains("run")) return Run(request.at("run").get<RunRequest>());
    if (request.contains("look")) {
      const absl::StatusOr<std::string> text = Look(target_, request.at("look").get<LookRequest>());
      return text.ok() ? json{{"text", *text}} : Error(text.status());
    }
    if (request.contains("here")) {
      return WhereIs(target_, request.at("here").get<LookRequest>());
    }
    return Error(absl::InvalidArgumentError("no such request"));
  }

  json Run(const RunRequest& request) {
    interrupt_came = 0;
    target_.interrupted = [this](uint64_t position) {
      return !Send(socket_, {{"progress", position}}) || interrupt_came != 0;
    };
    const absl::StatusOr<RunResult> result = target_.Run(request);
    return result.ok() ? json{{"run", *result}} : Error(result.status());
  }

  // The clone serves the new socket, whose other end goes to the debugger.
  bool Clone() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
    const pid_t pid = fork();
    if (pid < 0) return false;
    if (pid == 0) {
      close(socket_);
      close(ends[0]);
      socket_ = ends[1];
      return true;
    }
    const bool sent = SendDescriptor(socket_, ends[0]);
    close(ends[0]);
    close(ends[1]);
    return sent;
  }

  Target& target_;
  int socket_;
};

}  // namespace

void Serve(Target& target, int socket) {
  std::signal(SIGINT, NoteInterrupt);
  std::signal(SIGCHLD, SIG_IGN);  // clones that have ended are nobody's to wait for
  Server(target, socket).Serve();
}

}  // namespace kpath::debugger
