// SPDX-License-Identifier: Apache-2.0
//
// Structs of a fixed layout that system calls read or write, as strace prints them: actions and
// sets of signals, limits, timers, stacks, events of epoll.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tools/transcript/replay/signature.h"
#include "tools/transcript/syntax/value.h"

namespace kpath {

// False: the kind is none of these.
bool IsRecord(ParameterKind kind);
// True for those that a call reads.
bool IsRecordIn(ParameterKind kind);
// True if the argument is the struct itself and not an address.
bool IsPrintedRecord(const strace::Value& value);
uint64_t RecordBytes(ParameterKind kind);

// An error is one line, "FILE:LINE:COLUMN: …".
absl::Status CheckRecord(absl::string_view file_name, ParameterKind kind,
                         const strace::Value& value);
// The bytes that the printed struct stands for; 0 where a field is not printed. REQUIRES:
// CheckRecord, or what is not known is 0, too.
std::string EncodeRecord(ParameterKind kind, const strace::Value& value);
// Holds what a call wrote against what was printed. Returns what differs, or nothing.
std::string JudgeRecord(ParameterKind kind, const strace::Value& printed,
                        absl::string_view simulated);

}  // namespace kpath
