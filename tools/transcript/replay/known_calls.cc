// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/known_calls.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "sim/user/compat.h"
#include "syscall_table/tables.h"

namespace kpath {
namespace {

// strace's name for a number that it does not know: syscall_0x1388.
constexpr absl::string_view kUnknownCall = "syscall_0x";

// A system call by a number that has no name: six numbers, an errno.
constexpr Signature kUnknownSignature = {"",
                                         {{ParameterKind::kNumber},
                                          {ParameterKind::kNumber},
                                          {ParameterKind::kNumber},
                                          {ParameterKind::kNumber},
                                          {ParameterKind::kNumber},
                                          {ParameterKind::kNumber}}};

// fcntl does many things; these are modelled.
bool IsModelledFcntl(const strace::Call& call) {
  if (call.args.size() < 2) return false;
  constexpr const char* kCommands[] = {"F_DUPFD",      "F_DUPFD_CLOEXEC", "F_GETFD",
                                       "F_SETFD",      "F_GETFL",         "F_SETFL",
                                       "F_GETPIPE_SZ", "F_SETPIPE_SZ"};
  return std::any_of(std::begin(kCommands), std::end(kCommands),
                     [&](const char* command) { return call.args[1].text == command; });
}

}  // namespace

int NumberOfCall(absl::string_view name) {
  if (absl::StartsWith(name, kUnknownCall)) {
    uint64_t number = 0;
    return absl::SimpleHexAtoi(name.substr(kUnknownCall.size()), &number) ? static_cast<int>(number)
                                                                          : -1;
  }
  const SyscallInfo* info = FindSyscall64(name, SyscallAbi::k64);
  return info == nullptr ? -1 : static_cast<int>(info->row.number);
}

int NumberOfCall32(absl::string_view name) {
  for (const SyscallInfo& call : Syscalls32()) {
    if (call.row.name != name) continue;
    return absl::StartsWith(call.row.compat_entry, "__ia32_sys_") ? call.row.number : -1;
  }
  return -1;
}

int64_t EnterInt80(const CallFrame& frame) {
  user::Arguments32 arguments;
  for (size_t i = 0; i < arguments.size(); ++i) {
    arguments[i] = static_cast<uint32_t>(frame.arguments[i]);
  }
  return user::Int80(static_cast<uint32_t>(NumberOfCall32(frame.call->name)), arguments);
}

const Signature* SignatureOf(const strace::Call& call) {
  absl::string_view name = call.name;
  if (absl::StartsWith(name, kUnknownCall)) return &kUnknownSignature;
  const Signature* signature = FindSignature(name);
  if (signature == nullptr || (name == "fcntl" && !IsModelledFcntl(call))) return nullptr;
  if (signature->form == CallForm::kClone3) name = "clone";
  const SyscallInfo* info = FindSyscall64(name, SyscallAbi::k64);
  return info != nullptr && info->IsModelled() ? signature : nullptr;
}

}  // namespace kpath
