// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/known_calls.h"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "sim/user/compat.h"
#include "syscall_table/tables.h"
#include "tools/transcript/replay/filters.h"
#include "tools/transcript/replay/ptrace_requests.h"

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

// Whether the argument `index` is one of `names`.
template <size_t N>
bool ArgumentIsOneOf(const strace::Call& call, size_t index, const char* const (&names)[N]) {
  if (call.args.size() <= index) return false;
  return std::any_of(std::begin(names), std::end(names),
                     [&](const char* name) { return call.args[index].text == name; });
}

// These do many things; of some of them the replay knows the arguments.
bool IsModelledFcntl(const strace::Call& call) {
  constexpr const char* kCommands[] = {"F_DUPFD",      "F_DUPFD_CLOEXEC", "F_GETFD",
                                       "F_SETFD",      "F_GETFL",         "F_SETFL",
                                       "F_GETPIPE_SZ", "F_SETPIPE_SZ"};
  return ArgumentIsOneOf(call, 1, kCommands);
}
// Not where the program's text was not printed: the calls behind it would be allowed.
bool KnowsFilter(const strace::Call& call) {
  if (call.args.size() < 3) return true;
  const strace::Value& filter = call.args[2];
  return filter.kind != strace::ValueKind::kStruct || IsPrintedFilter(filter);
}

bool IsModelledPrctl(const strace::Call& call) {
  constexpr const char* kOptions[] = {"PR_SET_NO_NEW_PRIVS", "PR_GET_NO_NEW_PRIVS",
                                      "PR_GET_SECCOMP"};
  if (ArgumentIsOneOf(call, 0, kOptions)) return true;
  constexpr const char* kSetSeccomp[] = {"PR_SET_SECCOMP"};
  return ArgumentIsOneOf(call, 0, kSetSeccomp) && KnowsFilter(call);
}
bool IsModelledSeccomp(const strace::Call& call) {
  constexpr const char* kOperations[] = {"SECCOMP_SET_MODE_STRICT", "SECCOMP_SET_MODE_FILTER"};
  return ArgumentIsOneOf(call, 0, kOperations) && KnowsFilter(call);
}

bool IsModelledVariant(const strace::Call& call) {
  if (call.name == "fcntl") return IsModelledFcntl(call);
  if (call.name == "prctl") return IsModelledPrctl(call);
  if (call.name == "seccomp") return IsModelledSeccomp(call);
  return call.name != "ptrace" || IsModelledPtrace(call);
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
  if (signature == nullptr || !IsModelledVariant(call)) return nullptr;
  if (signature->form == CallForm::kClone3) name = "clone";
  const SyscallInfo* info = FindSyscall64(name, SyscallAbi::k64);
  return info != nullptr && info->IsModelled() ? signature : nullptr;
}

}  // namespace kpath
