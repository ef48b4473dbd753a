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
#include "tools/debugger/look.h"
#include "tools/debugger/stop_plan.h"
#include "tools/debugger/target.h"

namespace kpath::debugger {

// As JSON: members under their names, enums as numbers. Conversions of nlohmann::json find these.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Breakpoint, id, kind, name, file, number, condition)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stepping, mode, grain, pid, depth, file, line)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(StopPlan, breakpoints, stepping)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(RunRequest, plan, limit, remember)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Hit, id, old_value, new_value)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Stop, position, hits)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(LookRequest, words, pid, frame, width, pretty, sources)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Here, pid, depth, at_entry, file, line)
void to_json(nlohmann::json& to, const RunResult& result);
void from_json(const nlohmann::json& from, RunResult& result);

// False: the other side is gone.
bool Send(int socket, const nlohmann::json& message);
// None: the other side is gone.
absl::optional<nlohmann::json> Receive(int socket);

// Hands a file descriptor to the process at the other end; it gets a copy of it.
bool SendDescriptor(int socket, int descriptor);
// -1: the other side is gone.
int ReceiveDescriptor(int socket);

}  // namespace kpath::debugger
