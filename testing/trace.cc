// SPDX-License-Identifier: Apache-2.0
#include "testing/trace.h"

#include "absl/strings/str_cat.h"
#include "sim/machine/value.h"

namespace kpath::testing {

std::string SyscallRecord::ToString() const {
  std::string text = name.empty() ? absl::StrCat("system call ", number, "(") : name + "(";
  // Trailing zeros are what most calls do not use.
  size_t used = arguments.size();
  while (used > 0 && arguments[used - 1] == 0) --used;
  for (size_t i = 0; i < used; ++i) {
    absl::StrAppend(&text, i == 0 ? "0x" : ", 0x", absl::Hex(arguments[i]));
  }
  absl::StrAppend(&text, ") = ");
  return returned ? text + Value::Result(result).ToString() : text + "?";
}

std::string ResultText(const RecordedCall& call) {
  const std::string result = Value::Result(call.result).ToString();
  return call.reason.empty() ? result : absl::StrCat(result, ": ", call.reason);
}

void PrintTo(const Trace& trace, std::ostream* os) {
  *os << "a run through " << trace.path.size() << " functions with " << trace.syscalls.size()
      << (trace.syscalls.size() == 1 ? " system call" : " system calls");
  for (const SyscallRecord& syscall : trace.syscalls) *os << "\n    " << syscall.ToString();
}

void PrintTo(const RecordedCall& call, std::ostream* os) {
  for (const SyscallRecord& syscall : call.syscalls) {
    *os << (&syscall == &call.syscalls.front() ? "" : "; ") << syscall.ToString();
  }
  // Seldom: the code returned something else than its last system call.
  if (call.syscalls.empty() || call.syscalls.back().result != call.result) {
    *os << (call.syscalls.empty() ? "" : "; ") << "returned " << ResultText(call);
  }
}

}  // namespace kpath::testing
