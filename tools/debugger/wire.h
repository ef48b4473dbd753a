// SPDX-License-Identifier: Apache-2.0
//
// Requests and replies between the debugger and the processes that have its machines: JSON, each
// message behind its length, over a socket.
//
//   debugger                          process with a machine
//   {"run": {"limit": …, "plan": …}}  ->
//                                     <- {"progress": 1048576}       now and then
//                                     <- {"run": {"position": …}}
//   {"look": ["print", "ctx", …]}     ->
//                                     <- {"text": "$1 = …"} or {"error": "…"}
//   {"clone": {}}                     ->
//                                     <- {} and the other end of the new process's socket
#pragma once

#include <string>
#include <vector>

#include "absl/types/optional.h"
#include "nlohmann/json.hpp"
#include "tools/debugger/stop_plan.h"
#include "tools/debugger/target.h"

namespace kpath::debugger {

nlohmann::json ToJson(const RunRequest& request);
RunRequest RunRequestFromJson(const nlohmann::json& json);
nlohmann::json ToJson(const RunResult& result);
RunResult RunResultFromJson(const nlohmann::json& json);

// False: the other side is gone.
bool Send(int socket, const nlohmann::json& message);
// None: the other side is gone.
absl::optional<nlohmann::json> Receive(int socket);

// Hands a file descriptor to the process at the other end; it gets a copy of it.
bool SendDescriptor(int socket, int descriptor);
// -1: the other side is gone.
int ReceiveDescriptor(int socket);

}  // namespace kpath::debugger
